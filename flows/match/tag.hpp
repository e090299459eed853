// Tags: the names of the facts that a flow depends on. A simulation collects them; whoever changes a fact names the
// same tag, and exactly the flows that hold it are deleted. A tag also has an epoch (the number of its last change),
// by which a flow that was simulated against older facts is refused at install time.
//
// A tag is a 64-bit hash of its kind and of what identifies the fact. Two facts that collide invalidate each other's
// flows, which costs a simulation and is never wrong; so guests who pick addresses gain nothing by it.
//
// | tag            | added when                                         | invalidated when |
// |----------------|----------------------------------------------------|-------------------------------------------------|
// | device         | a bridge, router or port was traversed             | any new version of the device; its removal |
// | absent         | an object was looked for and not there             | an object with that id appears | | mac |
// unicast to a learned or static MAC; the source too | that MAC is learned elsewhere, expires, changes | | flood_mac |
// flooded, because the MAC was unknown               | the MAC is learned, or a port with it is added  | | broadcast |
// any flood on the bridge                            | the set of the bridge's usable ports changes    | | logical_port
// | delivered to a router's interior port of a bridge  | that port is removed or changed                 | | route |
// the route was selected                             | that route is removed or changed                | | destination
// | the router looked up that destination              | a route that covers it is added or removed      | | routes |
// never held by a flow: epoch only                   | any route of the router changes: a simulation   | | | | in
// flight across that moment is repeated        | | neighbour      | the next hop was resolved, or asked for in vain |
// its MAC appears, changes or expires             | | datapath_port  | in or out by that port of the datapath | the
// port is created, removed or goes up or down |
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

#include "flows/match/small_vector.hpp"
#include "flows/packet/port_number.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::flows {

struct Tag {
  uint64_t value = 0;
  friend constexpr auto operator<=>(const Tag&, const Tag&) = default;
};

using TagList = SmallVector<Tag, 16>;

// One constructor a kind. `vlan` is a VLAN id, 0 for untagged.
namespace tag {

Tag device(const Uuid& id);
template <class Kind>
Tag device(const Id<Kind>& id) {
  return device(id.uuid());
}
Tag absent(const Uuid& id);
template <class Kind>
Tag absent(const Id<Kind>& id) {
  return absent(id.uuid());
}
Tag mac(const BridgeId& bridge, uint16_t vlan, const MacAddress& mac, const PortId& port);
Tag flood_mac(const BridgeId& bridge, uint16_t vlan, const MacAddress& mac);
Tag broadcast(const BridgeId& bridge);
Tag logical_port(const PortId& port);
Tag route(const RouteId& route);
Tag destination(const RouterId& router, const IpAddress& destination);
Tag routes(const RouterId& router);
Tag neighbour(const RouterId& router, const PortId& port, const IpAddress& next_hop);
Tag datapath_port(PortNumber port);

}  // namespace tag

}  // namespace viaduct::flows

template <>
struct std::hash<viaduct::flows::Tag> {
  size_t operator()(viaduct::flows::Tag tag) const noexcept { return tag.value; }
};
