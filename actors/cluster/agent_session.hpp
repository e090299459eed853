// One agent that has joined, on the cluster node that serves it: takes its writes of the state tables, its heartbeats and its
// operators' questions, and nothing that does not carry the session's secret. Asks it what operators want to know of its ports.
// Ends with the agent's connection.
#pragma once

#include <string>

#include "actors/interfaces.hpp"
#include "observability/journal.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct SessionLinks {
  HostId host;
  std::string name;  // of the host
  uint64_t epoch = 0;
  Secret secret;
  FeedSinkActor sink;
  Secret feed;           // of the sink
  bool answers = false;  // the agent takes questions
  StateTablesActor tables;
  QuestionRelayActor relay;  // for what the agent's operators ask
  observability::GatewayProbe& probe;
  observability::Journal* journal = nullptr;  // takes what the agent tells of itself; null: nobody does
};

using SessionRunning = AgentSessionActor::extend_with<QuestionRelayActor>::extend<reacts_to<Shutdown>, reacts_to<Tick>>;
SessionRunning spawn_agent_session(caf::actor_system& system, const SessionLinks& links);

}  // namespace viaduct::actors
