// A route that an operator gave a router. Connected and local routes follow from port addresses and are not stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::topology {

enum class NextHop : uint8_t {
  port,       // through next_hop_port, to the gateway or directly to the destination
  local,      // the router itself
  blackhole,  // silence
  reject,     // ICMP administratively prohibited
};

struct Route {
  RouteId id;
  uint64_t revision = 0;
  RouterId router;
  IpPrefix source;       // length 0 matches all; same family as destination
  IpPrefix destination;  // no host bits
  NextHop next_hop = NextHop::port;
  PortId next_hop_port;
  std::optional<IpAddress> gateway;  // none: the destination is on the port's link
  uint32_t weight = 100;             // of equal prefixes the least wins; equal weights share (ECMP)
  std::string attributes = {};       // a note of whoever made it; kept for them
  friend bool operator==(const Route&, const Route&) = default;
};

}  // namespace viaduct::topology
