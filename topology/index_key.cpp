#include "topology/index_key.hpp"

#include <algorithm>
#include <functional>

namespace viaduct::topology {
namespace {

constexpr uint64_t kMultiplier = 0x9e37'79b9'7f4a'7c15ULL;

Uuid::Bytes bytes_of(MacAddress mac) {
  Uuid::Bytes bytes{};
  std::copy(mac.bytes().begin(), mac.bytes().end(), bytes.begin());
  return bytes;
}

template <class Key>
std::vector<Key> sorted_unique(std::vector<Key> keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

uint16_t number_of(const IpPrefix& prefix) {
  return static_cast<uint16_t>(static_cast<int>(prefix.family()) << 8 | prefix.length());
}

using Keys = std::vector<IndexKey>;

void add_keys(const auto&, Keys&) {}
void add_keys(const Port& port, Keys& keys) {
  if (port.is_interior()) keys.push_back(IndexKey::interior_ports_of(port.device()));
  if (port.on_bridge() && port.vlan != 0) keys.push_back(IndexKey::vlan_of(port.bridge, port.vlan));
  if (!port.on_router()) return;
  for (const IpPrefix& prefix : port.addresses) {
    keys.push_back(IndexKey::router_address_of(prefix.address()));
    keys.push_back(IndexKey::router_family_of(port.router, prefix.family()));
  }
  if (!port.mac.is_zero()) keys.push_back(IndexKey::router_mac_of(port.mac));
}
void add_keys(const Route& route, Keys& keys) {
  keys.push_back(IndexKey::router_family_of(route.router, route.destination.family()));
}
void add_keys(const StaticMac& entry, Keys& keys) {
  keys.push_back(IndexKey::static_mac_of(entry.bridge, entry.vlan, entry.mac));
}
void add_keys(const StaticNeighbour& entry, Keys& keys) {
  keys.push_back(IndexKey::static_neighbour_of(entry.bridge, entry.address));
}
void add_keys(const TunnelZoneHost& member, Keys& keys) {
  keys.push_back(IndexKey::tunnel_address_of(member.zone, member.address));
  keys.push_back(IndexKey::tunnel_family_of(member.zone, member.address.family()));
  keys.push_back(IndexKey::tunnel_member_of(member.zone, member.host));
}
void add_keys(const Rule& rule, Keys& keys) { keys.push_back(IndexKey::rule_at(rule.chain, rule.position)); }
void add_keys(const PortGroupPort& member, Keys& keys) {
  keys.push_back(IndexKey::port_group_port_of(member.group, member.port));
}
void add_keys(const IpGroupAddress& member, Keys& keys) {
  keys.push_back(IndexKey::ip_group_address_of(member.group, member.prefix));
}
void add_keys(const PoolMember& member, Keys& keys) {
  keys.push_back(IndexKey::pool_member_of(member.pool, member.address, member.port));
  keys.push_back(IndexKey::pool_family_of(member.pool, member.address.family()));
}
void add_keys(const Vip& vip, Keys& keys) {
  keys.push_back(IndexKey::vip_of(vip.pool, vip.address, vip.port));
  keys.push_back(IndexKey::pool_family_of(vip.pool, vip.address.family()));
}
void add_keys(const BgpPeer& peer, Keys& keys) { keys.push_back(IndexKey::bgp_peer_of(peer.router, peer.address)); }
void add_keys(const BgpNetwork& network, Keys& keys) {
  keys.push_back(IndexKey::bgp_network_of(network.router, network.prefix));
}

}  // namespace

IndexKey IndexKey::referrers_of(Reference reference, const Uuid& target) {
  return {Name::referrer, static_cast<uint16_t>(reference), target, {}};
}
IndexKey IndexKey::interior_ports_of(const Uuid& device) { return {Name::interior_port, 0, device, {}}; }
IndexKey IndexKey::vlan_of(BridgeId bridge, uint16_t vlan) { return {Name::bridge_vlan, vlan, bridge.uuid(), {}}; }
IndexKey IndexKey::router_address_of(const IpAddress& address) {
  return {Name::router_address, static_cast<uint16_t>(address.family()), {}, address.storage()};
}
IndexKey IndexKey::router_mac_of(MacAddress mac) { return {Name::router_mac, 0, {}, bytes_of(mac)}; }
IndexKey IndexKey::static_mac_of(BridgeId bridge, uint16_t vlan, MacAddress mac) {
  return {Name::static_mac, vlan, bridge.uuid(), bytes_of(mac)};
}
IndexKey IndexKey::static_neighbour_of(BridgeId bridge, const IpAddress& address) {
  return {Name::static_neighbour, static_cast<uint16_t>(address.family()), bridge.uuid(), address.storage()};
}

IndexKey IndexKey::tunnel_address_of(TunnelZoneId zone, const IpAddress& address) {
  return {Name::tunnel_address, static_cast<uint16_t>(address.family()), zone.uuid(), address.storage()};
}
IndexKey IndexKey::tunnel_family_of(TunnelZoneId zone, IpFamily family) {
  return {Name::tunnel_family, static_cast<uint16_t>(family), zone.uuid(), {}};
}
IndexKey IndexKey::tunnel_member_of(TunnelZoneId zone, HostId host) {
  return {Name::tunnel_member, 0, zone.uuid(), host.uuid().bytes()};
}
IndexKey IndexKey::router_family_of(RouterId router, IpFamily family) {
  return {Name::router_family, static_cast<uint16_t>(family), router.uuid(), {}};
}
IndexKey IndexKey::rule_at(ChainId chain, uint32_t position) {
  return {Name::rule_position, 0, chain.uuid(), Uuid::from_words(position, 0).bytes()};
}
IndexKey IndexKey::port_group_port_of(PortGroupId group, PortId port) {
  return {Name::port_group_port, 0, group.uuid(), port.uuid().bytes()};
}
IndexKey IndexKey::ip_group_address_of(IpGroupId group, const IpPrefix& prefix) {
  return {Name::ip_group_address, number_of(prefix), group.uuid(), prefix.address().storage()};
}
IndexKey IndexKey::pool_member_of(PoolId pool, const IpAddress& address, uint16_t port) {
  return {Name::pool_member, port, pool.uuid(), address.storage()};
}
IndexKey IndexKey::pool_family_of(PoolId pool, IpFamily family) {
  return {Name::pool_family, static_cast<uint16_t>(family), pool.uuid(), {}};
}
IndexKey IndexKey::vip_of(PoolId pool, const IpAddress& address, uint16_t port) {
  return {Name::vip, port, pool.uuid(), address.storage()};
}
IndexKey IndexKey::bgp_peer_of(RouterId router, const IpAddress& address) {
  return {Name::bgp_peer, static_cast<uint16_t>(address.family()), router.uuid(), address.storage()};
}
IndexKey IndexKey::bgp_network_of(RouterId router, const IpPrefix& prefix) {
  return {Name::bgp_network, number_of(prefix), router.uuid(), prefix.address().storage()};
}

size_t IndexKeyHash::operator()(const IndexKey& key) const noexcept {
  const std::hash<Uuid> hash;
  uint64_t mixed = hash(key.scope) * kMultiplier + hash(Uuid(key.value));
  mixed = (mixed ^ mixed >> 32) * kMultiplier;
  return mixed + (uint64_t{key.number} << 8 | static_cast<uint8_t>(key.name));
}

size_t TextKeyHash::operator()(const TextKey& key) const noexcept {
  const uint64_t scope = std::hash<Uuid>{}(key.scope) + static_cast<uint8_t>(key.kind);
  return (scope * kMultiplier) ^ std::hash<std::string>{}(key.text);
}

std::vector<IndexKey> index_keys_of(const Object& object) {
  std::vector<IndexKey> keys;
  for_each_reference(object, [&](Reference reference, const Uuid& target) {
    keys.push_back(IndexKey::referrers_of(reference, target));
  });
  std::visit([&](const auto& value) { add_keys(value, keys); }, object);
  return sorted_unique(std::move(keys));
}

std::vector<TextKey> text_keys_of(const Object& object) {
  std::vector<TextKey> keys;
  if (auto name = name_of(object); !name.empty()) keys.push_back(TextKey::name_of(kind_of(object), name));
  const auto* port = std::get_if<Port>(&object);
  if (port != nullptr && port->is_exterior()) keys.push_back(TextKey::binding_of(port->host, port->interface));
  return sorted_unique(std::move(keys));
}

}  // namespace viaduct::topology
