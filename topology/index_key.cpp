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

void add_port_keys(const Port& port, std::vector<IndexKey>& keys) {
  if (port.is_interior()) keys.push_back(IndexKey::interior_ports_of(port.device()));
  if (port.on_bridge() && port.vlan != 0) keys.push_back(IndexKey::vlan_of(port.bridge, port.vlan));
  if (!port.on_router()) return;
  for (const IpPrefix& prefix : port.addresses) keys.push_back(IndexKey::router_address_of(prefix.address()));
  if (!port.mac.is_zero()) keys.push_back(IndexKey::router_mac_of(port.mac));
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
  if (const auto* port = std::get_if<Port>(&object)) {
    add_port_keys(*port, keys);
  } else if (const auto* mac = std::get_if<StaticMac>(&object)) {
    keys.push_back(IndexKey::static_mac_of(mac->bridge, mac->vlan, mac->mac));
  } else if (const auto* neighbour = std::get_if<StaticNeighbour>(&object)) {
    keys.push_back(IndexKey::static_neighbour_of(neighbour->bridge, neighbour->address));
  } else if (const auto* member = std::get_if<TunnelZoneHost>(&object)) {
    keys.push_back(IndexKey::tunnel_address_of(member->zone, member->address));
    keys.push_back(IndexKey::tunnel_family_of(member->zone, member->address.family()));
    keys.push_back(IndexKey::tunnel_member_of(member->zone, member->host));
  }
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
