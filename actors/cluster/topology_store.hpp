// The one writer of the topology, as an actor, and the source of every feed. Detached: a commit waits for the disk.
#pragma once

#include <functional>

#include "actors/interfaces.hpp"
#include "observability/probes.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

struct TopologyStoreLinks {
  topology::store::Store& store;
  observability::StoreProbe& probe;
  size_t history = 10'000;  // deletions that are kept for agents that resume
};

// `error` is set, and the handle invalid, when the stored topology cannot be read.
TopologyStoreActor spawn_topology_store(caf::actor_system& system, const TopologyStoreLinks& links, std::string& error);

}  // namespace viaduct::actors
