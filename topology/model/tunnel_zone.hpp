// A set of hosts that reach each other over the IP network beneath (MidoNet: tunnel zone), and each host's address there.
// Packets between two hosts go by a zone that both are in.
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::topology {

enum class TunnelType : uint8_t { vxlan, gre };

struct TunnelZone {
  TunnelZoneId id;
  uint64_t revision = 0;
  std::string name;  // unique
  TunnelType type = TunnelType::vxlan;
  friend bool operator==(const TunnelZone&, const TunnelZone&) = default;
};

// At most one for each zone and host.
struct TunnelZoneHost {
  TunnelZoneHostId id;
  uint64_t revision = 0;
  TunnelZoneId zone;
  HostId host;
  IpAddress address;  // unicast, unique in the zone; all of a zone are of one family
  friend bool operator==(const TunnelZoneHost&, const TunnelZoneHost&) = default;
};

}  // namespace viaduct::topology
