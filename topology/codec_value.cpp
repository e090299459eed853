// Ids, addresses, kinds, references, and the keys in the store.
#include "topology/codec.hpp"

namespace viaduct::topology {

void encode(const Uuid& id, schema::Uuid::Builder to) {
  to.setHigh(id.high());
  to.setLow(id.low());
}
Uuid decode(schema::Uuid::Reader from) { return Uuid::from_words(from.getHigh(), from.getLow()); }

void encode(const IpAddress& address, schema::IpAddress::Builder to) {
  to.setBytes(kj::arrayPtr(address.bytes().data(), address.bytes().size()));
}
Decoded<std::optional<IpAddress>> decode(schema::IpAddress::Reader from) {
  const auto bytes = from.getBytes();
  switch (bytes.size()) {
    case 0:
      return std::optional<IpAddress>();
    case 4:
      return std::optional(IpAddress::from_network(IpFamily::v4, bytes.begin()));
    case 16:
      return std::optional(IpAddress::from_network(IpFamily::v6, bytes.begin()));
    default:
      return Decoded<std::optional<IpAddress>>::failure("an address has 4 or 16 bytes, not " +
                                                        std::to_string(bytes.size()));
  }
}

void encode(const IpPrefix& prefix, schema::IpPrefix::Builder to) {
  encode(prefix.address(), to.initAddress());
  to.setLength(static_cast<uint8_t>(prefix.length()));
}
Decoded<IpPrefix> decode(schema::IpPrefix::Reader from) {
  auto address = decode(from.getAddress());
  if (!address) return Decoded<IpPrefix>::failure(address.error());
  if (!*address) return Decoded<IpPrefix>::failure("the address is missing");
  if (from.getLength() > (*address)->width_bits()) {
    return Decoded<IpPrefix>::failure("prefix length " + std::to_string(from.getLength()) + " is over " +
                                      std::to_string((*address)->width_bits()));
  }
  return IpPrefix(**address, from.getLength());
}

std::optional<Kind> decode(schema::Kind kind) {
  switch (kind) {
    case schema::Kind::HOST:
      return Kind::host;
    case schema::Kind::BRIDGE:
      return Kind::bridge;
    case schema::Kind::ROUTER:
      return Kind::router;
    case schema::Kind::PORT:
      return Kind::port;
    case schema::Kind::ROUTE:
      return Kind::route;
    case schema::Kind::STATIC_MAC:
      return Kind::static_mac;
    case schema::Kind::STATIC_NEIGHBOUR:
      return Kind::static_neighbour;
    case schema::Kind::TUNNEL_ZONE:
      return Kind::tunnel_zone;
    case schema::Kind::TUNNEL_ZONE_HOST:
      return Kind::tunnel_zone_host;
    case schema::Kind::CHAIN:
      return Kind::chain;
    case schema::Kind::RULE:
      return Kind::rule;
    case schema::Kind::PORT_GROUP:
      return Kind::port_group;
    case schema::Kind::PORT_GROUP_PORT:
      return Kind::port_group_port;
    case schema::Kind::IP_GROUP:
      return Kind::ip_group;
    case schema::Kind::IP_GROUP_ADDRESS:
      return Kind::ip_group_address;
    case schema::Kind::LOAD_BALANCER:
      return Kind::load_balancer;
    case schema::Kind::POOL:
      return Kind::pool;
    case schema::Kind::POOL_MEMBER:
      return Kind::pool_member;
    case schema::Kind::VIP:
      return Kind::vip;
    case schema::Kind::HEALTH_MONITOR:
      return Kind::health_monitor;
    case schema::Kind::BGP_PEER:
      return Kind::bgp_peer;
    case schema::Kind::BGP_NETWORK:
      return Kind::bgp_network;
  }
  return std::nullopt;
}
schema::Kind encode(Kind kind) {
  switch (kind) {
    case Kind::bridge:
      return schema::Kind::BRIDGE;
    case Kind::router:
      return schema::Kind::ROUTER;
    case Kind::port:
      return schema::Kind::PORT;
    case Kind::route:
      return schema::Kind::ROUTE;
    case Kind::static_mac:
      return schema::Kind::STATIC_MAC;
    case Kind::static_neighbour:
      return schema::Kind::STATIC_NEIGHBOUR;
    case Kind::tunnel_zone:
      return schema::Kind::TUNNEL_ZONE;
    case Kind::tunnel_zone_host:
      return schema::Kind::TUNNEL_ZONE_HOST;
    case Kind::chain:
      return schema::Kind::CHAIN;
    case Kind::rule:
      return schema::Kind::RULE;
    case Kind::port_group:
      return schema::Kind::PORT_GROUP;
    case Kind::port_group_port:
      return schema::Kind::PORT_GROUP_PORT;
    case Kind::ip_group:
      return schema::Kind::IP_GROUP;
    case Kind::ip_group_address:
      return schema::Kind::IP_GROUP_ADDRESS;
    case Kind::load_balancer:
      return schema::Kind::LOAD_BALANCER;
    case Kind::pool:
      return schema::Kind::POOL;
    case Kind::pool_member:
      return schema::Kind::POOL_MEMBER;
    case Kind::vip:
      return schema::Kind::VIP;
    case Kind::health_monitor:
      return schema::Kind::HEALTH_MONITOR;
    case Kind::bgp_peer:
      return schema::Kind::BGP_PEER;
    case Kind::bgp_network:
      return schema::Kind::BGP_NETWORK;
    case Kind::host:
    case Kind::count_:
      break;
  }
  return schema::Kind::HOST;
}

void encode(const ObjectRef& ref, schema::ObjectRef::Builder to) {
  to.setKind(encode(ref.kind));
  encode(ref.id, to.initId());
}
Decoded<ObjectRef> decode(schema::ObjectRef::Reader from) {
  const auto kind = decode(from.getKind());
  if (!kind) {
    return Decoded<ObjectRef>::failure("unknown kind " + std::to_string(static_cast<int>(from.getKind())));
  }
  return ObjectRef{*kind, decode(from.getId())};
}

std::string key_of(const ObjectRef& ref) {
  return std::string(kObjectKeyPrefix) + std::string(to_string(ref.kind)) + "/" + ref.id.to_string();
}

std::optional<ObjectRef> parse_key(std::string_view key) {
  if (!key.starts_with(kObjectKeyPrefix)) return std::nullopt;
  key.remove_prefix(kObjectKeyPrefix.size());
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto kind = parse_kind(key.substr(0, slash));
  const auto id = Uuid::parse(key.substr(slash + 1));
  if (!kind || !id) return std::nullopt;
  return ObjectRef{*kind, *id};
}

}  // namespace viaduct::topology
