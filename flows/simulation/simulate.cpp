#include "flows/simulation/simulate.hpp"

#include "flows/packet/connection_fields.hpp"
#include "flows/simulation/walk.hpp"

namespace viaduct::flows::simulation {

namespace {

enum class AdminCheck : uint8_t {
  refuse_when_down,
  // What the agent sends by the port where the offending packet came in: a port that is down still says so.
  none,
};

// False when the verdict is made.
bool filter(Walk& walk, const PortView& port, ChainId chain, const RuleContext& context) {
  const Filtered filtered = apply_chain(walk, chain, context);
  if (filtered == Filtered::accept) return true;
  if (filtered == Filtered::reject) refuse_by_rule(walk, port.device);
  return false;
}

// Into the port's device and out of it again; the port by which the packet leaves, or null.
const PortView* ingress(Walk& walk, const PortView& port) {
  walk.enter(port);
  walk.tag(tag::device(port.id));
  walk.note_port(port, Stage::port_in, [&] { return name_of(port); });
  if (++walk.devices > kMaxDevices) return walk.drop(DropReason::too_many_devices);
  if (!port.admin_up) {
    if (port.device == PortDevice::router) answer_unreachable(walk, Unreachable::prohibited);
    return walk.drop(DropReason::port_down);
  }
  if (port.speaker.number && hand_to_speaker(walk, port)) return nullptr;
  if (!filter(walk, port, port.inbound_filter, {&port, nullptr, port.device_id})) return nullptr;
  walk.at = {};
  if (port.device == PortDevice::bridge) {
    const BridgeView* bridge = walk.network().bridge(BridgeId(port.device_id));
    if (bridge != nullptr) return through_bridge(walk, *bridge);
  } else {
    const RouterView* router = walk.network().router(RouterId(port.device_id));
    if (router != nullptr) return through_router(walk, *router);
  }
  walk.tag(tag::absent(port.device_id));
  return walk.drop(DropReason::device_missing);
}

// Out of the virtual network, or to the port at the other end of the link, which is returned.
const PortView* egress(Walk& walk, const PortView& port, AdminCheck check) {
  walk.out = &port;
  walk.stand_at(port);
  walk.tag(tag::device(port.id));
  walk.note_port(port, Stage::port_out, [&] { return name_of(port); });
  if (!port.admin_up && check == AdminCheck::refuse_when_down) return walk.drop(DropReason::port_down);
  if (!filter(walk, port, port.outbound_filter, {walk.in, &port, port.device_id})) return nullptr;
  if (port.exterior) {
    if (port.active_elsewhere() || port.number) track(walk, port.device_id);
    walk.verdict.ends.push_back(port.id);
    if (port.active_elsewhere()) {
      send_to_host(walk, port.remote);
      return nullptr;
    }
    if (!port.number) return walk.drop(DropReason::port_inactive);
    walk.tag(tag::datapath_port(port.number));
    walk.output(port);
    return nullptr;
  }
  if (port.peer.is_nil()) return walk.drop(DropReason::port_unplugged);
  const PortView* peer = walk.network().port(port.peer);
  if (peer == nullptr) {
    walk.tag(tag::absent(port.peer));
    return walk.drop(DropReason::device_missing);
  }
  if (port.device == PortDevice::bridge && peer->device == PortDevice::bridge) {
    walk.tag(tag::device(peer->id));
    walk.note_port(port, Stage::peer,
                   [&] { return "two bridges are linked, and bridges do not forward by VLAN yet: " + name_of(*peer); });
    return walk.drop(DropReason::port_unplugged);
  }
  walk.note_port(port, Stage::peer, [&] { return "linked to " + name_of(*peer); });
  return peer;
}

void walk_from(Walk& walk, const PortView* entry) {
  while (entry != nullptr) {
    const PortView* exit = ingress(walk, *entry);
    entry = exit == nullptr ? nullptr : egress(walk, *exit, AdminCheck::refuse_when_down);
  }
}

}  // namespace

void simulate(const Input& input, Verdict& verdict, Trace* trace) {
  verdict.reset();
  verdict.tcp_flags = tcp_flags(input.packet);
  Walk walk(input, verdict, trace);
  const PortNumber number = input.packet.key.in_port;
  walk.tag(tag::datapath_port(number));
  if (input.packet.bytes.size() < wire::eth::kBytes) {
    walk.drop_once(DropReason::malformed);
    return;
  }
  if (input.packet.key.tunnel.present()) {
    arrive_by_tunnel(walk);
    return;
  }
  const PortView* port = input.network.at(number);
  if (port == nullptr && input.network.data().tunnel_ports.contains(number)) {
    walk.note(DeviceKind::none, {}, Stage::drop, [] { return std::string("unknown_tunnel_key 0"); });
    walk.drop_once(DropReason::unknown_tunnel_key);
    return;
  }
  if (port == nullptr) {
    if (const PortView* own = input.network.spoken_for(number)) return leave_speaker(walk, *own);
    walk.note(DeviceKind::none, {}, Stage::drop, [&] { return "unknown_port " + std::to_string(number.value); });
    walk.drop(DropReason::unknown_port);
    return;
  }
  walk.first = port;
  walk_from(walk, port);
  name_peers(walk);
}

void simulate_emitted(const Input& input, PortId from, Verdict& verdict, Trace* trace) {
  verdict.reset();
  Walk walk(input, verdict, trace);
  walk.singular = true;  // no later packet comes from this device
  const PortView* port = input.network.port(from);
  if (port == nullptr) {
    walk.note(DeviceKind::none, {}, Stage::drop, [&] { return "unknown_port " + from.to_string(); });
    walk.drop(DropReason::unknown_port);
    return;
  }
  if (port->device == PortDevice::router && is_check(walk)) {
    const RouterView* router = input.network.router(RouterId(port->device_id));
    port = router == nullptr ? walk.drop(DropReason::device_missing) : send_check(walk, *router);
    if (port == nullptr) return;
  }
  walk.maker = walk.out = port;
  walk.at = {port->device == PortDevice::router ? DeviceKind::router : DeviceKind::bridge, port->device_id};
  if (port->device == PortDevice::router && !is_check(walk) && !filter_own(walk, *port)) return;
  walk_from(walk, egress(walk, *port, AdminCheck::none));
  name_peers(walk);
}

}  // namespace viaduct::flows::simulation
