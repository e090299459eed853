// This node's record as an actor (node_record.hpp has the logic). Detached: it waits for the store.
#pragma once

#include "actors/interfaces.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

struct NodeRecordLinks {
  topology::store::Store& store;
  TopologyStoreActor topology;
  std::string name;  // of the node
  std::chrono::seconds lease{10};
};

NodeRecordActor spawn_node_record(caf::actor_system& system, const NodeRecordLinks& links);

}  // namespace viaduct::actors
