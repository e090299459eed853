// What a host that was away is told, when it comes with the closure that it had at some revision.
//
// For what it had and still needs: objects that changed since, and deletions. For what it needs newly: everything. For
// what it needs no longer: that it may forget it. Deletions are known from tombstones; whoever keeps them says how far
// back they go, and sends a host from before that everything instead.
#pragma once

#include <map>
#include <unordered_map>

#include "topology/interest.hpp"

namespace viaduct::topology {

// An object went: it was deleted, or belongs to another device or zone since.
struct Tombstone {
  ObjectRef object;
  uint64_t revision = 0;
  Uuid owner;  // that it belonged to
};
std::vector<Tombstone> tombstones_of(const Delta& delta);

// Makes answers for hosts that come at one time. What several are told alike is made once.
class Resumption {
 public:
  // `tombstones` reach back to the oldest revision that a host may come with.
  Resumption(const Interest& interest, const Snapshot& snapshot, const std::vector<Tombstone>& tombstones);

  // To be done in this order. `has`: devices and zones that the host has, in its state of `revision`.
  std::vector<SharedChanges> resume(HostId host, std::span<const Uuid> has, uint64_t revision);
  // Everything, for a host that has nothing.
  std::vector<SharedChanges> whole(HostId host) { return resume(host, {}, 0); }

 private:
  using Since = std::pair<Uuid, uint64_t>;  // an owner, from a revision on

  SharedChanges gone_since(const Uuid& owner, uint64_t revision);
  SharedChanges put_since(const Uuid& owner, uint64_t revision);
  SharedChanges own_of(HostId host, std::span<const Uuid> forgotten) const;

  const Interest& interest_;
  const Snapshot& snapshot_;
  std::unordered_map<Uuid, std::vector<Tombstone>> tombstones_;  // by owner
  std::map<Since, SharedChanges> gone_, put_;
};

}  // namespace viaduct::topology
