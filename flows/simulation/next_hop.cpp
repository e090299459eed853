// Who is the next hop on a link. Asked in this order, so that nobody asks by ARP what is known (devices.md 1.4, "Peer
// shortcut"): a router at the other end of the link; behind a bridge its routers, its static entries and what it has
// overheard; at last the router's own neighbours. The tags of `out` and its peer are added when the packet gets there.
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

using HopKind = NextHopAnswer::Kind;

NextHopAnswer found(Walk& walk, const IpAddress& next_hop, const MacAddress& mac, const char* how) {
  walk.note_device(Stage::next_hop, [&] { return next_hop.to_string() + " is at " + mac.to_string() + ", " + how; });
  return {HopKind::found, mac};
}

// Nothing when the table knows no usable entry.
std::optional<NextHopAnswer> from_table(Walk& walk, const NeighbourKey& key, const NeighbourWanted& wanted,
                                        const char* how) {
  walk.tag(tag_of(key));
  const auto entry = walk.input.state.neighbours.find(key);
  if (!entry || entry->state == NeighbourState::failed) return std::nullopt;
  walk.verdict.touches.push_back(key);
  if (entry->state == NeighbourState::stale) {
    walk.verdict.refresh.push_back(wanted);
    return found(walk, key.address, entry->mac, "stale");
  }
  return found(walk, key.address, entry->mac, how);
}

// What the link's other end knows.
std::optional<NextHopAnswer> from_peer(Walk& walk, const PortView& peer, const IpAddress& next_hop,
                                       const NeighbourWanted& wanted) {
  if (peer.device == PortDevice::router) return found(walk, next_hop, peer.mac, "linked router");
  const BridgeView* bridge = walk.network().bridge(BridgeId(peer.device_id));
  if (bridge == nullptr) return std::nullopt;
  const NeighbourKey key{bridge->id.uuid(), PortId{}, next_hop};
  if (const RouterLink* link = bridge->router_addresses.find(next_hop)) {
    walk.tag(tag_of(key));
    return found(walk, next_hop, link->mac, "router on the bridge");
  }
  if (const PinnedNeighbour* pinned = bridge->static_neighbours.find(next_hop)) {
    walk.tag(tag_of(key));
    return found(walk, next_hop, pinned->mac, "static on the bridge");
  }
  return from_table(walk, key, wanted, "learned by the bridge");
}

}  // namespace

NextHopAnswer resolve_next_hop(Walk& walk, const RouterView& router, const PortView& out, const IpAddress& next_hop) {
  const NeighbourWanted wanted{router.id, out.id, next_hop};
  const PortView* peer = out.peer.is_nil() ? nullptr : walk.network().port(out.peer);
  const bool linked_router = peer != nullptr && peer->device == PortDevice::router;
  if (!linked_router && !out.on_link(next_hop)) {
    walk.note_device(Stage::next_hop, [&] { return next_hop.to_string() + " is not on the link of " + name_of(out); });
    return {HopKind::unreachable, {}};
  }
  if (peer == nullptr && !out.peer.is_nil()) walk.tag(tag::absent(out.peer));
  if (peer != nullptr) {
    if (const auto answer = from_peer(walk, *peer, next_hop, wanted)) return *answer;
  }
  const NeighbourKey key{router.id.uuid(), out.id, next_hop};
  if (const auto answer = from_table(walk, key, wanted, "neighbour")) return *answer;
  const auto entry = walk.input.state.neighbours.find(key);
  const bool failed = entry && entry->state == NeighbourState::failed;
  walk.note_device(Stage::next_hop,
                   [&] { return next_hop.to_string() + (failed ? " does not answer" : " is unknown"); });
  return {failed || walk.input.give_up ? HopKind::unreachable : HopKind::wanted, {}};
}

}  // namespace viaduct::flows::simulation
