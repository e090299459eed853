// Which hosts need what (closure.hpp), kept while the topology changes.
//
// A step costs what changed and what is told, never the topology: a port on a bridge with 100,000 ports costs as much as
// one on an empty bridge. What several hosts are told alike is made once and shared.
//
// References are followed as snapshots of the builder have them: linked ports name each other, and what is named is there.
// Deltas may span any number of
// revisions. Not thread-safe; whoever owns the snapshots owns this.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "topology/closure.hpp"
#include "topology/components.hpp"

namespace viaduct::topology {

// Hosts that are told the same of one step, in no order, and what.
struct ClosureGroup {
  std::vector<HostId> hosts;
  std::vector<Uuid> gained, lost;  // owners, each once
  SharedChanges changes;           // in an order in which they can be done
};
// Every host that is concerned is in exactly one group.
using ClosureDelta = std::vector<ClosureGroup>;

class Interest {
 public:
  Interest() : components_(audiences_) {}
  // Of everything that there is.
  explicit Interest(const Snapshot& snapshot);

  // `after` is where `delta` leads to; the delta starts where this is.
  ClosureDelta follow(const Snapshot& after, const Delta& delta);

  // Of an owner; nobody, of anything else. In no order.
  const std::vector<HostId>& hosts_of(const Uuid& owner) const { return audiences_.hosts(audience_of(owner)); }
  bool needs(HostId host, const Uuid& owner) const { return audiences_.has(audience_of(owner), host); }
  // All owners that a host needs: those that are joined to its bound ports, and its tunnel zones.
  std::vector<Uuid> owners_of(HostId host) const;
  std::vector<Uuid> joined_to(HostId host) const;
  std::vector<Uuid> zones_of(HostId host) const;

  // The host's whole closure in `snapshot`, which should be the one that was followed to; each object once.
  void for_each_object_of(const Snapshot& snapshot, HostId host, const std::function<void(const Object&)>& visit) const;

 private:
  friend class ClosurePlan;
  using Key = Audiences::Key;
  struct Step;

  void begin_step();
  void take(const Snapshot& after, const Delta& delta);
  void owner_comes(const ObjectRef& ref);
  void owner_goes(const Snapshot& after, const ObjectRef& ref);
  void come(const Step& step, const ObjectChange& change);
  void go(const Step& step, const ObjectChange& change);
  Key audience_of(const Uuid& owner) const;
  Key audience_before(const Uuid& owner) const;

  Audiences audiences_;
  Components components_;
  std::unordered_map<Uuid, Key> zones_;
  std::unordered_map<Key, Uuid> zone_of_;
  std::vector<Uuid> gone_zones_;  // in this step: still in the maps until the next
};

}  // namespace viaduct::topology
