// Objects.
#include "topology/codec.hpp"

#include <capnp/message.h>

#include <algorithm>

namespace viaduct::topology {
namespace {

constexpr size_t kMaxListedAddresses = 1024;  // the rules allow far fewer, and say so by name
constexpr uint64_t kMaxMac = 0xffff'ffff'ffffULL;

std::string_view view(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }
template <class IdType>
void read_id(IdType& id, schema::Uuid::Reader from) {
  id = IdType(decode(from));
}

// Reading functions return an error text; empty: none.
using Error = std::string;

Error in(std::string_view field, const std::string& error) { return std::string(field) + ": " + error; }

Error read_mac(MacAddress& mac, uint64_t value) {
  if (value > kMaxMac) return "mac: more than 48 bits";
  mac = MacAddress::from_uint64(value);
  return {};
}

// One that must be there.
Error read_address(IpAddress& to, schema::IpAddress::Reader from) {
  const auto address = decode(from);
  if (!address) return in("address", address.error());
  if (!*address) return "address: missing";
  to = **address;
  return {};
}

Error read(Host& host, schema::Host::Reader from) {
  host.name = view(from.getName());
  return {};
}
void write(const Host& host, schema::Host::Builder to) { to.setName(text_of(host.name)); }

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
Error read(Bridge& bridge, schema::Bridge::Reader from) { return read_device(bridge, from); }
Error read(Router& router, schema::Router::Reader from) { return read_device(router, from); }
void write(const Bridge& bridge, schema::Bridge::Builder to) { write_device(bridge, to); }
void write(const Router& router, schema::Router::Builder to) { write_device(router, to); }

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
  if (port.addresses.empty()) return;
  auto addresses = to.initAddresses(static_cast<unsigned>(port.addresses.size()));
  for (unsigned i = 0; i < addresses.size(); ++i) encode(port.addresses[i], addresses[i]);
}

std::optional<NextHop> decode(schema::NextHop from) {
  switch (from) {
    case schema::NextHop::PORT:
      return NextHop::port;
    case schema::NextHop::LOCAL:
      return NextHop::local;
    case schema::NextHop::BLACKHOLE:
      return NextHop::blackhole;
    case schema::NextHop::REJECT:
      return NextHop::reject;
  }
  return std::nullopt;
}
schema::NextHop encode(NextHop next_hop) {
  switch (next_hop) {
    case NextHop::port:
      return schema::NextHop::PORT;
    case NextHop::local:
      return schema::NextHop::LOCAL;
    case NextHop::blackhole:
      return schema::NextHop::BLACKHOLE;
    case NextHop::reject:
      return schema::NextHop::REJECT;
  }
  return schema::NextHop::REJECT;
}

Error read(Route& route, schema::Route::Reader from) {
  read_id(route.router, from.getRouter());
  auto destination = topology::decode(from.getDestination());
  if (!destination) return in("destination", destination.error());
  route.destination = *destination;
  // A source that was left out is any, of whatever family the destination has.
  route.source = IpPrefix::any(route.destination.family());
  if (from.hasSource() && from.getSource().getAddress().getBytes().size() != 0) {
    auto source = topology::decode(from.getSource());
    if (!source) return in("source", source.error());
    route.source = *source;
  }
  auto next_hop = decode(from.getNextHop());
  if (!next_hop) return "nextHop: unknown value " + std::to_string(static_cast<int>(from.getNextHop()));
  route.next_hop = *next_hop;
  read_id(route.next_hop_port, from.getNextHopPort());
  auto gateway = topology::decode(from.getGateway());
  if (!gateway) return in("gateway", gateway.error());
  route.gateway = *gateway;
  route.weight = from.getWeight();
  return {};
}
void write(const Route& route, schema::Route::Builder to) {
  topology::encode(route.router.uuid(), to.initRouter());
  topology::encode(route.source, to.initSource());
  topology::encode(route.destination, to.initDestination());
  to.setNextHop(encode(route.next_hop));
  if (route.next_hop_port) topology::encode(route.next_hop_port.uuid(), to.initNextHopPort());
  if (route.gateway) topology::encode(*route.gateway, to.initGateway());
  to.setWeight(route.weight);
}

Error read(StaticMac& entry, schema::StaticMac::Reader from) {
  read_id(entry.bridge, from.getBridge());
  read_id(entry.port, from.getPort());
  entry.vlan = from.getVlan();
  return read_mac(entry.mac, from.getMac());
}
void write(const StaticMac& entry, schema::StaticMac::Builder to) {
  topology::encode(entry.bridge.uuid(), to.initBridge());
  topology::encode(entry.port.uuid(), to.initPort());
  to.setVlan(entry.vlan);
  to.setMac(entry.mac.as_uint64());
}

Error read(StaticNeighbour& entry, schema::StaticNeighbour::Reader from) {
  read_id(entry.bridge, from.getBridge());
  auto address = topology::decode(from.getAddress());
  if (!address) return in("address", address.error());
  if (!*address) return "address: missing";
  entry.address = **address;
  return read_mac(entry.mac, from.getMac());
}
void write(const StaticNeighbour& entry, schema::StaticNeighbour::Builder to) {
  topology::encode(entry.bridge.uuid(), to.initBridge());
  topology::encode(entry.address, to.initAddress());
  to.setMac(entry.mac.as_uint64());
}

std::optional<TunnelType> decode(schema::TunnelType from) {
  switch (from) {
    case schema::TunnelType::VXLAN:
      return TunnelType::vxlan;
    case schema::TunnelType::GRE:
      return TunnelType::gre;
  }
  return std::nullopt;
}

Error read(TunnelZone& zone, schema::TunnelZone::Reader from) {
  zone.name = view(from.getName());
  const auto type = decode(from.getType());
  if (!type) return "type: unknown value " + std::to_string(static_cast<int>(from.getType()));
  zone.type = *type;
  return {};
}
void write(const TunnelZone& zone, schema::TunnelZone::Builder to) {
  to.setName(text_of(zone.name));
  to.setType(zone.type == TunnelType::gre ? schema::TunnelType::GRE : schema::TunnelType::VXLAN);
}

Error read(TunnelZoneHost& member, schema::TunnelZoneHost::Reader from) {
  read_id(member.zone, from.getZone());
  read_id(member.host, from.getHost());
  return read_address(member.address, from.getAddress());
}
void write(const TunnelZoneHost& member, schema::TunnelZoneHost::Builder to) {
  topology::encode(member.zone.uuid(), to.initZone());
  topology::encode(member.host.uuid(), to.initHost());
  topology::encode(member.address, to.initAddress());
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
