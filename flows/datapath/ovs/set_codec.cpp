#include "flows/datapath/ovs/set_codec.hpp"

#include <arpa/inet.h>
#include <linux/openvswitch.h>

#include <algorithm>

#include "flows/packet/flow_key.hpp"

namespace viaduct::flows::ovs {

namespace {

template <class Header>
struct Masked {
  Header key{}, mask{};
};

// Fields of one header: as they shall be, and all of their bits.
template <class Header, class FieldType>
void set_field(Masked<Header>& masked, FieldType Header::*field, const void* value) {
  std::memcpy(&(masked.key.*field), value, sizeof(FieldType));
  std::memset(&(masked.mask.*field), 0xff, sizeof(FieldType));
}

template <class Header>
void put(MessageBatch& out, uint16_t type, const Masked<Header>& masked) {
  size_t nest = out.open_nest(OVS_ACTION_ATTR_SET_MASKED);
  out.put(type, masked);
  out.close_nest(nest);
}

// What the attribute `type` sets, when its mask is exactly that of `like`.
template <class Header>
std::optional<Header> get(const Attributes& set, uint16_t type, const Masked<Header>& like) {
  auto masked = set.get<Masked<Header>>(type);
  if (!masked || std::memcmp(&masked->mask, &like.mask, sizeof(Header)) != 0) return std::nullopt;
  return masked->key;
}

Masked<ovs_key_ethernet> masked_of(const SetEthernet& set) {
  Masked<ovs_key_ethernet> out;
  set_field(out, &ovs_key_ethernet::eth_src, set.src.bytes().data());
  set_field(out, &ovs_key_ethernet::eth_dst, set.dst.bytes().data());
  return out;
}

Masked<ovs_key_ipv4> masked_v4(const SetIp& set) {
  Masked<ovs_key_ipv4> out;
  set_field(out, &ovs_key_ipv4::ipv4_src, set.src.bytes().data());
  set_field(out, &ovs_key_ipv4::ipv4_dst, set.dst.bytes().data());
  return out;
}

Masked<ovs_key_ipv6> masked_v6(const SetIp& set) {
  Masked<ovs_key_ipv6> out;
  set_field(out, &ovs_key_ipv6::ipv6_src, set.src.storage().data());
  set_field(out, &ovs_key_ipv6::ipv6_dst, set.dst.storage().data());
  return out;
}

// The kernel's structs of TCP, UDP and SCTP are alike, and none has more than ports.
static_assert(sizeof(ovs_key_udp) == sizeof(ovs_key_tcp) && sizeof(ovs_key_sctp) == sizeof(ovs_key_tcp));

Masked<ovs_key_tcp> masked_of(const SetPorts& set) {
  Masked<ovs_key_tcp> out;
  uint16_t src = htons(set.src), dst = htons(set.dst);
  set_field(out, &ovs_key_tcp::tcp_src, &src);
  set_field(out, &ovs_key_tcp::tcp_dst, &dst);
  return out;
}

IpAddress address(IpFamily family, const void* at) {
  return IpAddress::from_network(family, static_cast<const uint8_t*>(at));
}

}  // namespace

void put_set(MessageBatch& out, const SetEthernet& set) { put(out, OVS_KEY_ATTR_ETHERNET, masked_of(set)); }

void put_set(MessageBatch& out, const SetIp& set) {
  if (set.src.is_v4()) return put(out, OVS_KEY_ATTR_IPV4, masked_v4(set));
  put(out, OVS_KEY_ATTR_IPV6, masked_v6(set));
}

void put_set(MessageBatch& out, const SetPorts& set, uint8_t protocol) {
  uint16_t type = protocol == ip_proto::kTcp   ? OVS_KEY_ATTR_TCP
                  : protocol == ip_proto::kUdp ? OVS_KEY_ATTR_UDP
                                               : OVS_KEY_ATTR_SCTP;
  put(out, type, masked_of(set));
}

std::optional<Action> decode_set(Bytes set_masked) {
  Attributes set;
  if (!set.parse(set_masked)) return std::nullopt;
  if (auto ethernet = get(set, OVS_KEY_ATTR_ETHERNET, masked_of(SetEthernet{}))) {
    return SetEthernet{MacAddress(std::to_array(ethernet->eth_src)), MacAddress(std::to_array(ethernet->eth_dst))};
  }
  if (auto ip = get(set, OVS_KEY_ATTR_IPV4, masked_v4({}))) {
    return SetIp{address(IpFamily::v4, &ip->ipv4_src), address(IpFamily::v4, &ip->ipv4_dst)};
  }
  if (auto ip = get(set, OVS_KEY_ATTR_IPV6, masked_v6({}))) {
    return SetIp{address(IpFamily::v6, &ip->ipv6_src), address(IpFamily::v6, &ip->ipv6_dst)};
  }
  for (uint16_t type : {OVS_KEY_ATTR_TCP, OVS_KEY_ATTR_UDP, OVS_KEY_ATTR_SCTP}) {
    if (auto ports = get(set, type, masked_of(SetPorts{}))) {
      return SetPorts{ntohs(ports->tcp_src), ntohs(ports->tcp_dst)};
    }
  }
  return std::nullopt;
}

}  // namespace viaduct::flows::ovs
