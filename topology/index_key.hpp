// What the snapshot's indexes are keyed by. Each key of an object leads back to it; several objects may have one key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "topology/model/object.hpp"
#include "topology/reference.hpp"

namespace viaduct::topology {

// Keys of fixed size.
struct IndexKey {
  enum class Name : uint8_t {
    referrer,          // scope: target; number: Reference
    interior_port,     // scope: device
    bridge_vlan,       // scope: bridge; number: VLAN
    router_address,    // value: address of a router port; number: family
    router_mac,        // value: MAC address of a router port
    static_mac,        // scope: bridge; number: VLAN; value: MAC address
    static_neighbour,  // scope: bridge; number: family; value: address
    tunnel_address,    // scope: zone; number: family; value: address
    tunnel_family,     // scope: zone; number: family
    tunnel_member,     // scope: zone; value: host
    router_family,     // scope: router; number: family: of an address of a port, or of a route
    rule_position,     // scope: chain; value: position
    port_group_port,   // scope: group; value: port
    ip_group_address,  // scope: group; number: prefix length; value: address
    pool_member,       // scope: pool; number: port; value: address
    pool_family,       // scope: pool; number: family: of a member or a VIP
    vip,               // scope: pool; number: port; value: address
    bgp_peer,          // scope: router; number: family; value: address
    bgp_network,       // scope: router; number: family and prefix length; value: address
  };

  Name name = Name::referrer;
  uint16_t number = 0;
  Uuid scope;
  Uuid::Bytes value{};
  friend auto operator<=>(const IndexKey&, const IndexKey&) = default;

  static IndexKey referrers_of(Reference reference, const Uuid& target);
  static IndexKey interior_ports_of(const Uuid& device);
  static IndexKey vlan_of(BridgeId bridge, uint16_t vlan);
  static IndexKey router_address_of(const IpAddress& address);
  static IndexKey router_mac_of(MacAddress mac);
  static IndexKey static_mac_of(BridgeId bridge, uint16_t vlan, MacAddress mac);
  static IndexKey static_neighbour_of(BridgeId bridge, const IpAddress& address);
  static IndexKey tunnel_address_of(TunnelZoneId zone, const IpAddress& address);
  static IndexKey tunnel_family_of(TunnelZoneId zone, IpFamily family);
  static IndexKey tunnel_member_of(TunnelZoneId zone, HostId host);
  static IndexKey router_family_of(RouterId router, IpFamily family);
  static IndexKey rule_at(ChainId chain, uint32_t position);
  static IndexKey port_group_port_of(PortGroupId group, PortId port);
  static IndexKey ip_group_address_of(IpGroupId group, const IpPrefix& prefix);
  static IndexKey pool_member_of(PoolId pool, const IpAddress& address, uint16_t port);
  static IndexKey pool_family_of(PoolId pool, IpFamily family);
  static IndexKey vip_of(PoolId pool, const IpAddress& address, uint16_t port);
  static IndexKey bgp_peer_of(RouterId router, const IpAddress& address);
  static IndexKey bgp_network_of(RouterId router, const IpPrefix& prefix);
};

// Keys with text: names (scope nil) and bindings (kind port; scope: host; text: interface).
struct TextKey {
  Kind kind = Kind::host;
  Uuid scope;
  std::string text;
  friend auto operator<=>(const TextKey&, const TextKey&) = default;

  static TextKey name_of(Kind kind, std::string_view name) { return {kind, {}, std::string(name)}; }
  static TextKey binding_of(HostId host, std::string_view interface) {
    return {Kind::port, host.uuid(), std::string(interface)};
  }
};

struct IndexKeyHash {
  size_t operator()(const IndexKey& key) const noexcept;
};
struct TextKeyHash {
  size_t operator()(const TextKey& key) const noexcept;
};

// Sorted, each once.
std::vector<IndexKey> index_keys_of(const Object& object);
std::vector<TextKey> text_keys_of(const Object& object);

}  // namespace viaduct::topology
