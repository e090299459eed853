#include "topology/host_state.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace viaduct::topology {

namespace {

std::string joined(std::string_view table, std::initializer_list<std::string> parts) {
  std::string key(kStateKeyPrefix);
  key += table;
  for (const std::string& part : parts) key.append("/").append(part);
  return key;
}

struct KeyOf {
  HostId host;
  std::string operator()(const PortActive& it) const { return joined("port", {it.port.to_string()}); }
  std::string operator()(const FloodKey& it) const {
    return joined("flood", {it.bridge.to_string(), host.to_string()});
  }
  std::string operator()(const MacClaim& it) const {
    return joined("mac", {it.bridge.to_string(), std::to_string(it.vlan), it.mac.to_string()});
  }
  std::string operator()(const NeighbourClaim& it) const {
    return joined("neighbour", {it.device.to_string(), it.port.to_string(), it.address.to_string()});
  }
  std::string operator()(const HostSession&) const { return session_key(host); }
  std::string operator()(const NatBlockClaim& it) const {
    return joined("nat_block", {it.device.to_string(), it.address.to_string(), std::to_string(it.block)});
  }
  std::string operator()(const LearnedRoutes& it) const {
    return joined("learned_routes", {it.port.to_string(), it.gateway.to_string(), std::to_string(it.part)});
  }
  std::string operator()(const GatewayLost& it) const {
    return joined("gateway_lost", {it.port.to_string(), it.gateway.to_string()});
  }
  std::string operator()(const HostInterface& it) const { return joined("interface", {host.to_string(), it.name}); }
  std::string operator()(const HealthReport& it) const { return joined("pool_health", {it.pool.to_string()}); }
};
constexpr std::array<std::string_view, std::variant_size_v<HostFact>> kTables = {
    "port",        "flood",          "mac",          "neighbour", "host", "nat_block",
    "pool_health", "learned_routes", "gateway_lost", "interface"};

}  // namespace

std::string session_key(HostId host) { return joined("host", {host.to_string()}); }

std::string_view state_table(std::string_view key) {
  if (!key.starts_with(kStateKeyPrefix)) return {};
  key.remove_prefix(kStateKeyPrefix.size());
  return key.substr(0, key.find('/'));
}

std::string_view state_port(std::string_view key) {
  static constexpr std::array<std::string_view, 3> kOfPorts = {"port", "learned_routes", "gateway_lost"};
  const std::string_view table = state_table(key);
  if (std::find(kOfPorts.begin(), kOfPorts.end(), table) == kOfPorts.end()) return {};
  key.remove_prefix(std::min(key.size(), kStateKeyPrefix.size() + table.size() + 1));
  return key.substr(0, key.find('/'));
}

bool is_known_state(std::string_view key) {
  return std::find(kTables.begin(), kTables.end(), state_table(key)) != kTables.end();
}

std::string state_key(const StateEntry& entry) { return std::visit(KeyOf{entry.host}, entry.fact); }

}  // namespace viaduct::topology
