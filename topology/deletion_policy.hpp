// What the deletion of an object does to those that name it: the one table.
#pragma once

#include <string_view>

#include "topology/reference.hpp"

namespace viaduct::topology {

enum class OnDelete : uint8_t {
  cascade,  // the referrer is deleted too: it makes no sense alone
  clear,    // the field becomes nil, or a list loses the entry
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
    case Reference::rule_chain:
    case Reference::rule_jump:
    case Reference::port_group_port_group:
    case Reference::port_group_port_port:
    case Reference::ip_group_address_group:
    case Reference::pool_member_pool:
    case Reference::vip_pool:
    case Reference::bgp_peer_router:
    case Reference::bgp_network_router:
      return OnDelete::cascade;
    case Reference::port_inbound_filter:
    case Reference::port_outbound_filter:
    case Reference::bridge_inbound_filter:
    case Reference::bridge_outbound_filter:
    case Reference::router_local_redirect:
    case Reference::router_inbound_filter:
    case Reference::router_forward_filter:
    case Reference::router_outbound_filter:
    case Reference::router_load_balancer:
    case Reference::pool_load_balancer:
    case Reference::pool_health_monitor:
      return OnDelete::clear;
    case Reference::rule_in_ports:  // a rule whose list is empty then can never match: it is deleted
    case Reference::rule_out_ports:
      return OnDelete::clear;
    case Reference::port_peer:
      return OnDelete::clear;  // the other half of the link becomes an unplugged port
    // A host is forgotten when it is gone for good; ports still bound to it carry traffic, or were meant to be moved.
    // Whoever deletes it should see them first.
    case Reference::port_host:
      return OnDelete::refuse;
    // Without the group the rule would match more packets, or none: a firewall would open or close by itself.
    case Reference::rule_port_group:
    case Reference::rule_in_port_group:
    case Reference::rule_out_port_group:
    case Reference::rule_ip_src_group:
    case Reference::rule_ip_dst_group:
      return OnDelete::refuse;
    case Reference::count_:
      break;
  }
  return OnDelete::refuse;
}

}  // namespace viaduct::topology
