// How the actor system of a daemon runs, and that of the tests of its actors.
#pragma once

#include <caf/io/all.hpp>
#include <caf/openssl/all.hpp>

#include <chrono>
#include <string>

#include "actors/identity/tls_errors.hpp"
#include "actors/wire_types.hpp"

namespace viaduct::actors {

// PEM files; all or none. With them the process can speak to others, by TLS with certificates on both sides.
struct TransportFiles {
  std::string ca, certificate, key;
  bool given() const { return !ca.empty(); }
};

struct ActorConfig : caf::actor_system_config {
  // A node of another major version says another name and is refused.
  static constexpr const char* kProtocol = "viaduct-1";
  // A peer that is frozen, or a link that swallows everything, is noticed after this.
  static constexpr std::chrono::milliseconds kHeartbeat{1'000};
  static constexpr std::chrono::milliseconds kSilence{4'000};

  explicit ActorConfig(const TransportFiles& files = {}) {
    load<caf::io::middleman>();
    add_message_types<caf::id_block::viaduct_wire>();
    // Few cores are shared with guests: threads that sleep instead of polling for work.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{2});
    set("logger.verbosity", caf::atom("quiet"));
    set("middleman.app-identifiers", std::vector<std::string>{kProtocol});
    set("middleman.heartbeat-interval", caf::timespan(kHeartbeat));
    set("middleman.connection-timeout", caf::timespan(kSilence));
    if (!files.given()) return;
    keep_tls_errors_apart();
    load<caf::openssl::manager>();
    openssl_cafile = files.ca;
    openssl_certificate = files.certificate;
    openssl_key = files.key;
  }
};

}  // namespace viaduct::actors
