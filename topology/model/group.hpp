// Sets that rules name: of ports, and of addresses (devices.md 1.11).
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::topology {

struct PortGroup {
  PortGroupId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  bool stateful = false;  // connections through one of its ports may come back by any other: their hosts share state
  friend bool operator==(const PortGroup&, const PortGroup&) = default;
};

// At most one for each group and port.
struct PortGroupPort {
  PortGroupPortId id;
  uint64_t revision = 0;
  PortGroupId group;
  PortId port;
  friend bool operator==(const PortGroupPort&, const PortGroupPort&) = default;
};

struct IpGroup {
  IpGroupId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  friend bool operator==(const IpGroup&, const IpGroup&) = default;
};

// At most one for each group and prefix; groups may hold both families.
struct IpGroupAddress {
  IpGroupAddressId id;
  uint64_t revision = 0;
  IpGroupId group;
  IpPrefix prefix;  // no host bits
  friend bool operator==(const IpGroupAddress&, const IpGroupAddress&) = default;
};

}  // namespace viaduct::topology
