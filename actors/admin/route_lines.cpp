#include "actors/admin/route_lines.hpp"

#include <algorithm>
#include <tuple>

#include "flows/simulation/network_views.hpp"

namespace viaduct::actors {

using flows::simulation::PortView;

namespace {

std::string state_of(const PortView& port, const flows::simulation::LearnedAtPort& learned, const IpAddress& gateway) {
  if (std::ranges::binary_search(learned.lost, gateway)) return "lost";
  switch (port.route_standing()) {
    case routing::Standing::none:
      return "port_down";
    case routing::Standing::doubtful:
      return "host_silent";
    case routing::Standing::good:
      break;
  }
  return "used";
}

bool before(const LearnedRouteLine& a, const LearnedRouteLine& b) {
  return std::tie(a.router, a.prefix, a.gateway, a.port) < std::tie(b.router, b.prefix, b.gateway, b.port);
}

}  // namespace

LearnedRouteLines learned_routes(const flows::simulation::Network& network, const RoutesRequest& request) {
  LearnedRouteLines out;
  network.locations().learned.for_each([&](PortId id, const auto&) {
    const PortView* port = network.port(id);
    const auto* learned = flows::simulation::learned_at(network.data(), id);
    if (port == nullptr || learned == nullptr) return;
    if (!request.router.is_nil() && request.router.uuid() != port->device_id) return;
    learned->parts.for_each([&](const auto& part, const auto& routes) {
      const std::string state = state_of(*port, *learned, part.gateway);
      for (const IpPrefix& prefix : routes->prefixes) {
        if (request.destination && !prefix.contains(*request.destination)) continue;
        ++out.total;
        out.lines.push_back({RouterId(port->device_id), prefix, part.gateway, id, port->host, state});
        // Memory for twice what is asked for, whatever there is.
        if (out.lines.size() < 2 * request.limit) continue;
        std::ranges::nth_element(out.lines, out.lines.begin() + static_cast<std::ptrdiff_t>(request.limit), before);
        out.lines.resize(request.limit);
      }
    });
  });
  std::ranges::sort(out.lines, before);
  if (out.lines.size() > request.limit) out.lines.resize(request.limit);
  return out;
}

}  // namespace viaduct::actors
