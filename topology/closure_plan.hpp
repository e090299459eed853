// Who is told what of one step: hosts for whom the step means the same become one group. Internal to Interest.
#pragma once

#include <map>
#include <set>
#include <unordered_set>

#include "topology/interest.hpp"

namespace viaduct::topology {

class ClosurePlan {
 public:
  // `interest` has taken the step.
  ClosurePlan(const Interest& interest, const Snapshot& after, const Delta& delta);

  ClosureDelta make() const;

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  // An audience that the step concerns: of a component or a zone, or a host alone, for its own object.
  struct Circle {
    Audiences::Key key = 0;  // 0: the host alone
    HostId alone;
    bool had = false, has = false;  // the host alone
  };
  // A changed object and the circles that needed it, and do.
  struct Item {
    const ObjectRef* ref;
    const ObjectChange* change;
    size_t before = kNone, after = kNone;
  };
  struct HostItem {
    const ObjectRef* ref;
    const ObjectChange* change;
    std::vector<size_t> circles;
  };
  // Of a host, or a group, to each circle: 0, or these bits.
  enum : uint8_t { kHad = 1, kHas = 2 };
  using Relations = std::vector<uint8_t>;
  struct Making;

  size_t circle_of(Audiences::Key key);
  void add_item(const ObjectRef& ref, const ObjectChange& change);
  void add_host(const ObjectRef& ref, const ObjectChange& change);
  void add_moved();

  bool alike_for_all() const;
  std::map<Relations, std::vector<HostId>> groups() const;
  ClosureGroup make_group(std::vector<HostId> hosts, const Relations& relations) const;
  void find_owners(Making& making) const;
  void find_unmoved(size_t circle, std::vector<Uuid>& owners) const;
  void add_changes(Making& making) const;
  void add_whole(const Uuid& owner, Making& making) const;
  void put_host(HostId host, Making& making) const;

  const Interest& interest_;
  const Snapshot& after_;
  std::vector<Circle> circles_;
  std::unordered_map<Audiences::Key, size_t> index_;
  std::vector<Item> items_;
  std::vector<HostItem> hosts_;
  std::map<std::pair<size_t, size_t>, std::vector<Uuid>> moved_;  // from circle to circle
};

}  // namespace viaduct::topology
