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
      {Kind::port, "inbound_filter", Kind::chain},
      {Kind::port, "outbound_filter", Kind::chain},
      {Kind::bridge, "inbound_filter", Kind::chain},
      {Kind::bridge, "outbound_filter", Kind::chain},
      {Kind::router, "local_redirect", Kind::chain},
      {Kind::router, "inbound_filter", Kind::chain},
      {Kind::router, "forward_filter", Kind::chain},
      {Kind::router, "outbound_filter", Kind::chain},
      {Kind::router, "load_balancer", Kind::load_balancer},
      {Kind::rule, "chain", Kind::chain},
      {Kind::rule, "jump", Kind::chain},
      {Kind::rule, "port_group", Kind::port_group},
      {Kind::rule, "in_port_group", Kind::port_group},
      {Kind::rule, "out_port_group", Kind::port_group},
      {Kind::rule, "in_ports", Kind::port},
      {Kind::rule, "out_ports", Kind::port},
      {Kind::rule, "ip_src_group", Kind::ip_group},
      {Kind::rule, "ip_dst_group", Kind::ip_group},
      {Kind::port_group_port, "group", Kind::port_group},
      {Kind::port_group_port, "port", Kind::port},
      {Kind::ip_group_address, "group", Kind::ip_group},
      {Kind::pool, "load_balancer", Kind::load_balancer},
      {Kind::pool, "health_monitor", Kind::health_monitor},
      {Kind::pool_member, "pool", Kind::pool},
      {Kind::vip, "pool", Kind::pool},
      {Kind::bgp_peer, "router", Kind::router},
      {Kind::bgp_network, "router", Kind::router},
  }};
  return kInfo[static_cast<size_t>(reference)];
}

namespace {

template <class Kind>
void clear(Id<Kind>& id, const Uuid&) {
  id = {};
}
template <class Kind>
void clear(Match<Id<Kind>>& match, const Uuid&) {
  match = {};
}
template <class Kind>
void clear(Match<std::vector<Id<Kind>>>& match, const Uuid& target) {
  if (!match.value) return;
  std::erase(*match.value, Id<Kind>(target));
  if (match.value->empty() && match.inverted) match = {};
}

}  // namespace

void clear_reference(Object& object, Reference reference, const Uuid& target) {
  const auto clear_field = [&](Reference of, auto& field) {
    if (of == reference) clear(field, target);
  };
  std::visit([&](auto& value) { detail::for_each_field(value, clear_field); }, object);
  // Half a binding is none.
  if (reference == Reference::port_host) std::get<Port>(object).interface.clear();
}

}  // namespace viaduct::topology
