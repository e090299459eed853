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

StateLine nat_line(const flows::NatBlock& block, const topology::Snapshot& snapshot) {
  const bool of_bridge = snapshot.find(BridgeId(block.device)) != nullptr;
  const unsigned first = block.block * flows::kNatBlockPorts;
  return {{of_bridge ? Kind::bridge : Kind::router, block.device},
          "nat_block",
          block.address.to_string(),
          "ports " + std::to_string(first) + " to " + std::to_string(first + flows::kNatBlockPorts - 1),
          "leased",
          0};
}

std::string place_of(const topology::PoolMember& member) {
  const std::string address = member.address.to_string();
  return (member.address.is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(member.port);
}

double age(uint64_t since, WallTime wall) {
  const auto seconds = std::chrono::duration<double>(wall.time_since_epoch()).count() - static_cast<double>(since);
  return since == 0 ? 0 : std::max(0.0, seconds);
}

// Who checks it, and each member as that one has found it.
void add_health(const topology::HealthReport& report, const HostId* checker, const topology::Snapshot& snapshot,
                WallTime wall, std::vector<StateLine>& out) {
  const topology::ObjectRef pool{Kind::pool, report.pool.uuid()};
  std::string who = "nobody";
  if (checker != nullptr) who = checker->is_nil() ? "this host" : name_or_id(snapshot, {Kind::host, checker->uuid()});
  out.push_back({pool, "checker", who, "", checker == nullptr ? "away" : "checks", 0});
  for (const auto& health : report.members) {
    const auto* member = snapshot.find(health.member);
    if (member == nullptr) continue;
    const bool checked = health.result != topology::CheckResult::none;
    out.push_back({pool, "member", place_of(*member), topology::describe(health.result, health.detail),
                   !checked    ? "unchecked"
                   : health.up ? "up"
                               : "down",
                   age(health.since, wall)});
  }
}

}  // namespace

std::vector<StateLine> state_lines(const Uuid& device, const topology::Snapshot& snapshot, const AgentState& state,
                                   flows::Time now, WallTime wall) {
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
  state.nat_blocks.for_each([&](const flows::NatBlock& block) {
    if (wanted(block.device)) out.push_back(nat_line(block, snapshot));
  });
  const auto network = state.network.load();
  network->locations().health.for_each([&](PoolId pool, const auto& report) {
    if (wanted(pool.uuid())) add_health(*report, network->locations().checkers.find(pool), snapshot, wall, out);
  });
  std::sort(out.begin(), out.end(), [](const StateLine& a, const StateLine& b) {
    return std::tie(a.device, a.table, a.key, a.value) < std::tie(b.device, b.table, b.key, b.value);
  });
  return out;
}

}  // namespace viaduct::actors
