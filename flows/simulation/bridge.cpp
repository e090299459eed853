// A bridge forwards by what it knows and floods what it does not (devices.md 1.3). Bridges here do not look at VLAN
// tags: all frames belong to VLAN 0.
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

void learn_source(Walk& walk, const BridgeView& bridge) {
  const MacAddress& src = walk.key.eth_src;
  if (src.is_zero()) return;
  // While a MAC is a router's or pinned, nothing is learned; when it is so no longer, its flows must not hide it.
  if (bridge.router_macs.find(src) != nullptr) return walk.tag(tag::flood_mac(bridge.id, kVlan, src));
  if (const PinnedMac* pinned = bridge.static_macs.find(src)) {
    return walk.tag(tag::mac(bridge.id, kVlan, src, pinned->port));
  }
  walk.tag(tag::mac(bridge.id, kVlan, src, walk.in->id));
  const MacKey key{bridge.id, kVlan, src};
  const auto known = walk.input.state.macs.find(key);
  walk.verdict.touches.push_back(key);
  if (known && known->port == walk.in->id) return;
  walk.verdict.writes.push_back(LearnMac{key, walk.in->id});
  walk.note_device(Stage::bridge_learn,
                   [&] { return src.to_string() + " is behind " + name_of(*walk.in) + (known ? ", moved" : ""); });
}

// The bridge's own rules, which are for untagged frames. False when the verdict is made.
bool filter(Walk& walk, const BridgeView& bridge, ChainId chain, const PortView* out) {
  if (!walk.untagged) return true;
  const Filtered filtered = apply_chain(walk, chain, {walk.in, out, bridge.id.uuid()});
  if (filtered == Filtered::reject) refuse_by_rule(walk, PortDevice::bridge);
  return filtered == Filtered::accept;
}

// To every usable port but the one where the frame came in, on this host and others. Never to routers: they are told by what bridges learn.
const PortView* flood(Walk& walk, const BridgeView& bridge) {
  walk.tag(tag::broadcast(bridge.id));
  walk.note_device(Stage::bridge_flood, [&] { return "for " + walk.key.eth_dst.to_string(); });
  if (!filter(walk, bridge, bridge.outbound_filter, nullptr)) return nullptr;
  track(walk, bridge.id.uuid());
  const RemoteFlooding elsewhere = plan_flood(walk, bridge.id);
  if (elsewhere.too_small != 0 && cut_for_tunnel(walk, elsewhere.too_small)) return nullptr;
  bridge.flood.for_each([&](const PortId& id, PortNumber) {
    const PortView* port = id == walk.in->id ? nullptr : walk.network().port(id);
    if (port != nullptr) walk.output(*port);
  });
  flood_to_hosts(walk, elsewhere);
  const bool any = !walk.verdict.actions.empty();
  if (elsewhere.too_small != 0) {
    tell_too_big_for_tunnel(walk, elsewhere.too_small);
    return any ? nullptr : walk.drop_once(DropReason::packet_too_big);
  }
  if (any) return nullptr;
  return walk.drop(elsewhere.hosts == nullptr ? DropReason::no_flood_targets : DropReason::no_tunnel_path);
}

// Where a MAC is, and how that is known; null when it is not, or when the port has gone and its entry is about to.
struct Location {
  const PortView* port = nullptr;
  const char* how = "";
};
Location at_port(Walk& walk, const BridgeView& bridge, PortId id, const char* how) {
  const PortView* port = walk.network().port(id);
  if (port == nullptr) walk.tag(tag::absent(id));
  if (port == nullptr || port->device_id != bridge.id.uuid()) return {};
  return {port, how};
}
Location locate(Walk& walk, const BridgeView& bridge, const MacAddress& mac) {
  if (const RouterLink* link = bridge.router_macs.find(mac)) return at_port(walk, bridge, link->bridge_port, "router");
  if (const PinnedMac* pinned = bridge.static_macs.find(mac)) return at_port(walk, bridge, pinned->port, "static");
  const auto learned = walk.input.state.macs.find({bridge.id, kVlan, mac});
  if (!learned) return {};
  walk.tag(tag::mac(bridge.id, kVlan, mac, learned->port));
  return at_port(walk, bridge, learned->port, "learned");
}

const PortView* unicast(Walk& walk, const BridgeView& bridge) {
  const MacAddress& dst = walk.key.eth_dst;
  // Held by flows to known MACs as well: a static entry or a router's port may take the MAC over.
  walk.tag(tag::flood_mac(bridge.id, kVlan, dst));
  if (dst == walk.key.eth_src) return walk.drop(DropReason::hairpin);
  const Location location = locate(walk, bridge, dst);
  if (location.port == nullptr) return flood(walk, bridge);
  walk.note_device(Stage::bridge_unicast,
                   [&] { return dst.to_string() + " is behind " + name_of(*location.port) + ", " + location.how; });
  if (location.port->id == walk.in->id) return walk.drop(DropReason::hairpin);
  return filter(walk, bridge, bridge.outbound_filter, location.port) ? location.port : nullptr;
}

}  // namespace

const PortView* through_bridge(Walk& walk, const BridgeView& bridge) {
  walk.tag(tag::device(bridge.id));
  if (!bridge.admin_up) return walk.drop(DropReason::device_down);
  if (walk.key.eth_src.is_multicast()) return walk.drop(DropReason::multicast_source_mac);
  const bool passes = filter(walk, bridge, bridge.inbound_filter, nullptr);
  learn_source(walk, bridge);  // also of what the rules drop
  if (!passes) return nullptr;
  if (walk.neighbour_talk && overhear(walk, bridge)) return nullptr;
  return walk.key.eth_dst.is_multicast() ? flood(walk, bridge) : unicast(walk, bridge);
}

}  // namespace viaduct::flows::simulation
