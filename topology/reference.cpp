#include "topology/reference.hpp"

#include <array>

namespace viaduct::topology {

const ReferenceInfo& info_of(Reference reference) {
  static constexpr std::array<ReferenceInfo, static_cast<size_t>(Reference::count_)> kInfo = {{
      {Kind::port, "bridge", Kind::bridge},
      {Kind::port, "router", Kind::router},
      {Kind::port, "host", Kind::host},
      {Kind::port, "peer", Kind::port},
      {Kind::route, "router", Kind::router},
      {Kind::route, "next_hop_port", Kind::port},
      {Kind::static_mac, "bridge", Kind::bridge},
      {Kind::static_mac, "port", Kind::port},
      {Kind::static_neighbour, "bridge", Kind::bridge},
      {Kind::tunnel_zone_host, "zone", Kind::tunnel_zone},
      {Kind::tunnel_zone_host, "host", Kind::host},
  }};
  return kInfo[static_cast<size_t>(reference)];
}

void clear_reference(Object& object, Reference reference) {
  switch (reference) {
    case Reference::port_bridge:
      std::get<Port>(object).bridge = {};
      return;
    case Reference::port_router:
      std::get<Port>(object).router = {};
      return;
    case Reference::port_host:  // half a binding is none
      std::get<Port>(object).host = {};
      std::get<Port>(object).interface.clear();
      return;
    case Reference::port_peer:
      std::get<Port>(object).peer = {};
      return;
    case Reference::route_router:
      std::get<Route>(object).router = {};
      return;
    case Reference::route_next_hop_port:
      std::get<Route>(object).next_hop_port = {};
      return;
    case Reference::static_mac_bridge:
      std::get<StaticMac>(object).bridge = {};
      return;
    case Reference::static_mac_port:
      std::get<StaticMac>(object).port = {};
      return;
    case Reference::static_neighbour_bridge:
      std::get<StaticNeighbour>(object).bridge = {};
      return;
    case Reference::tunnel_zone_host_zone:
      std::get<TunnelZoneHost>(object).zone = {};
      return;
    case Reference::tunnel_zone_host_host:
      std::get<TunnelZoneHost>(object).host = {};
      return;
    case Reference::count_:
      return;
  }
}

}  // namespace viaduct::topology
