// Tells the cluster what this host has learned and which ports are active here (state_outbox.hpp has the logic).
#pragma once

#include "actors/agent/agent_state.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct PublisherLinks {
  HostId host;
  AgentState& state;
  observability::PublisherProbe& probe;
};

StatePublisherActor spawn_state_publisher(caf::actor_system& system, const PublisherLinks& links);

}  // namespace viaduct::actors
