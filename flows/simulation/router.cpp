// A router: what it takes in, where it sends it, and what it says when it cannot (devices.md 1.4, RFC 1812, RFC 4291).
#include "flows/packet/checksum.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

using routing::FibEntry;
using topology::NextHop;

bool is_directed_broadcast(const PortView& port, const IpAddress& ip) {
  return std::any_of(port.addresses.begin(), port.addresses.end(),
                     [&](const IpPrefix& own) { return own.broadcast() == ip; });
}

// RFC 1812 5.3.7, RFC 4291 2.5: what no packet on a link comes from. The router's own addresses may come back to it: an
// error that it sent to the previous hop, when the way from there leads through it.
bool is_martian_source(const PortView& in, const IpAddress& ip) {
  if (ip.is_any() || ip.is_multicast() || ip.is_loopback() || ip.is_limited_broadcast()) return true;
  if (ip.is_v4() && ip.storage()[0] == 0) return true;
  return is_directed_broadcast(in, ip);
}

bool header_checksum_ok(const Packet& packet) {
  return packet.key.eth_type != ethertype::kIpv4 || verify_ipv4_header(packet.bytes.subspan(packet.l3_offset));
}

// Of the connection, and different by direction. Later fragments have no ports, so no fragment's ports count: all
// fragments of a packet go one way.
uint64_t connection_hash(const FlowKey& key, bool with_ports) {
  uint64_t hash = std::hash<IpAddress>{}(key.ip_src);
  for (uint64_t word : {uint64_t{std::hash<IpAddress>{}(key.ip_dst)},
                        uint64_t{key.ip_proto} << 32 |
                            (with_ports ? uint64_t{key.l4_src} << 16 | uint64_t{key.l4_dst} : uint64_t{0})}) {
    hash = (hash ^ word) * 0xff51'afd7'ed55'8ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ce'b9fe'1a85'ec53ULL;
    hash ^= hash >> 29;
  }
  return hash;
}

bool has_ports(const FlowKey& key) {
  return key.fragment == Fragment::none &&
         (key.ip_proto == ip_proto::kTcp || key.ip_proto == ip_proto::kUdp || key.ip_proto == ip_proto::kSctp);
}

std::string describe(const Walk& walk, const FibEntry& entry) {
  std::string text = entry.destination.to_string();
  if (entry.source.length() != 0) text += " from " + entry.source.to_string();
  const PortView* port = walk.network().port(entry.port);
  const std::string by = port == nullptr ? entry.port.to_string() : name_of(*port);
  switch (entry.kind) {
    case NextHop::port:
      text += entry.gateway ? " via " + entry.gateway->to_string() + " " + by : " connected " + by;
      break;
    case NextHop::local:
      text += " local" + (entry.port.is_nil() ? std::string() : " " + by);
      break;
    case NextHop::blackhole:
      text += " blackhole";
      break;
    case NextHop::reject:
      text += " reject";
      break;
  }
  return text + " weight " + std::to_string(entry.weight);
}

// What is for everybody on the link: routers listen to neighbours only.
void receive_group(Walk& walk, const RouterView& router) {
  if (walk.neighbour_talk) {
    walk.key.eth_type == ethertype::kArp ? receive_arp(walk, router) : receive_neighbour_discovery(walk, router);
    return;
  }
  walk.drop(walk.key.eth_dst.is_broadcast() ? DropReason::l2_broadcast_at_router : DropReason::multicast_at_router);
}

// False when the verdict is made.
bool accept_ip(Walk& walk) {
  const FlowKey& key = walk.key;
  if (walk.input.packet.error != DropReason::none) return walk.drop_once(DropReason::malformed);
  if (walk.decrements == 0 && !header_checksum_ok(walk.input.packet)) return walk.drop_once(DropReason::bad_checksum);
  walk.verdict.mask.add({Field::ip_src, Field::ip_dst});
  if (is_martian_source(*walk.in, key.ip_src) || key.ip_dst.is_any() || key.ip_dst.is_loopback()) {
    walk.note_device(Stage::router_in, [&] { return key.ip_src.to_string() + " > " + key.ip_dst.to_string(); });
    return walk.drop(DropReason::martian_source);
  }
  if (key.ip_dst.is_multicast() || key.ip_dst.is_limited_broadcast()) {
    return walk.drop(DropReason::multicast_at_router);
  }
  return true;
}

const PortView* refuse(Walk& walk, DropReason reason, Unreachable what) {
  answer_unreachable(walk, what);
  return walk.drop_once(reason);
}

const PortView* send_on(Walk& walk, const RouterView& router, const PortView& out, const FibEntry& entry) {
  const bool too_big = out.mtu != 0 && walk.input.packet.l3_segment_bytes() > out.mtu;
  if (too_big && forbids_fragments(walk.input.packet)) {
    walk.note_device(Stage::mtu, [&] { return "more than " + std::to_string(out.mtu) + " bytes"; });
    answer_too_big(walk, out.mtu);
    return walk.drop_once(DropReason::packet_too_big);
  }
  const IpAddress next_hop = entry.gateway.value_or(walk.key.ip_dst);
  const NextHopAnswer answer = resolve_next_hop(walk, router, out, next_hop);
  if (answer.kind == NextHopAnswer::Kind::wanted) return walk.park(NeighbourWanted{router.id, out.id, next_hop});
  if (answer.kind == NextHopAnswer::Kind::unreachable) {
    walk.next_hop = next_hop;
    return refuse(walk, DropReason::next_hop_unresolved, entry.gateway ? Unreachable::network : Unreachable::host);
  }
  walk.route_onwards(out, answer.mac);
  walk.note_device(Stage::ttl, [&] { return "now " + std::to_string(walk.key.ip_ttl); });
  if (!too_big) return &out;
  send_fragments(walk, out, out.mtu);
  return nullptr;
}

// False when the verdict is made.
bool filter(Walk& walk, ChainId chain, const RuleContext& context) {
  const Filtered filtered = apply_chain(walk, chain, context);
  if (filtered == Filtered::reject) refuse_by_rule(walk, PortDevice::router);
  return filtered == Filtered::accept;
}

// Before routing: the load balancer, and for what it does not concern the rules.
bool filter_in(Walk& walk, const RouterView& router) {
  const Balanced balanced = balance(walk, router.load_balancer);
  if (balanced != Balanced::not_concerned) return balanced == Balanced::done;
  const RuleContext context{walk.in, nullptr, router.id.uuid()};
  return filter(walk, router.local_redirect, context) && filter(walk, router.inbound_filter, context);
}

// Behind routing, in the same way. A packet whose TTL ends here was answered before: a flow must not drop those in
// silence.
bool filter_out(Walk& walk, const RouterView& router, const PortView& out) {
  const Balanced balanced = unbalance(walk, router.load_balancer);
  const RuleContext context{walk.in, &out, router.id.uuid()};
  const bool passes = balanced == Balanced::done ||
                      (balanced == Balanced::not_concerned && filter(walk, router.forward_filter, context) &&
                       filter(walk, router.outbound_filter, context));
  if (!passes) walk.verdict.mask.add(Field::ip_ttl);
  return passes;
}

const PortView* forward(Walk& walk, const RouterView& router, const FibEntry& entry) {
  const PortView* out = walk.network().port(entry.port);
  if (out == nullptr) {
    walk.tag(tag::absent(entry.port));
    return walk.drop(DropReason::invalid_reference);
  }
  // RFC 4291 2.5.6: what comes from one link only is not for another.
  if (is_link_local_v6(walk.key.ip_src)) {
    answer_beyond_scope(walk);
    return walk.drop_once(DropReason::no_route);
  }
  // RFC 2644: a packet to everybody of a subnet stops at its last router.
  if (!entry.gateway && entry.destination.broadcast() == walk.key.ip_dst) {
    return walk.drop(DropReason::l2_broadcast_at_router);
  }
  if (walk.key.ip_ttl <= 1) {
    walk.note_device(Stage::ttl, [] { return std::string("ends here"); });
    answer_time_exceeded(walk);
    return walk.drop_once(DropReason::ttl_exceeded);
  }
  walk.out = out;
  return filter_out(walk, router, *out) ? send_on(walk, router, *out, entry) : nullptr;
}

const PortView* route(Walk& walk, const RouterView& router) {
  const IpAddress destination = walk.key.ip_dst;
  if (is_link_local_v6(destination)) {
    if (!walk.in->has_address(destination)) return walk.drop(DropReason::no_route);
    deliver_locally(walk, router);
    return nullptr;
  }
  const FibEntry* entry = choose_route(walk, router, walk.key.ip_src, destination);
  if (entry == nullptr) return refuse(walk, DropReason::no_route, Unreachable::network);
  switch (entry->kind) {
    case NextHop::port:
      return forward(walk, router, *entry);
    case NextHop::local:
      deliver_locally(walk, router);
      return nullptr;
    case NextHop::blackhole:
      return walk.drop(DropReason::blackhole_route);
    case NextHop::reject:
      return refuse(walk, DropReason::reject_route, Unreachable::prohibited);
  }
  return walk.drop(DropReason::invalid_reference);
}

}  // namespace

const FibEntry* choose_route(Walk& walk, const RouterView& router, const IpAddress& source,
                             const IpAddress& destination) {
  walk.tag(tag::routes(router.id));
  walk.verdict.routed.push_back({router.id, destination});
  const bool with_ports = has_ports(walk.key);
  const routing::FibMatch match = router.fib.lookup(source, destination, connection_hash(walk.key, with_ports),
                                                    [&](PortId port) { walk.tag(tag::next_hop(port)); });
  if (match.candidates > 1 && with_ports) walk.verdict.mask.add({Field::l4_src, Field::l4_dst});
  if (match.entry == nullptr) {
    walk.note_device(Stage::route, [&] { return "none to " + destination.to_string(); });
    return nullptr;
  }
  walk.tag(tag::route(match.entry->id));
  if (match.entry->kind == NextHop::port) walk.tag(tag::next_hop(match.entry->port));
  walk.note_device(Stage::route, [&] {
    const std::string shared = match.candidates > 1 ? ", one of " + std::to_string(match.candidates) : "";
    return describe(walk, *match.entry) + shared;
  });
  return match.entry;
}

const PortView* through_router(Walk& walk, const RouterView& router) {
  walk.tag(tag::device(router.id));
  const FlowKey& key = walk.key;
  if (!router.admin_up) {
    answer_unreachable(walk, Unreachable::prohibited);
    return walk.drop(DropReason::device_down);
  }
  if (!walk.untagged) return walk.drop(DropReason::vlan_tagged_at_router);
  if (key.eth_dst.is_multicast()) {
    receive_group(walk, router);
    return nullptr;
  }
  if (key.eth_dst != walk.in->mac) return walk.drop(DropReason::not_for_router_mac);
  if (key.eth_type == ethertype::kArp) {
    receive_arp(walk, router);
    return nullptr;
  }
  if (!key.is_ip()) return walk.drop(DropReason::unsupported_ethertype);
  if (walk.neighbour_talk) {
    receive_neighbour_discovery(walk, router);
    return nullptr;
  }
  if (!accept_ip(walk) || take_check_answer(walk, router)) return nullptr;
  return filter_in(walk, router) ? route(walk, router) : nullptr;
}

bool filter_own(Walk& walk, const PortView& port) {
  const RouterView* router = walk.network().router(RouterId(port.device_id));
  // ARP, neighbour discovery and ICMP errors go out of the port that they are about.
  if (router == nullptr || !walk.key.is_ip() || is_neighbour_discovery(walk.key)) return true;
  if (parse_icmp_quote(walk.input.packet)) return true;
  const RuleContext context{nullptr, &port, router->id.uuid()};
  return filter(walk, router->forward_filter, context) && filter(walk, router->outbound_filter, context);
}

}  // namespace viaduct::flows::simulation
