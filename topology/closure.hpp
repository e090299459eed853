// What one host needs of the topology, its closure, and how changes of it travel.
//
// A host needs every device (bridge, router) that the devices of its bound ports are joined to by links, with all that
// belongs to these devices: ports, routes, static entries; and every tunnel zone that it is in, with all its memberships
// and the hosts of these. And its own host object. Nothing else.
//
// So each object belongs to one device or zone, and that decides who needs it; hosts alone follow from memberships: a
// host object is needed where a membership names it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "topology/delta.hpp"

namespace viaduct::topology {

// The device or zone that the object belongs to; itself, of devices and zones; none, of hosts.
std::optional<Uuid> owner_of(const Object& object);

// The device or zone, and all that belongs to it. Not the hosts that a zone's memberships name.
void for_each_belonging(const Snapshot& snapshot, const Uuid& owner, const std::function<void(const Object&)>& visit);

// The devices and zones of a closure: what a host says that it has.
std::vector<Uuid> owners_in(const Snapshot& closure);

// The device or zone is not needed any more: away with it and all that belongs to it.
struct Forget {
  Uuid owner;
  friend bool operator==(const Forget&, const Forget&) = default;
};
// Put an object, delete one, or forget. Done one after the other; lists that follow each other may be joined.
using ClosureChange = std::variant<Ref<Object>, ObjectRef, Forget>;
using ClosureChanges = std::vector<ClosureChange>;
// Made once for all hosts that get them; one pointer is one content, to be encoded once.
using SharedChanges = std::shared_ptr<const ClosureChanges>;

// What the changes make of the closure that host `self` has, as a delta to `revision`. Hosts that no membership names any
// more go by themselves.
Delta delta_of(const Snapshot& have, HostId self, std::span<const ClosureChange> changes, uint64_t revision);

}  // namespace viaduct::topology
