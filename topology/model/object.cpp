#include "topology/model/object.hpp"

namespace viaduct::topology {

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::host:
      return "host";
    case Kind::bridge:
      return "bridge";
    case Kind::router:
      return "router";
    case Kind::port:
      return "port";
    case Kind::route:
      return "route";
    case Kind::static_mac:
      return "static-mac";
    case Kind::static_neighbour:
      return "static-neighbour";
    case Kind::tunnel_zone:
      return "tunnel-zone";
    case Kind::tunnel_zone_host:
      return "tunnel-zone-host";
    case Kind::chain:
      return "chain";
    case Kind::rule:
      return "rule";
    case Kind::port_group:
      return "port-group";
    case Kind::port_group_port:
      return "port-group-port";
    case Kind::ip_group:
      return "ip-group";
    case Kind::ip_group_address:
      return "ip-group-address";
    case Kind::load_balancer:
      return "load-balancer";
    case Kind::pool:
      return "pool";
    case Kind::pool_member:
      return "pool-member";
    case Kind::vip:
      return "vip";
    case Kind::health_monitor:
      return "health-monitor";
    case Kind::bgp_peer:
      return "bgp-peer";
    case Kind::bgp_network:
      return "bgp-network";
    case Kind::count_:
      break;
  }
  return "unknown";
}

std::optional<Kind> parse_kind(std::string_view text) {
  for (auto kind = Kind::host; kind < Kind::count_; kind = static_cast<Kind>(static_cast<int>(kind) + 1)) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

}  // namespace viaduct::topology
