// What one host needs of the topology, its closure, and how changes of it travel.
//
// Each object but hosts belongs to one owner, and that decides who needs it: ports, routes and static entries to their
// device (bridge, router), BGP peers and networks to their router, rules to their chain, members to their group, pool
// members and VIPs to their pool, memberships to their tunnel zone. Devices, chains, groups, load balancers, pools, health
// monitors and zones own themselves.
//
// A host needs the devices of its bound ports and every owner that is joined to them, directly or through others:
//
//   device -- device            ports that are linked
//   device -- chain             filters of the device and of its ports
//   chain  -- chain, group      jumps and conditions of its rules
//   port group -- device        of each port in it: the hosts of a group know all its ports
//   router -- load balancer -- pool -- health monitor
//
// Joined is joined in both directions: those who share a chain or a group share their whole closures. An operator who
// wants hosts to know little gives each network its own chains and groups.
//
// And it needs every tunnel zone that it is in, with all its memberships and the hosts of these; and its own host object.
// Nothing else. Hosts alone follow from memberships: a host object is needed where a membership names it.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "topology/delta.hpp"

namespace viaduct::topology {

// What the object belongs to; itself, of owners; none, of hosts.
std::optional<Uuid> owner_of(const Object& object);

// Objects of these kinds own themselves. Their ids are unique among all of them.
inline constexpr std::array kOwnerKinds = {Kind::bridge,        Kind::router,     Kind::tunnel_zone,
                                           Kind::chain,         Kind::port_group, Kind::ip_group,
                                           Kind::load_balancer, Kind::pool,       Kind::health_monitor};
constexpr bool is_owner(Kind kind) {
  return std::find(kOwnerKinds.begin(), kOwnerKinds.end(), kind) != kOwnerKinds.end();
}

// The owner, and all that belongs to it. Not the hosts that a zone's memberships name.
void for_each_belonging(const Snapshot& snapshot, const Uuid& owner, const std::function<void(const Object&)>& visit);

// The owners in a closure: what a host says that it has.
std::vector<Uuid> owners_in(const Snapshot& closure);

// The owner is not needed any more: away with it and all that belongs to it.
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
