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
