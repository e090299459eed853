// The state tables as an actor (host_states.hpp has the logic). Detached: it waits for the store.
#pragma once

#include "actors/cluster/host_states.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct StateTablesLinks {
  topology::store::Store& store;
  TopologyStoreActor topology;
  observability::GatewayProbe& probe;
  std::string node;  // of the cluster
  std::chrono::seconds lease{10};
};

StateTablesActor spawn_state_tables(caf::actor_system& system, const StateTablesLinks& links);

}  // namespace viaduct::actors
