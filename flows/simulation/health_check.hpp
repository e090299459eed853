// Where health checks of pool members leave their router (flows/health).
#pragma once

#include <optional>

#include "flows/simulation/network.hpp"

namespace viaduct::flows::simulation {

// The port that the router's routes say, and its address on the way there. Nothing without a route, or for an address of
// the router's own.
struct CheckWay {
  PortId port;
  MacAddress mac;
  IpAddress source;
};
std::optional<CheckWay> way_to_member(const Network& network, RouterId router, const IpAddress& member);

}  // namespace viaduct::flows::simulation
