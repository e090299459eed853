#include <algorithm>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_gateway(const Route& route, const Port* port, const ObjectRef& ref, Inspection& inspection) {
  const IpAddress& gateway = *route.gateway;
  if (gateway.family() != route.destination.family()) {
    inspection.report(BrokenRule::address_family_mismatch, ref, "gateway",
                      gateway.to_string() + " and " + route.destination.to_string() + " are of different families.",
                      "Use a gateway of the destination's family.");
    return;
  }
  if (const auto reason = reason_not_unicast(gateway); !reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "gateway",
                      gateway.to_string() + " is " + std::string(reason) + ".", "Use the gateway's unicast address.");
    return;
  }
  if (port == nullptr) return;
  if (!is_on_link(gateway, *port)) {
    inspection.report(BrokenRule::prefix_does_not_hold_address, ref, "gateway",
                      gateway.to_string() + " is no host in a subnet of " + inspection.label(Object(*port)) + " (" +
                          addresses_of(*port) + ").",
                      "Use an address of the port's subnets, or another port.");
  }
  const bool own = std::any_of(port->addresses.begin(), port->addresses.end(),
                               [&](const IpPrefix& prefix) { return prefix.address() == gateway; });
  if (own) {
    inspection.report(BrokenRule::address_not_allowed, ref, "gateway",
                      gateway.to_string() + " is the address of " + inspection.label(Object(*port)) + " itself.",
                      "Use the address of the next router.");
  }
}

// The port of the next hop, when it is one that the route may use.
const Port* check_port(const Route& route, const ObjectRef& ref, Inspection& inspection) {
  if (route.next_hop_port.is_nil()) {
    inspection.report(BrokenRule::next_hop_missing, ref, "next_hop_port", "It names no port.",
                      "Name a port of the router, or make it a local, blackhole or reject route.");
    return nullptr;
  }
  const Port* port = inspection.next().find(route.next_hop_port);
  if (port == nullptr) {
    inspection.report(BrokenRule::unknown_reference, ref, "next_hop_port",
                      "There is no port " + route.next_hop_port.to_string() + ".",
                      "Create the port first or in the same transaction.");
    return nullptr;
  }
  if (port->router != route.router) {
    inspection.report(BrokenRule::next_hop_not_on_router, ref, "next_hop_port",
                      inspection.label(Object(*port)) + " is not a port of the route's router.",
                      "Name a port of that router.");
    return nullptr;
  }
  return port;
}

}  // namespace

void check(const Route& route, Inspection& inspection) {
  const ObjectRef ref = ref_of(route);
  check_name(route.attributes, "attributes", ref, inspection);
  if (route.router.is_nil() || inspection.next().find(route.router) == nullptr) {
    inspection.report(BrokenRule::unknown_parent, ref, "router", "There is no router " + route.router.to_string() + ".",
                      "Create the router first or in the same transaction.");
  }
  check_prefix(route.destination, "destination", ref, inspection);
  check_prefix(route.source, "source", ref, inspection);
  if (route.source.family() != route.destination.family()) {
    inspection.report(
        BrokenRule::address_family_mismatch, ref, "source",
        route.source.to_string() + " and " + route.destination.to_string() + " are of different families.",
        "Use prefixes of one family.");
  }
  if (route.next_hop == NextHop::port) {
    const Port* port = check_port(route, ref, inspection);
    if (route.gateway) check_gateway(route, port, ref, inspection);
  } else if (!route.next_hop_port.is_nil() || route.gateway) {
    inspection.report(BrokenRule::next_hop_not_allowed, ref, route.gateway ? "gateway" : "next_hop_port",
                      "Only routes through a port have one.", "Leave it out, or make it a route through a port.");
  }
}

}  // namespace viaduct::topology::rules
