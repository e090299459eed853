// One way to a destination, as the forwarding table holds it.
#pragma once

#include <cstdint>
#include <optional>

#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"
#include "topology/model/route.hpp"

namespace viaduct::routing {

struct FibEntry {
  RouteId id;  // a stored route's id; for connected and local routes one derived from port and prefix
  IpPrefix source;
  IpPrefix destination;
  topology::NextHop kind = topology::NextHop::port;
  PortId port;
  std::optional<IpAddress> gateway;
  uint32_t weight = 100;
  friend bool operator==(const FibEntry&, const FibEntry&) = default;
};

}  // namespace viaduct::routing
