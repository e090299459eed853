#include "topology/delta.hpp"

namespace viaduct::topology {
namespace {

bool equal(const Ref<Object>& a, const Ref<Object>& b) { return a == b || (a && b && *a == *b); }

}  // namespace

void Delta::merge(const Delta& next) {
  to_revision = next.to_revision;
  for (const auto& [ref, change] : next.changes) {
    auto [at, is_new] = changes.try_emplace(ref, change);
    if (is_new) continue;
    at->second.after = change.after;
    if (equal(at->second.before, at->second.after)) changes.erase(at);
  }
}

Delta Delta::between(const Snapshot& before, const Snapshot& after) {
  Delta delta{before.revision(), after.revision(), {}};
  Snapshot::diff(before, after, [&](ObjectRef ref, const Ref<Object>& old_object, const Ref<Object>& new_object) {
    if (!equal(old_object, new_object)) delta.changes.emplace(ref, ObjectChange{old_object, new_object});
  });
  return delta;
}

Snapshot Delta::apply_to(const Snapshot& snapshot) const {
  Snapshot next = snapshot;
  for (const auto& [ref, change] : changes) {
    if (change.after) {
      next.put(change.after);
    } else {
      next.erase(ref);
    }
  }
  next.set_revision(to_revision);
  return next;
}

}  // namespace viaduct::topology
