// The topology store's logic without the actor: the snapshot in memory and its image in the Store, kept equal.
//
// One writer. A commit builds the next snapshot from the current one (references resolved, every rule checked), writes
// the changed objects in one transaction whose compares say "as I know it", and only then adopts the new snapshot.
#pragma once

#include <optional>
#include <string>

#include "actors/messages.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

class TopologyWriter {
 public:
  explicit TopologyWriter(topology::store::Store& store) : store_(store) {}

  // Reads everything. The text says what is wrong with the store, and the object when it is one's.
  std::optional<std::string> load();

  struct Outcome {
    CommitReply reply;
    // To be published. Also after a failure, when the store holds more than this writer knew.
    std::optional<Committed> committed;
  };
  Outcome commit(CommitTransaction request);

  const SnapshotPtr& snapshot() const { return snapshot_; }

 private:
  std::optional<topology::store::Error> write(const topology::BuildResult& built);
  std::optional<Committed> catch_up();

  topology::store::Store& store_;
  SnapshotPtr snapshot_ = std::make_shared<const topology::Snapshot>();
};

}  // namespace viaduct::actors
