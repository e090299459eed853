// Routes that routers have learned, as this host goes by them, for `viaduct bgp routes`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/admin/request.hpp"
#include "flows/simulation/network.hpp"

namespace viaduct::actors {

struct LearnedRouteLine {
  RouterId router;
  IpPrefix prefix;
  IpAddress gateway;
  PortId port;
  HostId host;  // where the port is bound
  std::string
      state;  // used; lost: the gateway does not answer; port_down, host_silent: others are used if there are any
};
struct LearnedRouteLines {
  uint64_t total = 0;                   // that fit
  std::vector<LearnedRouteLine> lines;  // by router, prefix and gateway; the first of them
};
LearnedRouteLines learned_routes(const flows::simulation::Network& network, const RoutesRequest& request);

}  // namespace viaduct::actors
