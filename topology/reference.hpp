// Every field through which one object names another. The snapshot indexes each of them backwards, and the deletion
// policy has one row for each.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

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
  port_inbound_filter,
  port_outbound_filter,
  bridge_inbound_filter,
  bridge_outbound_filter,
  router_local_redirect,
  router_inbound_filter,
  router_forward_filter,
  router_outbound_filter,
  router_load_balancer,
  rule_chain,
  rule_jump,
  rule_port_group,
  rule_in_port_group,
  rule_out_port_group,
  rule_in_ports,
  rule_out_ports,
  rule_ip_src_group,
  rule_ip_dst_group,
  port_group_port_group,
  port_group_port_port,
  ip_group_address_group,
  pool_load_balancer,
  pool_health_monitor,
  pool_member_pool,
  vip_pool,
  bgp_peer_router,
  bgp_network_router,
  count_,
};

struct ReferenceInfo {
  Kind from;
  std::string_view field;  // as in the schema: "next_hop_port"
  Kind to;
};
const ReferenceInfo& info_of(Reference reference);

namespace detail {

template <class T, class Value>
concept Of = std::same_as<std::remove_const_t<T>, Value>;

// field(Reference, the field itself) for each field of an object that names others: an Id, or a Match of one or of a list.
void for_each_field(auto&, auto&&) {}  // hosts, tunnel zones, chains … name nobody
void for_each_field(Of<Bridge> auto& bridge, auto&& field) {
  field(Reference::bridge_inbound_filter, bridge.inbound_filter);
  field(Reference::bridge_outbound_filter, bridge.outbound_filter);
}
void for_each_field(Of<Router> auto& router, auto&& field) {
  field(Reference::router_local_redirect, router.local_redirect);
  field(Reference::router_inbound_filter, router.inbound_filter);
  field(Reference::router_forward_filter, router.forward_filter);
  field(Reference::router_outbound_filter, router.outbound_filter);
  field(Reference::router_load_balancer, router.load_balancer);
}
void for_each_field(Of<Port> auto& port, auto&& field) {
  field(Reference::port_bridge, port.bridge);
  field(Reference::port_router, port.router);
  field(Reference::port_host, port.host);
  field(Reference::port_peer, port.peer);
  field(Reference::port_inbound_filter, port.inbound_filter);
  field(Reference::port_outbound_filter, port.outbound_filter);
}
void for_each_field(Of<Route> auto& route, auto&& field) {
  field(Reference::route_router, route.router);
  field(Reference::route_next_hop_port, route.next_hop_port);
}
void for_each_field(Of<StaticMac> auto& entry, auto&& field) {
  field(Reference::static_mac_bridge, entry.bridge);
  field(Reference::static_mac_port, entry.port);
}
void for_each_field(Of<StaticNeighbour> auto& entry, auto&& field) {
  field(Reference::static_neighbour_bridge, entry.bridge);
}
void for_each_field(Of<TunnelZoneHost> auto& member, auto&& field) {
  field(Reference::tunnel_zone_host_zone, member.zone);
  field(Reference::tunnel_zone_host_host, member.host);
}
void for_each_field(Of<Rule> auto& rule, auto&& field) {
  field(Reference::rule_chain, rule.chain);
  field(Reference::rule_jump, rule.jump);
  field(Reference::rule_port_group, rule.condition.port_group);
  field(Reference::rule_in_port_group, rule.condition.in_port_group);
  field(Reference::rule_out_port_group, rule.condition.out_port_group);
  field(Reference::rule_in_ports, rule.condition.in_ports);
  field(Reference::rule_out_ports, rule.condition.out_ports);
  field(Reference::rule_ip_src_group, rule.condition.ip_src_group);
  field(Reference::rule_ip_dst_group, rule.condition.ip_dst_group);
}
void for_each_field(Of<PortGroupPort> auto& member, auto&& field) {
  field(Reference::port_group_port_group, member.group);
  field(Reference::port_group_port_port, member.port);
}
void for_each_field(Of<IpGroupAddress> auto& member, auto&& field) {
  field(Reference::ip_group_address_group, member.group);
}
void for_each_field(Of<Pool> auto& pool, auto&& field) {
  field(Reference::pool_load_balancer, pool.load_balancer);
  field(Reference::pool_health_monitor, pool.health_monitor);
}
void for_each_field(Of<PoolMember> auto& member, auto&& field) { field(Reference::pool_member_pool, member.pool); }
void for_each_field(Of<Vip> auto& vip, auto&& field) { field(Reference::vip_pool, vip.pool); }
void for_each_field(Of<BgpPeer> auto& peer, auto&& field) { field(Reference::bgp_peer_router, peer.router); }
void for_each_field(Of<BgpNetwork> auto& network, auto&& field) {
  field(Reference::bgp_network_router, network.router);
}

template <class Kind, class F>
void for_each_target(const Id<Kind>& id, F&& visit) {
  if (!id.is_nil()) visit(id.uuid());
}
template <class Kind, class F>
void for_each_target(const Match<Id<Kind>>& match, F&& visit) {
  if (match.value) for_each_target(*match.value, visit);
}
template <class Kind, class F>
void for_each_target(const Match<std::vector<Id<Kind>>>& match, F&& visit) {
  if (!match.value) return;
  for (const Id<Kind>& id : *match.value) for_each_target(id, visit);
}

}  // namespace detail

// visit(Reference, Uuid target) for each reference of `object` that is not nil; lists of them: for each entry.
template <class T, class F>
requires(!std::is_same_v<T, Object>) void for_each_reference(const T& object, F&& visit) {
  detail::for_each_field(object, [&](Reference reference, const auto& names) {
    detail::for_each_target(names, [&](const Uuid& target) { visit(reference, target); });
  });
}
template <class F>
void for_each_reference(const Object& object, F&& visit) {
  std::visit([&](const auto& value) { for_each_reference(value, visit); }, object);
}

// The field names `target` no more: it becomes nil, or a list loses an entry. An inverted list that loses its last one is
// unset: it meant "none of these". One that is not inverted stays, and matches nothing: what to do is the caller's choice.
void clear_reference(Object& object, Reference reference, const Uuid& target);

}  // namespace viaduct::topology
