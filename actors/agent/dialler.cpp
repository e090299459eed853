#include "actors/agent/dialler.hpp"

#include <caf/openssl/all.hpp>

#include <exception>
#include <stdexcept>

#include "actors/identity/tls_probe.hpp"

namespace viaduct::actors {

namespace {

constexpr std::chrono::milliseconds kProbePatience{3'000};

}  // namespace

std::string NodeAddress::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Connect connect_with_tls() {
  return [](caf::actor_system& system, const NodeAddress& node) {
    const auto& config = system.config();
    TlsFiles files{config.openssl_cafile, config.openssl_certificate, config.openssl_key};
    if (auto why = probe_tls(node.host, node.port, files, kProbePatience)) throw std::runtime_error(*why);
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
