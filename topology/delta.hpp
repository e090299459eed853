// What changed between two snapshots: one entry an object, however often it changed.
//
// Deltas of consecutive revisions merge into one (created + deleted = nothing, created + updated = created, …), so a
// slow reader gets one delta instead of a queue.
#pragma once

#include <cstdint>
#include <map>

#include "topology/snapshot.hpp"

namespace viaduct::topology {

struct ObjectChange {
  Ref<Object> before;  // null: created
  Ref<Object> after;   // null: deleted
};

struct Delta {
  uint64_t from_revision = 0;
  uint64_t to_revision = 0;
  std::map<ObjectRef, ObjectChange> changes;

  bool empty() const { return changes.empty(); }
  // `next` starts where this ends. Entries that cancel out vanish.
  void merge(const Delta& next);
  // By walking both; for resyncs. Shared sub-trees are skipped.
  static Delta between(const Snapshot& before, const Snapshot& after);
  // `snapshot` with these changes, at to_revision. It should be at from_revision; nothing is checked.
  Snapshot apply_to(const Snapshot& snapshot) const;
};

}  // namespace viaduct::topology
