// ARP at a router's port (devices.md 1.4; RFC 826, RFC 5227).
//
//   request  from the port's subnet: for another's own address (gratuitous) -> learn;
//            for the port's address -> learn and reply
//            from 0.0.0.0 (a probe) for the port's address -> reply, learn nothing
//   reply    from the port's subnet, gratuitous or to the port's address and MAC -> learn
//   all else is ignored: whoever is not on the link, or was not asked, teaches a router nothing
#include "flows/packet/build.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

bool may_teach(const PortView& port, const Arp& arp) {
  if (arp.sender_mac.is_multicast() || arp.sender_mac.is_zero() || arp.sender_ip.is_any()) return false;
  return !port.has_address(arp.sender_ip) && port.on_link(arp.sender_ip);
}

void learn(Walk& walk, const RouterView& router, const Arp& arp) {
  walk.verdict.writes.push_back(LearnNeighbour{{router.id.uuid(), walk.in->id, arp.sender_ip}, arp.sender_mac});
  walk.note_device(Stage::arp, [&] { return arp.sender_ip.to_string() + " is at " + arp.sender_mac.to_string(); });
  walk.consume(DropReason::consumed_by_router);
}

void receive_request(Walk& walk, const RouterView& router, const Arp& arp) {
  const bool teaches = may_teach(*walk.in, arp);
  if (arp.is_gratuitous()) {
    teaches ? learn(walk, router, arp) : void(walk.drop(DropReason::neighbour_ignored));
    return;
  }
  const bool for_us = walk.in->has_address(arp.target_ip);
  if (!for_us || !(teaches || arp.sender_ip.is_any())) {
    walk.drop(DropReason::neighbour_ignored);
    return;
  }
  if (teaches) learn(walk, router, arp);
  walk.note_device(Stage::arp, [&] { return arp.target_ip.to_string() + " is here, at " + walk.in->mac.to_string(); });
  walk.emit(*walk.in, make_arp_reply(arp, walk.in->mac));
  walk.consume(DropReason::consumed_by_router);
}

void receive_reply(Walk& walk, const RouterView& router, const Arp& arp) {
  const bool announced = arp.is_gratuitous();
  const bool to_us = walk.in->has_address(arp.target_ip) && arp.target_mac == walk.in->mac;
  if (may_teach(*walk.in, arp) && (announced || to_us)) {
    learn(walk, router, arp);
    tell_speaker(walk);
  } else {
    walk.drop(DropReason::neighbour_ignored);
  }
}

}  // namespace

void receive_arp(Walk& walk, const RouterView& router) {
  const auto arp = parse_arp(walk.input.packet);
  if (!arp) {
    walk.drop_once(DropReason::malformed);
  } else if (arp->operation == Arp::request) {
    receive_request(walk, router, *arp);
  } else {
    receive_reply(walk, router, *arp);
  }
}

}  // namespace viaduct::flows::simulation
