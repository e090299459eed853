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

inline Ref<Object> share(Object object) { return std::make_shared<const Object>(std::move(object)); }

// Unchecked.
template <class... Objects>
Snapshot snapshot_of(Objects&&... objects) {
  Snapshot snapshot;
  ((snapshot = snapshot.with(share(std::forward<Objects>(objects)))), ...);
  return snapshot;
}

}  // namespace viaduct::topology::testing
