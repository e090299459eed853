// Owns time for the connections' table: ends what is idle, and makes room (connection_ageing.hpp). Flows of what has ended
// are invalidated.
#pragma once

#include "actors/agent/agent_state.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct ConnectionsLinks {
  AgentState& state;
  observability::ConnectionProbe& probe;
  flows::ConnectionLimits limits;  // of the table in `state`
  flows::ConnectionTimeouts timeouts;
};

ConnectionsActor spawn_connections(caf::actor_system& system, const ConnectionsLinks& links);

}  // namespace viaduct::actors
