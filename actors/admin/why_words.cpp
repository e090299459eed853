// What each reason of a drop means to an operator, and what helps.
#include "actors/admin/why_cause.hpp"

namespace viaduct::actors {

using flows::DropReason;

ReasonWords words_of(DropReason reason) {
  switch (reason) {
    case DropReason::none:
    case DropReason::count_:
      break;
    case DropReason::malformed:
      return {"a header is cut short or lies about its length", "look at the sender, its driver and its offloads"};
    case DropReason::bad_checksum:
      return {"the IPv4 header's checksum is wrong", "look at the sender, its driver and its offloads"};
    case DropReason::martian_source:
      return {"the source address is none that a packet may come from", "give the machine an address of its subnet"};
    case DropReason::multicast_source_mac:
      return {"the Ethernet source is a group address", "give the machine a unicast MAC address"};
    case DropReason::unknown_port:
      return {"came in by an interface that is bound to no port", "bind a port to it: viaduct bind"};
    case DropReason::port_down:
      return {"the port is administratively down", "viaduct port set PORT --admin-up true"};
    case DropReason::port_unplugged:
      return {"the port is neither bound nor linked", "viaduct bind, or viaduct port link"};
    case DropReason::port_inactive:
      return {"the port is bound, but its interface is absent",
              "make the interface on the port's host; viaduct status says what is missing"};
    case DropReason::device_missing:
      return {"the device behind the port is unknown here", "ask again in a second; if it stays, viaduct status"};
    case DropReason::device_down:
      return {"the device is administratively down", "set its --admin-up true"};
    case DropReason::too_many_devices:
      return {"went through too many devices: a loop of routers", "look at the routes with viaduct trace"};
    case DropReason::no_tunnel_path:
      return {"there is no tunnel to the host where it should leave",
              "put both hosts into one tunnel zone: viaduct tunnel-zone add-host; viaduct status says what is missing"};
    case DropReason::unknown_tunnel_key:
      return {"came by a tunnel with a key that stands for nothing here",
              "the sender has not heard yet that a port has "
              "moved; if it stays, look at the sender's connection to the cluster"};
    case DropReason::unknown_tunnel_peer:
      return {"came by a tunnel from an address that is no host's of a zone",
              "add the host with this address to the "
              "tunnel zone, or look for who forges it"};
    case DropReason::hairpin:
      return {"would leave by the port where it came in",
              "two machines behind one port reach each other without the bridge"};
    case DropReason::no_flood_targets:
      return {"nobody who could take it is on the bridge: no other port is active",
              "look at the receiver's port: viaduct why on it"};
    case DropReason::consumed_by_bridge:
      return {"answered by the bridge", ""};
    case DropReason::vlan_tagged_at_router:
      return {"routers take no frames with a VLAN tag", "send it untagged"};
    case DropReason::not_for_router_mac:
      return {"the destination MAC is not the router port's", "the machine's neighbour entry of its gateway is wrong"};
    case DropReason::unsupported_ethertype:
      return {"routers take IPv4, IPv6 and ARP only", ""};
    case DropReason::l2_broadcast_at_router:
      return {"a broadcast, which ends at the router", ""};
    case DropReason::multicast_at_router:
      return {"routers do not forward multicast", ""};
    case DropReason::consumed_by_router:
      return {"answered by the router", ""};
    case DropReason::neighbour_ignored:
      return {"ARP or neighbour discovery that the router must not learn from", ""};
    case DropReason::no_route:
      return {"there is no route to the destination", "viaduct route create --router ROUTER --to PREFIX …"};
    case DropReason::blackhole_route:
      return {"the route to the destination is a blackhole", "viaduct route list; delete it, or add a longer one"};
    case DropReason::reject_route:
      return {"the route to the destination rejects", "viaduct route list; delete it, or add a longer one"};
    case DropReason::ttl_exceeded:
      return {"its TTL ends here", "a routing loop, or a sender with a small TTL: viaduct trace"};
    case DropReason::packet_too_big:
      return {"larger than the port's MTU, and must not be fragmented",
              "raise the port's --mtu, or lower the machine's; let ICMP through to the sender"};
    case DropReason::next_hop_unresolved:
      return {"the next hop does not answer (ARP, neighbour discovery)",
              "is the machine with this address up and on this link? Else the route's gateway or port is wrong"};
    case DropReason::not_to_local_service:
      return {"for an address of the router itself, where nothing takes it",
              "is the destination right? Answers of translated connections must come to the router that translated"};
    case DropReason::not_routing_talk:
      return {"from a routing daemon, and nothing that it has to say", ""};
    case DropReason::dropped_by_rule:
      return {"a rule drops it", "viaduct chain show CHAIN; add a rule before it that accepts"};
    case DropReason::rejected_by_rule:
      return {"a rule rejects it", "viaduct chain show CHAIN; add a rule before it that accepts"};
    case DropReason::too_many_chains:
      return {"chains jump into each other without end", "viaduct chain show; shorten the jumps"};
    case DropReason::nat_ports_exhausted:
      return {"no port of the rule's range is free for the connection, or none can be leased",
              "widen the rule's range of addresses or ports; viaduct status tells of the leases"};
    case DropReason::nat_loop:
      return {"a translation would give both ends the same addresses", "narrow the rule's condition"};
    case DropReason::connections_full:
      return {"the table of connections, or the port's or tenant's share of it, is full",
              "viaduct conntrack stats says whose they are; raise the limit in viaductd.toml"};
    case DropReason::load_balancer_down:
      return {"the load balancer, the pool or the VIP is administratively down", "set its --admin-up true"};
    case DropReason::no_pool_member:
      return {"no member of the pool is up, enabled and healthy",
              "viaduct pool show POOL, viaduct state; start a member"};
    case DropReason::park_overflow:
      return {"too many packets wait for the same fact", "viaduct state shows which neighbours do not answer"};
    case DropReason::emit_overflow:
      return {"devices would have to send too many packets for it", "look for a loop with viaduct trace"};
    case DropReason::icmp_rate_limited:
      return {"an ICMP error of the device is held back: there were too many", ""};
    case DropReason::datapath_error:
      return {"the kernel refused to send it", "the daemon's log says why"};
    case DropReason::invalid_reference:
      return {"the topology refers to what is not there", "this is a bug of Viaduct: viaduct support-bundle"};
  }
  return {"dropped", ""};
}

}  // namespace viaduct::actors
