#include "actors/admin/state_lines.hpp"

#include <algorithm>
#include <tuple>

namespace viaduct::actors {

using topology::Kind;

namespace {

double age(flows::Time then, flows::Time now) { return std::chrono::duration<double>(now - then).count(); }

std::string_view name_of(flows::NeighbourState state) {
  switch (state) {
    case flows::NeighbourState::reachable:
      return "fresh";
    case flows::NeighbourState::stale:
      return "stale";
    case flows::NeighbourState::failed:
      return "failed";
  }
  return "unknown";
}

std::string mac_key(const MacAddress& mac, uint16_t vlan) {
  return vlan == 0 ? mac.to_string() : mac.to_string() + " vlan " + std::to_string(vlan);
}

void add_static(const topology::Bridge& bridge, const topology::Snapshot& snapshot, std::vector<StateLine>& out) {
  topology::ObjectRef ref{Kind::bridge, bridge.id.uuid()};
  snapshot.for_each_static_mac_of(bridge.id, [&](const topology::StaticMac& entry) {
    out.push_back({ref, "mac", mac_key(entry.mac, entry.vlan), name_or_id(snapshot, {Kind::port, entry.port.uuid()}),
                   "static", 0});
  });
  snapshot.for_each_static_neighbour_of(bridge.id, [&](const topology::StaticNeighbour& entry) {
    out.push_back({ref, "arp", entry.address.to_string(), entry.mac.to_string(), "static", 0});
  });
}

}  // namespace

std::vector<StateLine> state_lines(const Uuid& device, const topology::Snapshot& snapshot, const AgentState& state,
                                   flows::Time now) {
  std::vector<StateLine> out;
  auto wanted = [&](const Uuid& id) { return device.is_nil() || id == device; };
  snapshot.for_each(Kind::bridge, [&](const topology::Object& object) {
    const auto& bridge = std::get<topology::Bridge>(object);
    if (wanted(bridge.id.uuid())) add_static(bridge, snapshot, out);
  });
  state.macs.for_each([&](const flows::MacKey& key, const flows::MacEntry& entry) {
    if (!wanted(key.bridge.uuid())) return;
    out.push_back({{Kind::bridge, key.bridge.uuid()},
                   "mac",
                   mac_key(key.mac, key.vlan),
                   name_or_id(snapshot, {Kind::port, entry.port.uuid()}),
                   "learned",
                   age(entry.last_seen, now)});
  });
  state.neighbours.for_each([&](const flows::NeighbourKey& key, const flows::NeighbourEntry& entry) {
    if (!wanted(key.device)) return;
    bool of_bridge = key.port.is_nil();
    std::string where = of_bridge ? "" : " on " + name_or_id(snapshot, {Kind::port, key.port.uuid()});
    out.push_back({{of_bridge ? Kind::bridge : Kind::router, key.device},
                   of_bridge ? "arp" : "neighbour",
                   key.address.to_string() + where,
                   entry.state == flows::NeighbourState::failed ? "" : entry.mac.to_string(),
                   std::string(name_of(entry.state)),
                   age(entry.confirmed, now)});
  });
  std::sort(out.begin(), out.end(), [](const StateLine& a, const StateLine& b) {
    return std::tie(a.device, a.table, a.key) < std::tie(b.device, b.table, b.key);
  });
  return out;
}

}  // namespace viaduct::actors
