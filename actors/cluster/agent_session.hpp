// One agent that has joined, on the cluster node that serves it: takes its writes of the state tables and its heartbeats,
// and nothing that does not carry the session's secret. Ends with the agent's connection.
#pragma once

#include <string>

#include "actors/interfaces.hpp"
#include "observability/journal.hpp"

namespace viaduct::actors {

struct SessionLinks {
  HostId host;
  std::string name;  // of the host
  uint64_t epoch = 0;
  Secret secret;
  FeedSinkActor sink;
  StateTablesActor tables;
  TopologyStoreActor store;
  observability::Journal* journal = nullptr;  // takes what the agent tells of itself; null: nobody does
};

caf::actor spawn_agent_session(caf::actor_system& system, const SessionLinks& links);

}  // namespace viaduct::actors
