// Checks the members of pools that this host has claimed: the duty (health_duty.hpp) and the checks (flows/health) with a
// clock, the network, the packet workers and the state publisher.
//
//   mirror -> topology, what others found -> health checker -> claims, with what is found -> state publisher
//   packet workers -> answers -> health checker -> probes -> packet workers
//                                     +-> what is found -> mirror, at once
#pragma once

#include "actors/agent/agent_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/health_probe.hpp"

namespace viaduct::actors {

struct HealthCheckerLinks {
  HostId host;
  AgentState& state;
  WorkerPool& workers;
  StatePublisherActor publisher;
  observability::HealthProbe& probe;
};

// The mirror that first sends it a topology is told what it finds.
HealthCheckerActor spawn_health_checker(caf::actor_system& system, const HealthCheckerLinks& links);

}  // namespace viaduct::actors
