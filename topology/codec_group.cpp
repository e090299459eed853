// Groups of ports and addresses; and what all codecs of objects share.
#include "topology/codec_object.hpp"

namespace viaduct::topology::object_codec {

Error read_mac(MacAddress& mac, uint64_t value, std::string_view field) {
  if (value > 0xffff'ffff'ffffULL) return in(field, "more than 48 bits");
  mac = MacAddress::from_uint64(value);
  return {};
}
Error read_address(IpAddress& to, schema::IpAddress::Reader from, std::string_view field) {
  const auto address = topology::decode(from);
  if (!address) return in(field, address.error());
  if (!*address) return in(field, "missing");
  to = **address;
  return {};
}
Error read_prefix(IpPrefix& to, schema::IpPrefix::Reader from, std::string_view field) {
  const auto prefix = topology::decode(from);
  if (!prefix) return in(field, prefix.error());
  to = *prefix;
  return {};
}

Error read(PortGroup& group, schema::PortGroup::Reader from) {
  group.name = view(from.getName());
  group.tenant = view(from.getTenant());
  group.stateful = from.getStateful();
  return {};
}
void write(const PortGroup& group, schema::PortGroup::Builder to) {
  to.setName(text_of(group.name));
  to.setTenant(text_of(group.tenant));
  to.setStateful(group.stateful);
}

Error read(PortGroupPort& member, schema::PortGroupPort::Reader from) {
  read_id(member.group, from.getGroup());
  read_id(member.port, from.getPort());
  return {};
}
void write(const PortGroupPort& member, schema::PortGroupPort::Builder to) {
  topology::encode(member.group.uuid(), to.initGroup());
  topology::encode(member.port.uuid(), to.initPort());
}

Error read(IpGroup& group, schema::IpGroup::Reader from) {
  group.name = view(from.getName());
  group.tenant = view(from.getTenant());
  return {};
}
void write(const IpGroup& group, schema::IpGroup::Builder to) {
  to.setName(text_of(group.name));
  to.setTenant(text_of(group.tenant));
}

Error read(IpGroupAddress& member, schema::IpGroupAddress::Reader from) {
  read_id(member.group, from.getGroup());
  return read_prefix(member.prefix, from.getPrefix(), "prefix");
}
void write(const IpGroupAddress& member, schema::IpGroupAddress::Builder to) {
  topology::encode(member.group.uuid(), to.initGroup());
  topology::encode(member.prefix, to.initPrefix());
}

}  // namespace viaduct::topology::object_codec
