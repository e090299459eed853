// Packets for the router itself: it answers pings (RFC 1122 3.2.2.6, RFC 4443 4.2) and refuses the rest.
//
// Fragments of pings are answered one by one, for nothing here keeps packets. A later one may be of anything, so these
// answers count as errors do: they are limited, and what the agent itself has made is not answered.
#include "flows/packet/build.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

bool is_echo_request(const FlowKey& key) {
  if (key.l4_dst != 0) return false;
  return key.eth_type == ethertype::kIpv4
             ? key.ip_proto == ip_proto::kIcmp && key.l4_src == wire::icmp::kEchoRequest
             : key.ip_proto == ip_proto::kIcmpv6 && key.l4_src == wire::icmpv6::kEchoRequest;
}

// The way back of an answer: the port, and the MAC behind it. Null when there is none now; the verdict says why.
struct WayBack {
  const PortView* port = nullptr;
  MacAddress mac;
};
WayBack way_back(Walk& walk, const RouterView& router) {
  const IpAddress to = walk.key.ip_src;
  if (to.is_v6() && to.is_link_local()) return {walk.in, walk.key.eth_src};
  const routing::FibEntry* entry = choose_route(walk, router, walk.key.ip_dst, to);
  const PortView* out =
      entry == nullptr || entry->kind != topology::NextHop::port ? nullptr : walk.network().port(entry->port);
  if (out == nullptr) {
    walk.drop_once(DropReason::no_route);
    return {};
  }
  const IpAddress next_hop = entry->gateway.value_or(to);
  const NextHopAnswer answer = resolve_next_hop(walk, router, *out, next_hop);
  if (answer.kind == NextHopAnswer::Kind::found) return {out, answer.mac};
  if (answer.kind == NextHopAnswer::Kind::wanted) {
    walk.park(NeighbourWanted{router.id, out->id, next_hop});
  } else {
    walk.out = out;
    walk.next_hop = next_hop;
    walk.drop_once(DropReason::next_hop_unresolved);
  }
  return {};
}

// What may be a part of a ping, and not the first.
bool is_later_icmp_fragment(const Walk& walk) {
  const FlowKey& key = walk.key;
  if (key.fragment != Fragment::later || !walk.input.packet.key.in_port) return false;
  return key.ip_proto == (key.eth_type == ethertype::kIpv4 ? ip_proto::kIcmp : ip_proto::kIcmpv6);
}

void answer_echo(Walk& walk, const RouterView& router) {
  const Packet& request = walk.input.packet;
  auto reply = walk.key.fragment == Fragment::none ? make_echo_reply(request) : make_echo_reply_fragment(request);
  if (!reply) {
    walk.drop_once(DropReason::not_to_local_service);
    return;
  }
  const WayBack back = way_back(walk, router);
  if (back.port == nullptr) return;
  wire::store_mac(reply->data() + wire::eth::kSrc, back.port->mac);
  wire::store_mac(reply->data() + wire::eth::kDst, back.mac);
  walk.note_device(Stage::local_delivery,
                   [&] { return "echo reply " + walk.key.ip_dst.to_string() + " > " + walk.key.ip_src.to_string(); });
  walk.emit(*back.port, std::move(*reply),
            walk.key.fragment == Fragment::later ? EmittedPacket::Limit::icmp_error : EmittedPacket::Limit::none);
  walk.consume(DropReason::consumed_by_router);
}

}  // namespace

void deliver_locally(Walk& walk, const RouterView& router) {
  const FlowKey& key = walk.key;
  const bool icmp = key.ip_proto == ip_proto::kIcmp || key.ip_proto == ip_proto::kIcmpv6;
  if (icmp) walk.verdict.mask.add({Field::l4_src, Field::l4_dst});
  if (is_echo_request(key) || is_later_icmp_fragment(walk)) {
    answer_echo(walk, router);
    return;
  }
  walk.note_device(Stage::local_delivery, [&] { return "nothing answers protocol " + std::to_string(key.ip_proto); });
  if (key.ip_proto == ip_proto::kUdp) {
    answer_unreachable(walk, Unreachable::port);
    walk.drop_once(DropReason::not_to_local_service);
    return;
  }
  walk.drop(DropReason::not_to_local_service);
}

}  // namespace viaduct::flows::simulation
