// A port of a bridge or a router.
//
//   exterior   host and interface set: traffic enters and leaves the virtual network here
//   interior   peer set: what leaves here enters at the peer
//   unplugged  neither
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/address/mac_address.hpp"

namespace viaduct::topology {

struct Port {
  PortId id;
  uint64_t revision = 0;
  std::string name;
  BridgeId bridge;  // exactly one of bridge and router
  RouterId router;
  bool admin_up = true;
  HostId host;
  std::string interface;
  PortId peer;
  MacAddress mac;                   // router ports; zero on bridge ports
  std::vector<IpPrefix> addresses;  // router ports, host bits kept
  uint16_t mtu = 0;                 // router ports: bytes behind the Ethernet header; 0: no limit of its own
  ChainId inbound_filter;           // of what enters the device here; none: all passes
  ChainId outbound_filter;          // of what leaves it here
  uint16_t vlan = 0;                // interior bridge ports: 1..4094; 0: none
  std::string vif = {};             // what whoever made the port calls the machine's interface; kept for them

  bool is_exterior() const { return !host.is_nil() && !interface.empty(); }
  bool is_interior() const { return !peer.is_nil(); }
  bool on_bridge() const { return !bridge.is_nil(); }
  bool on_router() const { return !router.is_nil(); }
  Uuid device() const { return on_bridge() ? bridge.uuid() : router.uuid(); }
  friend bool operator==(const Port&, const Port&) = default;
};

}  // namespace viaduct::topology
