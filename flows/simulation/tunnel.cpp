// The way between hosts. A packet is simulated once, where it enters the virtual network; the host where it leaves
// forwards it by the tunnel's key alone.
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

// `what` is called only when somebody reads the trace.
template <std::invocable F>
void refuse(Walk& walk, DropReason reason, F&& what) {
  walk.note(DeviceKind::none, {}, Stage::drop, [&] { return std::string(to_string(reason)) + " " + what(); });
  walk.drop(reason);
}

// Null when there is none that can be used.
const TunnelPath* path_to(Walk& walk, HostId host) {
  walk.tag(tag::tunnel_path(host));
  const TunnelPath* path = walk.network().data().locations.paths.find(host);
  if (path != nullptr && path->port) return path;
  walk.note_device(Stage::next_hop, [&] { return "no tunnel to host " + name_of(walk.network(), host); });
  return nullptr;
}

// The bytes behind the inner Ethernet header and its VLAN tags that `path` takes; 0: any number.
uint16_t room_in(Walk& walk, const TunnelPath& path) {
  if (path.mtu == 0) return 0;
  const uint16_t l3_offset = walk.input.packet.l3_offset;
  const size_t tags = l3_offset > wire::eth::kBytes ? l3_offset - wire::eth::kBytes : 0;
  if (walk.key.is_tagged()) walk.verdict.mask.add(Field::inner_vlan);
  return static_cast<uint16_t>(path.mtu > tags ? path.mtu - tags : 1);
}

bool fits(const Walk& walk, uint16_t room) { return room == 0 || walk.input.packet.l3_segment_bytes() <= room; }

void arrive_for(Walk& walk, PortId id) {
  const PortView* port = walk.network().port(id);
  walk.tag(port == nullptr ? tag::absent(id) : tag::device(id));
  walk.at = {DeviceKind::port, id.uuid()};
  walk.out = port;
  if (port == nullptr || !port->number) return refuse(walk, DropReason::port_inactive, [&] { return id.to_string(); });
  walk.note_port(*port, Stage::port_out, [&] { return name_of(*port); });
  if (!port->admin_up) return refuse(walk, DropReason::port_down, [&] { return name_of(*port); });
  walk.tag(tag::datapath_port(port->number));
  walk.output(*port);
}

void arrive_for(Walk& walk, BridgeId id) {
  walk.at = {DeviceKind::bridge, id.uuid()};
  const BridgeView* bridge = walk.network().bridge(id);
  if (bridge == nullptr) {
    walk.tag(tag::absent(id));
    return refuse(walk, DropReason::device_missing, [&] { return id.to_string(); });
  }
  walk.tag(tag::device(id));
  walk.tag(tag::local_flood(id));
  walk.note(DeviceKind::bridge, id.uuid(), Stage::bridge_flood,
            [&] { return "from another host, for all ports here of " + bridge->name; });
  bridge->flood.for_each([&](const PortId& port, PortNumber) {
    if (const PortView* view = walk.network().port(port)) walk.output(*view);
  });
  if (walk.verdict.actions.empty()) refuse(walk, DropReason::no_flood_targets, [&] { return bridge->name; });
}

}  // namespace

// Matched by tunnel alone: what the sender has decided holds for every packet that it sends so, ARP among them.
void arrive_by_tunnel(Walk& walk) {
  const Tunnel& tunnel = walk.key.tunnel;
  const NetworkData& data = walk.network().data();
  walk.verdict.mask = {Field::in_port, Field::tunnel};
  walk.singular = false;
  if (!data.tunnel_ports.contains(walk.key.in_port)) {
    return refuse(walk, DropReason::unknown_port, [&] { return std::to_string(walk.key.in_port.value); });
  }
  walk.tag(tag::tunnel_peer(tunnel.src));
  const HostId* peer = data.peers.find(tunnel.src);
  if (peer == nullptr) return refuse(walk, DropReason::unknown_tunnel_peer, [&] { return tunnel.src.to_string(); });
  walk.other_host = *peer;
  walk.note(DeviceKind::none, {}, Stage::tunnel_in, [&] {
    return "from host " + name_of(walk.network(), *peer) + " key " + std::to_string(tunnel.key) + " from " +
           tunnel.src.to_string() + " to " + tunnel.dst.to_string();
  });
  walk.tag(tag::tunnel_key(tunnel.key));
  const LocalKey* what = data.locations.keys.find(tunnel.key);
  if (what == nullptr) {
    walk.singular = true;  // it may be published a moment later
    return refuse(walk, DropReason::unknown_tunnel_key, [&] { return std::to_string(tunnel.key); });
  }
  std::visit([&](const auto& id) { arrive_for(walk, id); }, *what);
}

void send_to_host(Walk& walk, const RemotePort& to) {
  walk.other_host = to.host;
  const TunnelPath* path = path_to(walk, to.host);
  if (path == nullptr) {
    walk.drop(DropReason::no_tunnel_path);
    return;
  }
  const uint16_t room = room_in(walk, *path);
  if (fits(walk, room)) {
    walk.limit_to(room);
    walk.output(to.host, *path, to.key);
  } else if (!cut_for_tunnel(walk, room)) {
    tell_too_big_for_tunnel(walk, room);
    walk.drop_once(DropReason::packet_too_big);
  }
}

RemoteFlooding plan_flood(Walk& walk, BridgeId bridge) {
  RemoteFlooding out;
  out.hosts = walk.network().data().locations.floods.find(bridge);
  if (out.hosts != nullptr && out.hosts->empty()) out.hosts = nullptr;
  if (out.hosts == nullptr) return out;
  for (const auto& [host, key] : *out.hosts) {
    const TunnelPath* path = path_to(walk, host);
    if (path == nullptr) {
      walk.other_host = host;
      continue;
    }
    const uint16_t room = room_in(walk, *path);
    if (fits(walk, room)) {
      walk.limit_to(room);
      continue;
    }
    walk.other_host = host;
    if (out.too_small == 0 || room < out.too_small) {
      out.too_small = room;
    }
  }
  return out;
}

void flood_to_hosts(Walk& walk, const RemoteFlooding& flooding) {
  if (flooding.hosts == nullptr) return;
  for (const auto& [host, key] : *flooding.hosts) {
    const TunnelPath* path = walk.network().data().locations.paths.find(host);
    if (path == nullptr || !path->port || !fits(walk, room_in(walk, *path))) continue;
    walk.output(host, *path, key);
    walk.verdict.peers.push_back(host);
  }
}

}  // namespace viaduct::flows::simulation
