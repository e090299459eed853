// Which fields a packet of a given type has at all, as the kernel module sees it.
#pragma once

#include "flows/match/field_set.hpp"
#include "flows/packet/flow_key.hpp"

namespace viaduct::flows::ovs {

enum class L4Kind : uint8_t { none, tcp, udp, sctp, icmp, icmpv6 };

inline L4Kind l4_kind(const FlowKey& key) {
  if (!key.is_ip() || key.fragment == Fragment::later) return L4Kind::none;
  switch (key.ip_proto) {
    case ip_proto::kTcp:
      return L4Kind::tcp;
    case ip_proto::kUdp:
      return L4Kind::udp;
    case ip_proto::kSctp:
      return L4Kind::sctp;
    case ip_proto::kIcmp:
      return key.eth_type == ethertype::kIpv4 ? L4Kind::icmp : L4Kind::none;
    case ip_proto::kIcmpv6:
      return key.eth_type == ethertype::kIpv6 ? L4Kind::icmpv6 : L4Kind::none;
    default:
      return L4Kind::none;
  }
}

constexpr FieldSet layer3_fields() {
  return {Field::ip_src, Field::ip_dst,   Field::ip_proto, Field::ip_tos,
          Field::ip_ttl, Field::fragment, Field::l4_src,   Field::l4_dst};
}

// The fields whose values the kernel's key of such a packet holds. The tags and
// the tunnel are in it when they are there.
inline FieldSet fields_of(const FlowKey& key) {
  FieldSet out{Field::in_port, Field::eth_src, Field::eth_dst, Field::eth_type};
  if (key.tunnel.present()) out.add(Field::tunnel);
  if (key.vlan_tci != 0) out.add(Field::vlan);
  if (key.inner_vlan_tci != 0) out.add(Field::inner_vlan);
  if (key.eth_type == ethertype::kArp) out.add({Field::ip_src, Field::ip_dst, Field::ip_proto});
  if (key.is_ip()) {
    out.add({Field::ip_src, Field::ip_dst, Field::ip_proto, Field::ip_tos, Field::ip_ttl, Field::fragment});
  }
  if (l4_kind(key) != L4Kind::none) out.add({Field::l4_src, Field::l4_dst});
  return out;
}

}  // namespace viaduct::flows::ovs
