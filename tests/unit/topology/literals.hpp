// Short ways to write topologies in tests. Ids are small numbers, so that a failure names them readably.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "topology/snapshot.hpp"

namespace viaduct::topology::testing {

template <class IdType>
IdType id(uint64_t number) {
  return IdType(Uuid::from_words(0, number));
}
inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline IpPrefix prefix(std::string_view text) { return IpPrefix::parse(text).value(); }
inline MacAddress mac(std::string_view text) { return MacAddress::parse(text).value(); }

// Each is a value with its id and sensible fields; change what the test is about.
inline Host host(uint64_t number) { return {id<HostId>(number), 0, "host" + std::to_string(number)}; }
inline Bridge bridge(uint64_t number) { return {id<BridgeId>(number), 0, "bridge" + std::to_string(number), "", true}; }
inline Router router(uint64_t number) { return {id<RouterId>(number), 0, "router" + std::to_string(number), "", true}; }
inline Port bridge_port(uint64_t number, uint64_t bridge) {
  Port port;
  port.id = id<PortId>(number);
  port.name = "port" + std::to_string(number);
  port.bridge = id<BridgeId>(bridge);
  return port;
}
inline Port router_port(uint64_t number, uint64_t router, std::string_view address = {}) {
  Port port;
  port.id = id<PortId>(number);
  port.name = "port" + std::to_string(number);
  port.router = id<RouterId>(router);
  port.mac = MacAddress::from_uint64(0x0200'0000'0000 + number);
  if (!address.empty()) port.addresses.push_back(prefix(address));
  return port;
}
inline Route route(uint64_t number, uint64_t router, std::string_view destination, uint64_t port,
                   std::string_view gateway = {}) {
  Route route;
  route.id = id<RouteId>(number);
  route.router = id<RouterId>(router);
  route.destination = prefix(destination);
  route.source = IpPrefix::any(route.destination.family());
  route.next_hop_port = id<PortId>(port);
  if (!gateway.empty()) route.gateway = ip(gateway);
  return route;
}
inline StaticMac static_mac(uint64_t number, uint64_t bridge, std::string_view address, uint64_t port) {
  return {id<StaticMacId>(number), 0, id<BridgeId>(bridge), mac(address), 0, id<PortId>(port)};
}
inline StaticNeighbour static_neighbour(uint64_t number, uint64_t bridge, std::string_view address,
                                        std::string_view hardware) {
  return {id<StaticNeighbourId>(number), 0, id<BridgeId>(bridge), ip(address), mac(hardware)};
}

inline TunnelZone tunnel_zone(uint64_t number) {
  return {id<TunnelZoneId>(number), 0, "zone" + std::to_string(number), TunnelType::vxlan};
}
inline TunnelZoneHost tunnel_zone_host(uint64_t number, uint64_t zone, uint64_t host, std::string_view address) {
  return {id<TunnelZoneHostId>(number), 0, id<TunnelZoneId>(zone), id<HostId>(host), ip(address)};
}

inline Chain chain(uint64_t number) { return {id<ChainId>(number), 0, "chain" + std::to_string(number), ""}; }
// Accepts everything; the next in its chain.
inline Rule rule(uint64_t number, uint64_t chain, uint32_t position = 0) {
  Rule rule;
  rule.id = id<RuleId>(number);
  rule.chain = id<ChainId>(chain);
  rule.position = position;
  return rule;
}
inline Rule jump(uint64_t number, uint64_t chain, uint64_t to, uint32_t position = 0) {
  Rule jump = rule(number, chain, position);
  jump.action = RuleAction::jump;
  jump.jump = id<ChainId>(to);
  return jump;
}
inline PortGroup port_group(uint64_t number) {
  return {id<PortGroupId>(number), 0, "ports" + std::to_string(number), "", false};
}
inline PortGroupPort port_group_port(uint64_t number, uint64_t group, uint64_t port) {
  return {id<PortGroupPortId>(number), 0, id<PortGroupId>(group), id<PortId>(port)};
}
inline IpGroup ip_group(uint64_t number) {
  return {id<IpGroupId>(number), 0, "addresses" + std::to_string(number), ""};
}
inline IpGroupAddress ip_group_address(uint64_t number, uint64_t group, std::string_view text) {
  return {id<IpGroupAddressId>(number), 0, id<IpGroupId>(group), prefix(text)};
}
inline LoadBalancer load_balancer(uint64_t number) {
  return {id<LoadBalancerId>(number), 0, "balancer" + std::to_string(number), "", true};
}
inline Pool pool(uint64_t number, uint64_t balancer = 0, uint64_t monitor = 0) {
  Pool pool;
  pool.id = id<PoolId>(number);
  pool.name = "pool" + std::to_string(number);
  pool.load_balancer = id<LoadBalancerId>(balancer);
  pool.health_monitor = id<HealthMonitorId>(monitor);
  return pool;
}
inline PoolMember pool_member(uint64_t number, uint64_t pool, std::string_view address, uint16_t port) {
  return {id<PoolMemberId>(number), 0, id<PoolId>(pool), ip(address), port, 1, true};
}
inline Vip vip(uint64_t number, uint64_t pool, std::string_view address, uint16_t port) {
  return {id<VipId>(number), 0, "vip" + std::to_string(number), id<PoolId>(pool), ip(address), port, false, true};
}
inline HealthMonitor health_monitor(uint64_t number) {
  HealthMonitor monitor;
  monitor.id = id<HealthMonitorId>(number);
  monitor.name = "monitor" + std::to_string(number);
  return monitor;
}

inline Router bgp_router(uint64_t number, uint32_t as_number = 65'000) {
  Router out = router(number);
  out.as_number = as_number;
  return out;
}
// On a link of the router.
inline BgpPeer bgp_peer(uint64_t number, uint64_t router, std::string_view address, uint32_t as_number = 65'001) {
  BgpPeer peer;
  peer.id = id<BgpPeerId>(number);
  peer.name = "peer" + std::to_string(number);
  peer.router = id<RouterId>(router);
  peer.address = ip(address);
  peer.as_number = as_number;
  return peer;
}
inline BgpNetwork bgp_network(uint64_t number, uint64_t router, std::string_view text) {
  return {id<BgpNetworkId>(number), 0, id<RouterId>(router), prefix(text)};
}

inline Ref<Object> share(Object object) { return std::make_shared<const Object>(std::move(object)); }

// Unchecked.
template <class... Objects>
Snapshot snapshot_of(Objects&&... objects) {
  Snapshot snapshot;
  ((snapshot = snapshot.with(share(std::forward<Objects>(objects)))), ...);
  return snapshot;
}

}  // namespace viaduct::topology::testing
