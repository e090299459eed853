#include "actors/agent/dialler.hpp"

#include <caf/openssl/all.hpp>

#include <exception>

namespace viaduct::actors {

std::string NodeAddress::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
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
