#include "flows/simulation/trace.hpp"

namespace viaduct::flows::simulation {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::tunnel_in:
      return "tunnel_in";
    case Stage::port_in:
      return "port_in";
    case Stage::port_out:
      return "port_out";
    case Stage::peer:
      return "peer";
    case Stage::bridge_learn:
      return "bridge_learn";
    case Stage::bridge_unicast:
      return "bridge_unicast";
    case Stage::bridge_flood:
      return "bridge_flood";
    case Stage::arp_suppressed:
      return "arp_suppressed";
    case Stage::arp:
      return "arp";
    case Stage::neighbour_discovery:
      return "neighbour_discovery";
    case Stage::router_in:
      return "router_in";
    case Stage::route:
      return "route";
    case Stage::ttl:
      return "ttl";
    case Stage::mtu:
      return "mtu";
    case Stage::next_hop:
      return "next_hop";
    case Stage::local_delivery:
      return "local_delivery";
    case Stage::icmp_error:
      return "icmp_error";
    case Stage::chain:
      return "chain";
    case Stage::rule:
      return "rule";
    case Stage::connection:
      return "connection";
    case Stage::nat:
      return "nat";
    case Stage::load_balancer:
      return "load_balancer";
    case Stage::output:
      return "output";
    case Stage::drop:
      return "drop";
    case Stage::park:
      return "park";
    case Stage::emit:
      return "emit";
  }
  return "unknown";
}

std::string to_string(const TraceStep& step) {
  return std::string(step.depth * 2U, ' ') + std::string(to_string(step.stage)) + ": " + step.detail;
}

}  // namespace viaduct::flows::simulation
