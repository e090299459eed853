// What an operator pins in a bridge's tables: never aged, never moved by learning.
#pragma once

#include <cstdint>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::topology {

// A MAC address behind one port of the bridge (MidoNet: mac_table entry).
struct StaticMac {
  StaticMacId id;
  uint64_t revision = 0;
  BridgeId bridge;
  MacAddress mac;
  uint16_t vlan = 0;
  PortId port;
  friend bool operator==(const StaticMac&, const StaticMac&) = default;
};

// An address that the bridge answers ARP or ND for (MidoNet: arp_table entry).
struct StaticNeighbour {
  StaticNeighbourId id;
  uint64_t revision = 0;
  BridgeId bridge;
  IpAddress address;
  MacAddress mac;
  friend bool operator==(const StaticNeighbour&, const StaticNeighbour&) = default;
};

}  // namespace viaduct::topology
