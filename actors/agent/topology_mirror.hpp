// The host's copy of the topology, and the moment when a change takes effect.
//
//   feed batch -> Snapshot + Delta -> bindings reconciled (datapath) -> Network published, epochs bumped, devices told
//              -> flows that depended on the change deleted (flow controller) -> "applied N" to the subscription
//
// One batch at a time: the subscription merges what piles up meanwhile. Interfaces that come and go take the same path
// without a new snapshot.
#pragma once

#include <functional>

#include "actors/agent/agent_state.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct MirrorLinks {
  HostId host;
  AgentState& state;
  FlowControllerActor flows;
  DatapathActor datapath;
  DevicesActor devices;
  observability::MirrorProbe& probe;
  std::function<void()> on_first_network;  // start the workers
};

TopologyMirrorActor spawn_topology_mirror(caf::actor_system& system, const MirrorLinks& links);

}  // namespace viaduct::actors
