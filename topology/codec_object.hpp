// Parts of the codec of objects: what its files share. Internal to the codec.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "topology/codec.hpp"

namespace viaduct::topology::object_codec {

constexpr size_t kMaxListed = 4096;  // in a list of an object; the rules allow far fewer, and say so by name

// Reading functions return an error text; empty: none.
using Error = std::string;

inline Error in(std::string_view field, const std::string& error) { return std::string(field) + ": " + error; }
inline std::string_view view(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

template <class IdType>
void read_id(IdType& id, schema::Uuid::Reader from) {
  id = IdType(topology::decode(from));
}
Error read_mac(MacAddress& mac, uint64_t value, std::string_view field);
// One that must be there.
Error read_address(IpAddress& to, schema::IpAddress::Reader from, std::string_view field);
Error read_prefix(IpPrefix& to, schema::IpPrefix::Reader from, std::string_view field);

// Enumerations whose enumerants have the same numbers in the model and in the schema; `last` is the greatest.
template <class To, class From>
Error read_enum(To& to, From from, To last, std::string_view field) {
  const auto number = static_cast<uint16_t>(from);
  if (number > static_cast<uint16_t>(last)) return in(field, "unknown value " + std::to_string(number));
  to = static_cast<To>(number);
  return {};
}

// codec_rule.cpp
Error read(Chain& chain, schema::Chain::Reader from);
Error read(Rule& rule, schema::Rule::Reader from);
void write(const Chain& chain, schema::Chain::Builder to);
void write(const Rule& rule, schema::Rule::Builder to);

// codec_group.cpp
Error read(PortGroup& group, schema::PortGroup::Reader from);
Error read(PortGroupPort& member, schema::PortGroupPort::Reader from);
Error read(IpGroup& group, schema::IpGroup::Reader from);
Error read(IpGroupAddress& member, schema::IpGroupAddress::Reader from);
void write(const PortGroup& group, schema::PortGroup::Builder to);
void write(const PortGroupPort& member, schema::PortGroupPort::Builder to);
void write(const IpGroup& group, schema::IpGroup::Builder to);
void write(const IpGroupAddress& member, schema::IpGroupAddress::Builder to);

// codec_load_balancer.cpp
Error read(LoadBalancer& balancer, schema::LoadBalancer::Reader from);
Error read(Pool& pool, schema::Pool::Reader from);
Error read(PoolMember& member, schema::PoolMember::Reader from);
Error read(Vip& vip, schema::Vip::Reader from);
Error read(HealthMonitor& monitor, schema::HealthMonitor::Reader from);
void write(const LoadBalancer& balancer, schema::LoadBalancer::Builder to);
void write(const Pool& pool, schema::Pool::Builder to);
void write(const PoolMember& member, schema::PoolMember::Builder to);
void write(const Vip& vip, schema::Vip::Builder to);
void write(const HealthMonitor& monitor, schema::HealthMonitor::Builder to);

// codec_bgp.cpp
Error read(BgpPeer& peer, schema::BgpPeer::Reader from);
Error read(BgpNetwork& network, schema::BgpNetwork::Reader from);
void write(const BgpPeer& peer, schema::BgpPeer::Builder to);
void write(const BgpNetwork& network, schema::BgpNetwork::Builder to);

}  // namespace viaduct::topology::object_codec
