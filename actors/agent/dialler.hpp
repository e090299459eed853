// Connects to cluster nodes of other hosts. Connecting blocks (DNS, TCP, TLS), so each attempt has an actor with a thread
// of its own; whoever asked gives up by its own clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "actors/interfaces.hpp"

namespace viaduct::actors {

// Answers Dial once, and ends.
struct Dial {
  NodeAddress node;
};
struct Dialled {
  GatewayActor gateway;
  std::string error;  // empty: connected
};
using DiallerActor = caf::typed_actor<caf::replies_to<Dial>::with<Dialled>>;

// How to connect: by TLS (the daemon), or otherwise (tests). May block and throw.
using Connect = std::function<caf::expected<GatewayActor>(caf::actor_system&, const NodeAddress&)>;
// CAF's own connecting has no deadline, does one address at a time, waits for ever for a node that accepts and says
// nothing, and does not tell why TLS ended. So it is only asked for nodes that have just answered (identity/tls_probe.hpp).
Connect connect_with_tls();

DiallerActor spawn_dialler(caf::actor_system& system, const Connect& connect);

}  // namespace viaduct::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::actors::Dial)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::actors::Dialled)
