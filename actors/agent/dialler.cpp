#include "actors/agent/dialler.hpp"

#include <caf/openssl/all.hpp>

#include <exception>

namespace viaduct::actors {

std::string NodeAddress::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

NodeAddress parse_node_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {std::move(host), static_cast<uint16_t>(std::stoul(text.substr(colon + 1)))};
}

Connect connect_with_tls() {
  return [](caf::actor_system& system, const NodeAddress& node) {
    return caf::openssl::remote_actor<GatewayActor>(system, node.host, node.port);
  };
}

DiallerActor spawn_dialler(caf::actor_system& system, const Connect& connect) {
  return system.spawn<caf::detached>([connect](DiallerActor::pointer self) -> DiallerActor::behavior_type {
    return {[=](const Dial& dial) {
      self->quit();
      try {
        auto connected = connect(self->system(), dial.node);
        if (connected) return Dialled{*connected, ""};
        return Dialled{{}, self->system().render(connected.error())};
      } catch (const std::exception& problem) {
        return Dialled{{}, problem.what()};
      }
    }};
  });
}

}  // namespace viaduct::actors
