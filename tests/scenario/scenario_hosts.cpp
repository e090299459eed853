#include "scenario_hosts.hpp"

namespace viaduct::scenario {

using flows::simulation::Bindings;
using flows::simulation::Locations;
using flows::simulation::Moved;

namespace {

constexpr uint32_t kPortKeys = 0x1000, kBridgeKeys = 0x80'0000, kGeneration = 0x1'0000;

}  // namespace

IpAddress ScenarioHosts::address(int host) const {
  const std::string number = std::to_string(host + 1);
  return *IpAddress::parse(family == IpFamily::v4 ? "192.0.2." + number : "2001:db8:a::" + number);
}

int ScenarioHosts::host_at(const IpAddress& wanted) const {
  for (int host = 0; host < count_; ++host) {
    if (address(host) == wanted) return host;
  }
  return -1;
}

int ScenarioHosts::add(PortId port) {
  turns_.emplace(port, static_cast<int>(turns_.size()));
  return host_of(port);
}

int ScenarioHosts::host_of(PortId port) const {
  const auto placed = places_.find(port);
  if (placed != places_.end()) return placed->second;
  const auto turn = turns_.find(port);
  return turn == turns_.end() ? 0 : turn->second % count_;
}

void ScenarioHosts::place(PortId port, int host) {
  if (host_of(port) == host) return;
  places_[port] = host;
  rekey(port.uuid());
}

uint32_t ScenarioHosts::generation(const Uuid& id) const {
  const auto found = generations_.find(id);
  return found == generations_.end() ? 0 : found->second % 64 * kGeneration;
}

uint32_t ScenarioHosts::key_of(PortId port) const {
  const auto turn = turns_.find(port);
  return kPortKeys + (turn == turns_.end() ? 0 : static_cast<uint32_t>(turn->second)) + generation(port.uuid());
}

uint32_t ScenarioHosts::flood_key(BridgeId bridge, int host) const {
  const auto number = static_cast<uint32_t>(bridge.uuid().low() & 0xff);
  return kBridgeKeys + number * 16 + static_cast<uint32_t>(host) + generation(bridge.uuid());
}

uint16_t ScenarioHosts::mtu_between(int from, int to) const {
  const auto own = path_mtus.find({from, to});
  return own == path_mtus.end() ? mtu : own->second;
}

Locations ScenarioHosts::locations(int host, const topology::Snapshot& snapshot, const Bindings& active) const {
  Locations out;
  out.copy_dscp = copy_dscp;
  std::map<BridgeId, std::set<int>> bridges;
  active.for_each([&](const PortId& id, flows::PortNumber number) {
    const int at = host_of(id);
    const topology::Port* port = snapshot.find(id);
    const bool bound = port != nullptr && port->is_exterior() && port->host == ScenarioHosts::id(at);
    if (at != host) out.remote = out.remote.insert(id, {ScenarioHosts::id(at), key_of(id)});
    if (!bound) return;
    if (port->on_bridge()) bridges[port->bridge].insert(at);
    if (at != host) return;
    out.bindings = out.bindings.insert(id, number);
    out.keys = out.keys.insert(key_of(id), id);
  });
  for (const auto& [bridge, places] : bridges) {
    flows::simulation::RemoteFlood flood;
    for (int at : places) {
      if (at != host) flood[id(at)] = flood_key(bridge, at);
    }
    if (places.count(host) != 0) out.keys = out.keys.insert(flood_key(bridge, host), bridge);
    if (!flood.empty()) out.floods = out.floods.insert(bridge, flood);
  }
  for (int other = 0; other < count_; ++other) {
    if (other == host || cut.count({host, other}) != 0) continue;
    out.paths =
        out.paths.insert(id(other), {kTunnelPort, address(host), address(other), mtu_between(host, other), alive});
  }
  return out;
}

Moved moved(const Locations& before, const Locations& after) {
  Moved out;
  const auto note = [](auto& list) {
    return [&list](const auto& key, const auto*, const auto*) { list.push_back(key); };
  };
  Bindings::diff(before.bindings, after.bindings, note(out.ports));
  decltype(before.remote)::diff(before.remote, after.remote, note(out.ports));
  decltype(before.speakers)::diff(before.speakers, after.speakers, note(out.ports));
  decltype(before.learned)::diff(before.learned, after.learned, note(out.ports));
  decltype(before.floods)::diff(before.floods, after.floods, note(out.bridges));
  decltype(before.paths)::diff(before.paths, after.paths, note(out.hosts));
  decltype(before.keys)::diff(before.keys, after.keys, note(out.keys));
  decltype(before.unhealthy)::diff(before.unhealthy, after.unhealthy, note(out.members));
  return out;
}

}  // namespace viaduct::scenario
