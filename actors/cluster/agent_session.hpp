// One agent that has joined, on the cluster node that serves it: takes its writes of the state tables and its heartbeats,
// and nothing that does not carry the session's secret. Ends with the agent's connection.
#pragma once

#include "actors/interfaces.hpp"

namespace viaduct::actors {

struct SessionLinks {
  HostId host;
  uint64_t epoch = 0;
  Secret secret;
  FeedSinkActor sink;
  StateTablesActor tables;
  TopologyStoreActor store;
};

caf::actor spawn_agent_session(caf::actor_system& system, const SessionLinks& links);

}  // namespace viaduct::actors
