// Has what connections this host makes also at the hosts that may see their next packet, before the first one leaves, and
// theirs here: flows/replication with a clock, the packet workers and the tunnels. Detached: packets wait for it.
#pragma once

#include "actors/agent/agent_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct FlowReplicatorLinks {
  HostId host;
  uint64_t life;  // random, not 0, another one for each start
  AgentState& state;
  WorkerPool& workers;
  observability::ReplicationProbe& probe;
};

FlowReplicatorActor spawn_flow_replicator(caf::actor_system& system, const FlowReplicatorLinks& links);

}  // namespace viaduct::actors
