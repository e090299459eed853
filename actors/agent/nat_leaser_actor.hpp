// Leases blocks of NAT ports (nat_leaser.hpp has the logic) with a clock, the tables that packet workers read, and the
// connections that are looked through once a minute, a slice at a time.
#pragma once

#include "actors/agent/agent_state.hpp"
#include "actors/agent/nat_leaser.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct NatLeaserLinks {
  HostId host;
  AgentState& state;
  WorkerPool& workers;  // packets wait there for ports
  StatePublisherActor publisher;
  observability::NatProbe& probe;
  NatLeaserOptions options;
};

NatLeaserActor spawn_nat_leaser(caf::actor_system& system, const NatLeaserLinks& links);

}  // namespace viaduct::actors
