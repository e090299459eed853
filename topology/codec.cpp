// Objects; those of chains, groups, load balancers and BGP in files of their own.
#include "topology/codec.hpp"

#include <capnp/message.h>

#include "topology/codec_object.hpp"

namespace viaduct::topology {
namespace {

using object_codec::Error;
using object_codec::in;
using object_codec::read;
using object_codec::read_address;
using object_codec::read_enum;
using object_codec::read_id;
using object_codec::read_mac;
using object_codec::view;
using object_codec::write;

constexpr size_t kMaxListedAddresses = 1024;  // the rules allow far fewer, and say so by name

Error read_mac(MacAddress& mac, uint64_t value) { return read_mac(mac, value, "mac"); }

Error read_address(IpAddress& to, schema::IpAddress::Reader from) { return read_address(to, from, "address"); }

Error read(Host& host, schema::Host::Reader from) {
  host.name = view(from.getName());
  host.flooding_proxy_weight = from.getFloodingProxyWeight();
  host.container_weight = from.getContainerWeight();
  host.container_limit = from.getContainerLimit();
  host.enforce_container_limit = from.getEnforceContainerLimit();
  return {};
}
void write(const Host& host, schema::Host::Builder to) {
  to.setName(text_of(host.name));
  to.setFloodingProxyWeight(host.flooding_proxy_weight);
  to.setContainerWeight(host.container_weight);
  to.setContainerLimit(host.container_limit);
  to.setEnforceContainerLimit(host.enforce_container_limit);
}

template <class Device, class Reader>
Error read_device(Device& device, Reader from) {
  device.name = view(from.getName());
  device.tenant = view(from.getTenant());
  device.admin_up = from.getAdminUp();
  return {};
}
template <class Device, class Builder>
void write_device(const Device& device, Builder to) {
  to.setName(text_of(device.name));
  to.setTenant(text_of(device.tenant));
  to.setAdminUp(device.admin_up);
}
Error read(Bridge& bridge, schema::Bridge::Reader from) {
  read_id(bridge.inbound_filter, from.getInboundFilter());
  read_id(bridge.outbound_filter, from.getOutboundFilter());
  return read_device(bridge, from);
}
Error read(Router& router, schema::Router::Reader from) {
  read_id(router.local_redirect, from.getLocalRedirect());
  read_id(router.inbound_filter, from.getInboundFilter());
  read_id(router.forward_filter, from.getForwardFilter());
  read_id(router.outbound_filter, from.getOutboundFilter());
  read_id(router.load_balancer, from.getLoadBalancer());
  router.as_number = from.getAsNumber();
  router.advertise_nat = from.getAdvertiseNat();
  return read_device(router, from);
}
void write(const Bridge& bridge, schema::Bridge::Builder to) {
  write_device(bridge, to);
  if (bridge.inbound_filter) encode(bridge.inbound_filter.uuid(), to.initInboundFilter());
  if (bridge.outbound_filter) encode(bridge.outbound_filter.uuid(), to.initOutboundFilter());
}
void write(const Router& router, schema::Router::Builder to) {
  write_device(router, to);
  if (router.local_redirect) encode(router.local_redirect.uuid(), to.initLocalRedirect());
  if (router.inbound_filter) encode(router.inbound_filter.uuid(), to.initInboundFilter());
  if (router.forward_filter) encode(router.forward_filter.uuid(), to.initForwardFilter());
  if (router.outbound_filter) encode(router.outbound_filter.uuid(), to.initOutboundFilter());
  if (router.load_balancer) encode(router.load_balancer.uuid(), to.initLoadBalancer());
  to.setAsNumber(router.as_number);
  to.setAdvertiseNat(router.advertise_nat);
}

Error read_addresses(std::vector<IpPrefix>& addresses, capnp::List<schema::IpPrefix>::Reader from) {
  if (from.size() > kMaxListedAddresses) return "addresses: more than " + std::to_string(kMaxListedAddresses);
  addresses.reserve(from.size());
  for (auto prefix : from) {
    auto decoded = decode(prefix);
    if (!decoded) return in("addresses", decoded.error());
    addresses.push_back(*decoded);
  }
  return {};
}

Error read(Port& port, schema::Port::Reader from) {
  port.name = view(from.getName());
  read_id(port.bridge, from.getBridge());
  read_id(port.router, from.getRouter());
  port.admin_up = from.getAdminUp();
  read_id(port.host, from.getHost());
  port.interface = view(from.getInterface());
  read_id(port.peer, from.getPeer());
  port.mtu = from.getMtu();
  port.vlan = from.getVlan();
  port.vif = view(from.getVif());
  read_id(port.inbound_filter, from.getInboundFilter());
  read_id(port.outbound_filter, from.getOutboundFilter());
  if (Error error = read_mac(port.mac, from.getMac()); !error.empty()) return error;
  return read_addresses(port.addresses, from.getAddresses());
}
void write(const Port& port, schema::Port::Builder to) {
  to.setName(text_of(port.name));
  if (port.on_bridge()) encode(port.bridge.uuid(), to.initBridge());
  if (port.on_router()) encode(port.router.uuid(), to.initRouter());
  to.setAdminUp(port.admin_up);
  if (port.host) encode(port.host.uuid(), to.initHost());
  if (!port.interface.empty()) to.setInterface(text_of(port.interface));
  if (port.peer) encode(port.peer.uuid(), to.initPeer());
  to.setMac(port.mac.as_uint64());
  to.setMtu(port.mtu);
  to.setVlan(port.vlan);
  if (!port.vif.empty()) to.setVif(text_of(port.vif));
  if (port.inbound_filter) encode(port.inbound_filter.uuid(), to.initInboundFilter());
  if (port.outbound_filter) encode(port.outbound_filter.uuid(), to.initOutboundFilter());
  if (port.addresses.empty()) return;
  auto addresses = to.initAddresses(static_cast<unsigned>(port.addresses.size()));
  for (unsigned i = 0; i < addresses.size(); ++i) encode(port.addresses[i], addresses[i]);
}

Error read(Route& route, schema::Route::Reader from) {
  read_id(route.router, from.getRouter());
  auto destination = decode(from.getDestination());
  if (!destination) return in("destination", destination.error());
  route.destination = *destination;
  // A source that was left out is any, of whatever family the destination has.
  route.source = IpPrefix::any(route.destination.family());
  if (from.hasSource() && from.getSource().getAddress().getBytes().size() != 0) {
    auto source = decode(from.getSource());
    if (!source) return in("source", source.error());
    route.source = *source;
  }
  Error error = read_enum(route.next_hop, from.getNextHop(), NextHop::reject, "nextHop");
  if (!error.empty()) return error;
  read_id(route.next_hop_port, from.getNextHopPort());
  auto gateway = decode(from.getGateway());
  if (!gateway) return in("gateway", gateway.error());
  route.gateway = *gateway;
  route.weight = from.getWeight();
  route.attributes = view(from.getAttributes());
  return {};
}
void write(const Route& route, schema::Route::Builder to) {
  encode(route.router.uuid(), to.initRouter());
  encode(route.source, to.initSource());
  encode(route.destination, to.initDestination());
  to.setNextHop(static_cast<schema::NextHop>(route.next_hop));
  if (route.next_hop_port) encode(route.next_hop_port.uuid(), to.initNextHopPort());
  if (route.gateway) encode(*route.gateway, to.initGateway());
  to.setWeight(route.weight);
  if (!route.attributes.empty()) to.setAttributes(text_of(route.attributes));
}

Error read(StaticMac& entry, schema::StaticMac::Reader from) {
  read_id(entry.bridge, from.getBridge());
  read_id(entry.port, from.getPort());
  entry.vlan = from.getVlan();
  return read_mac(entry.mac, from.getMac());
}
void write(const StaticMac& entry, schema::StaticMac::Builder to) {
  encode(entry.bridge.uuid(), to.initBridge());
  encode(entry.port.uuid(), to.initPort());
  to.setVlan(entry.vlan);
  to.setMac(entry.mac.as_uint64());
}

Error read(StaticNeighbour& entry, schema::StaticNeighbour::Reader from) {
  read_id(entry.bridge, from.getBridge());
  if (Error error = read_address(entry.address, from.getAddress()); !error.empty()) return error;
  return read_mac(entry.mac, from.getMac());
}
void write(const StaticNeighbour& entry, schema::StaticNeighbour::Builder to) {
  encode(entry.bridge.uuid(), to.initBridge());
  encode(entry.address, to.initAddress());
  to.setMac(entry.mac.as_uint64());
}

Error read(TunnelZone& zone, schema::TunnelZone::Reader from) {
  zone.name = view(from.getName());
  return read_enum(zone.type, from.getType(), TunnelType::gre, "type");
}
void write(const TunnelZone& zone, schema::TunnelZone::Builder to) {
  to.setName(text_of(zone.name));
  to.setType(static_cast<schema::TunnelType>(zone.type));
}

Error read(TunnelZoneHost& member, schema::TunnelZoneHost::Reader from) {
  read_id(member.zone, from.getZone());
  read_id(member.host, from.getHost());
  return read_address(member.address, from.getAddress());
}
void write(const TunnelZoneHost& member, schema::TunnelZoneHost::Builder to) {
  encode(member.zone.uuid(), to.initZone());
  encode(member.host.uuid(), to.initHost());
  encode(member.address, to.initAddress());
}

template <class T, class Reader>
Decoded<Object> decode_as(schema::Object::Reader object, Reader content) {
  T value;
  read_id(value.id, object.getId());
  value.revision = object.getRevision();
  Error error = read(value, content);
  if (!error.empty()) {
    return Decoded<Object>::failure(label_of(ref_of(value), "") + ": " + error);
  }
  return Object(std::move(value));
}

}  // namespace

void encode(const Object& object, schema::Object::Builder to) {
  encode(id_of(object), to.initId());
  to.setRevision(revision_of(object));
  switch (kind_of(object)) {
    case Kind::host:
      return write(std::get<Host>(object), to.initHost());
    case Kind::bridge:
      return write(std::get<Bridge>(object), to.initBridge());
    case Kind::router:
      return write(std::get<Router>(object), to.initRouter());
    case Kind::port:
      return write(std::get<Port>(object), to.initPort());
    case Kind::route:
      return write(std::get<Route>(object), to.initRoute());
    case Kind::static_mac:
      return write(std::get<StaticMac>(object), to.initStaticMac());
    case Kind::static_neighbour:
      return write(std::get<StaticNeighbour>(object), to.initStaticNeighbour());
    case Kind::tunnel_zone:
      return write(std::get<TunnelZone>(object), to.initTunnelZone());
    case Kind::tunnel_zone_host:
      return write(std::get<TunnelZoneHost>(object), to.initTunnelZoneHost());
    case Kind::chain:
      return write(std::get<Chain>(object), to.initChain());
    case Kind::rule:
      return write(std::get<Rule>(object), to.initRule());
    case Kind::port_group:
      return write(std::get<PortGroup>(object), to.initPortGroup());
    case Kind::port_group_port:
      return write(std::get<PortGroupPort>(object), to.initPortGroupPort());
    case Kind::ip_group:
      return write(std::get<IpGroup>(object), to.initIpGroup());
    case Kind::ip_group_address:
      return write(std::get<IpGroupAddress>(object), to.initIpGroupAddress());
    case Kind::load_balancer:
      return write(std::get<LoadBalancer>(object), to.initLoadBalancer());
    case Kind::pool:
      return write(std::get<Pool>(object), to.initPool());
    case Kind::pool_member:
      return write(std::get<PoolMember>(object), to.initPoolMember());
    case Kind::vip:
      return write(std::get<Vip>(object), to.initVip());
    case Kind::health_monitor:
      return write(std::get<HealthMonitor>(object), to.initHealthMonitor());
    case Kind::bgp_peer:
      return write(std::get<BgpPeer>(object), to.initBgpPeer());
    case Kind::bgp_network:
      return write(std::get<BgpNetwork>(object), to.initBgpNetwork());
    case Kind::count_:
      return;
  }
}

Decoded<Object> decode(schema::Object::Reader from) {
  switch (from.which()) {
    case schema::Object::HOST:
      return decode_as<Host>(from, from.getHost());
    case schema::Object::BRIDGE:
      return decode_as<Bridge>(from, from.getBridge());
    case schema::Object::ROUTER:
      return decode_as<Router>(from, from.getRouter());
    case schema::Object::PORT:
      return decode_as<Port>(from, from.getPort());
    case schema::Object::ROUTE:
      return decode_as<Route>(from, from.getRoute());
    case schema::Object::STATIC_MAC:
      return decode_as<StaticMac>(from, from.getStaticMac());
    case schema::Object::STATIC_NEIGHBOUR:
      return decode_as<StaticNeighbour>(from, from.getStaticNeighbour());
    case schema::Object::TUNNEL_ZONE:
      return decode_as<TunnelZone>(from, from.getTunnelZone());
    case schema::Object::TUNNEL_ZONE_HOST:
      return decode_as<TunnelZoneHost>(from, from.getTunnelZoneHost());
    case schema::Object::CHAIN:
      return decode_as<Chain>(from, from.getChain());
    case schema::Object::RULE:
      return decode_as<Rule>(from, from.getRule());
    case schema::Object::PORT_GROUP:
      return decode_as<PortGroup>(from, from.getPortGroup());
    case schema::Object::PORT_GROUP_PORT:
      return decode_as<PortGroupPort>(from, from.getPortGroupPort());
    case schema::Object::IP_GROUP:
      return decode_as<IpGroup>(from, from.getIpGroup());
    case schema::Object::IP_GROUP_ADDRESS:
      return decode_as<IpGroupAddress>(from, from.getIpGroupAddress());
    case schema::Object::LOAD_BALANCER:
      return decode_as<LoadBalancer>(from, from.getLoadBalancer());
    case schema::Object::POOL:
      return decode_as<Pool>(from, from.getPool());
    case schema::Object::POOL_MEMBER:
      return decode_as<PoolMember>(from, from.getPoolMember());
    case schema::Object::VIP:
      return decode_as<Vip>(from, from.getVip());
    case schema::Object::HEALTH_MONITOR:
      return decode_as<HealthMonitor>(from, from.getHealthMonitor());
    case schema::Object::BGP_PEER:
      return decode_as<BgpPeer>(from, from.getBgpPeer());
    case schema::Object::BGP_NETWORK:
      return decode_as<BgpNetwork>(from, from.getBgpNetwork());
  }
  return Decoded<Object>::failure("object " + decode(from.getId()).to_string() + ": unknown kind " +
                                  std::to_string(static_cast<int>(from.which())));
}

schema::Frame encode_object(const Object& object) {
  capnp::MallocMessageBuilder message;
  encode(object, message.initRoot<schema::Object>());
  return schema::Frame::of(message);
}

Decoded<Object> decode_object(std::span<const uint8_t> bytes) {
  auto read =
      schema::with_root<schema::Object>(bytes, {}, [](schema::Object::Reader object) { return decode(object); });
  if (!read) return Decoded<Object>::failure(read.failure().text);
  if (*read && id_of(**read).is_nil()) return Decoded<Object>::failure("object without an id");
  return std::move(*read);
}

}  // namespace viaduct::topology
