// The one writer of the topology, as an actor. Detached: a commit waits for the disk.
#pragma once

#include "actors/interfaces.hpp"
#include "observability/probes.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

struct TopologyStoreLinks {
  topology::store::Store& store;
  observability::StoreProbe& probe;
};

// `error` is set, and the handle invalid, when the stored topology cannot be read.
TopologyStoreActor spawn_topology_store(caf::actor_system& system, const TopologyStoreLinks& links, std::string& error);

}  // namespace viaduct::actors
