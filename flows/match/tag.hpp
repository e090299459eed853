// Tags: the names of the facts that a flow depends on. A simulation collects them; whoever changes a fact names the
// same tag, and exactly the flows that hold it are deleted. A tag also has an epoch (the number of its last change),
// by which a flow that was simulated against older facts is refused at install time.
//
// A tag is a 64-bit hash of its kind and of what identifies the fact. Two facts that collide invalidate each other's
// flows, which costs a simulation and is never wrong; so guests who pick addresses gain nothing by it.
//
// | tag           | added when                                     | invalidated when                                 |
// |---------------|------------------------------------------------|--------------------------------------------------|
// | device        | a bridge, router or port was traversed         | it changes in a way that packets notice; it goes |
// | absent        | an object was looked for and not there         | an object with that id appears                   |
// | mac           | unicast to a learned MAC; the source's place   | it is learned elsewhere, expires, or is pinned   |
// | flood_mac     | sent to that MAC, whether it is known or not;  | it is learned first; a router's port or a static |
// |               | a source that is not learned: a router's       | entry with it comes or goes                      |
// | broadcast     | any flood on the bridge                        | its set of usable ports or of other hosts changes|
// | local_flood   | a flood from another host arrived              | the bridge's set of usable ports here changes    |
// | route         | the route was selected                         | that route is removed or changed                 |
// | routes        | the router looked up any destination           | never; epoch only: any route changes             |
// | next_hop      | a route by that port was selected, or passed   | routes by the port, or a gateway behind it, stand|
// |               | over because it does not stand well            | otherwise                                        |
// | neighbour     | the next hop was resolved or asked for in vain | its MAC appears, changes, fails or expires       |
// | datapath_port | in or out by that port of the datapath         | the port is created, removed or changes          |
// | tunnel_path   | sent, or to be sent, to that host              | the way to it appears, goes or changes           |
// | tunnel_peer   | came by a tunnel from that address             | it becomes or is no more that of a host          |
// | tunnel_key    | came by a tunnel with that key                 | the key stands for something else                |
// | connection    | a connection's entry was looked up             | it comes, changes its meaning, or ends           |
// | group_address | a rule asked whether a group has the address   | the group gains or loses that very address       |
//
// A port that moves between hosts, or is active on none, is a change of the port: `device`. The other hosts that a
// bridge floods to are part of the set of `broadcast`.
//
// A new route has no tag that flows could hold: it concerns those routed to an address that it covers.
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
Tag local_flood(const BridgeId& bridge);
Tag route(const RouteId& route);
Tag routes(const RouterId& router);
Tag next_hop(const PortId& port);
Tag neighbour(const RouterId& router, const PortId& port, const IpAddress& next_hop);
Tag datapath_port(PortNumber port);
Tag tunnel_path(const HostId& host);
Tag tunnel_peer(const IpAddress& address);
Tag tunnel_key(uint32_t key);
// `word`: kind, protocol and ports (flows/state/connection_table.hpp).
Tag connection(const Uuid& device, uint64_t word, const IpAddress& src, const IpAddress& dst);
Tag group_address(const IpGroupId& group, const IpAddress& address);

}  // namespace tag

}  // namespace viaduct::flows

template <>
struct std::hash<viaduct::flows::Tag> {
  size_t operator()(viaduct::flows::Tag tag) const noexcept { return tag.value; }
};
