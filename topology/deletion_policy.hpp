// What the deletion of an object does to those that name it: the one table.
#pragma once

#include <string_view>

#include "topology/reference.hpp"

namespace viaduct::topology {

enum class OnDelete : uint8_t {
  cascade,  // the referrer is deleted too: it makes no sense alone
  clear,    // the field becomes nil
  refuse,   // the deletion is a violation (still_referenced)
};
std::string_view to_string(OnDelete policy);

constexpr OnDelete policy_of(Reference reference) {
  switch (reference) {
    case Reference::port_bridge:
    case Reference::port_router:
    case Reference::route_router:
    case Reference::route_next_hop_port:
    case Reference::static_mac_bridge:
    case Reference::static_mac_port:
    case Reference::static_neighbour_bridge:
    case Reference::tunnel_zone_host_zone:
    case Reference::tunnel_zone_host_host:  // a host that is gone reaches nobody
      return OnDelete::cascade;
    case Reference::port_peer:
      return OnDelete::clear;  // the other half of the link becomes an unplugged port
    // A host is forgotten when it is gone for good; ports still bound to it carry traffic, or were meant to be moved.
    // Whoever deletes it should see them first.
    case Reference::port_host:
      return OnDelete::refuse;
    case Reference::count_:
      break;
  }
  return OnDelete::refuse;
}

}  // namespace viaduct::topology
