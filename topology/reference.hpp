// Every field through which one object names another. The snapshot indexes each of them backwards, and the deletion
// policy has one row for each.
#pragma once

#include <string_view>

#include "topology/model/object.hpp"

namespace viaduct::topology {

enum class Reference : uint8_t {
  port_bridge,
  port_router,
  port_host,
  port_peer,
  route_router,
  route_next_hop_port,
  static_mac_bridge,
  static_mac_port,
  static_neighbour_bridge,
  tunnel_zone_host_zone,
  tunnel_zone_host_host,
  count_,
};

struct ReferenceInfo {
  Kind from;
  std::string_view field;  // as in the schema: "next_hop_port"
  Kind to;
};
const ReferenceInfo& info_of(Reference reference);

// visit(Reference, Uuid target) for each reference of `object` that is not nil.
template <class F>
void for_each_reference(const Object& object, F&& visit) {
  const auto tell = [&](Reference reference, const Uuid& target) {
    if (!target.is_nil()) visit(reference, target);
  };
  if (const auto* port = std::get_if<Port>(&object)) {
    tell(Reference::port_bridge, port->bridge.uuid());
    tell(Reference::port_router, port->router.uuid());
    tell(Reference::port_host, port->host.uuid());
    tell(Reference::port_peer, port->peer.uuid());
  } else if (const auto* route = std::get_if<Route>(&object)) {
    tell(Reference::route_router, route->router.uuid());
    tell(Reference::route_next_hop_port, route->next_hop_port.uuid());
  } else if (const auto* mac = std::get_if<StaticMac>(&object)) {
    tell(Reference::static_mac_bridge, mac->bridge.uuid());
    tell(Reference::static_mac_port, mac->port.uuid());
  } else if (const auto* neighbour = std::get_if<StaticNeighbour>(&object)) {
    tell(Reference::static_neighbour_bridge, neighbour->bridge.uuid());
  } else if (const auto* member = std::get_if<TunnelZoneHost>(&object)) {
    tell(Reference::tunnel_zone_host_zone, member->zone.uuid());
    tell(Reference::tunnel_zone_host_host, member->host.uuid());
  }
}

// Sets the field to nil.
void clear_reference(Object& object, Reference reference);

}  // namespace viaduct::topology
