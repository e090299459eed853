// Neighbour discovery at a router's port (RFC 4861 7.2). Routers take it in and never forward it.
//
//   solicitation   for an address of the port -> advertise (router, override; solicited unless it is DAD), and learn
//                  the asker from its link-layer option
//   advertisement  solicited (to this port) -> confirms; with override or for an unknown neighbour -> learn
//                  unsolicited -> only about neighbours that are known, and only with override
//   router solicitations, advertisements and redirects are for hosts
#include "flows/packet/build.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

bool may_teach(const PortView& port, const IpAddress& ip, const MacAddress& mac) {
  if (mac.is_multicast() || mac.is_zero() || ip.is_any() || ip.is_multicast()) return false;
  return !port.has_address(ip) && port.on_link(ip);
}

void learn(Walk& walk, const RouterView& router, const IpAddress& ip, const MacAddress& mac) {
  walk.verdict.writes.push_back(LearnNeighbour{{router.id.uuid(), walk.in->id, ip}, mac});
  walk.note_device(Stage::neighbour_discovery, [&] { return ip.to_string() + " is at " + mac.to_string(); });
}

void receive_solicitation(Walk& walk, const RouterView& router, const NeighbourDiscovery& nd) {
  if (!walk.in->has_address(nd.target)) {
    walk.drop(DropReason::neighbour_ignored);
    return;
  }
  const bool on_link = nd.is_dad() || walk.in->on_link(nd.source);
  if (!on_link || walk.in->has_address(nd.source)) {
    walk.drop(DropReason::neighbour_ignored);
    return;
  }
  if (nd.link_layer && may_teach(*walk.in, nd.source, *nd.link_layer)) learn(walk, router, nd.source, *nd.link_layer);
  walk.note_device(Stage::neighbour_discovery,
                   [&] { return nd.target.to_string() + " is here, at " + walk.in->mac.to_string(); });
  const MacAddress asker = nd.link_layer.value_or(walk.key.eth_src);
  walk.emit(*walk.in, make_neighbour_advertisement(nd, asker, walk.in->mac, NodeKind::router));
  walk.consume(DropReason::consumed_by_router);
}

// The MAC that an advertisement leaves its target with, if it says anything.
std::optional<MacAddress> taught(const NeighbourDiscovery& nd, const std::optional<NeighbourEntry>& known) {
  const bool usable = known && known->state != NeighbourState::failed;
  if (!usable) return nd.solicited ? nd.link_layer : std::nullopt;
  if (!nd.link_layer) return nd.solicited ? std::optional(known->mac) : std::nullopt;
  if (nd.override_ || *nd.link_layer == known->mac) return nd.link_layer;
  return std::nullopt;
}

void receive_advertisement(Walk& walk, const RouterView& router, const NeighbourDiscovery& nd) {
  const auto known = walk.input.state.neighbours.find({router.id.uuid(), walk.in->id, nd.target});
  const auto mac = taught(nd, known);
  if (!mac || !may_teach(*walk.in, nd.target, *mac)) {
    walk.drop(DropReason::neighbour_ignored);
    return;
  }
  learn(walk, router, nd.target, *mac);
  walk.consume(DropReason::consumed_by_router);
  tell_speaker(walk);
}

}  // namespace

void receive_neighbour_discovery(Walk& walk, const RouterView& router) {
  const auto nd = parse_neighbour_discovery(walk.input.packet);
  if (!nd) {
    walk.drop_once(DropReason::neighbour_ignored);
  } else if (nd->is_advertisement) {
    receive_advertisement(walk, router, *nd);
  } else {
    receive_solicitation(walk, router, *nd);
  }
}

}  // namespace viaduct::flows::simulation
