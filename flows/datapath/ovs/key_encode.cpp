#include <arpa/inet.h>
#include <linux/openvswitch.h>

#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/layers.hpp"
#include "flows/datapath/ovs/tunnel_codec.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr uint16_t kNsh = 0x894f;
constexpr uint16_t kRarp = 0x8035;
constexpr uint16_t kMplsUnicast = 0x8847, kMplsMulticast = 0x8848;
constexpr uint8_t kIpv6Fragment = 44;
constexpr uint8_t kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136;
constexpr uint32_t kMaxPort = 0xfffe;
constexpr IpAddress::Bytes kNoAddress{};

bool type_is_possible(const FlowKey& key) {
  if (key.eth_type == ethertype::kVlan || key.eth_type == ethertype::kQinQ) return key.inner_vlan_tci != 0;
  if (key.eth_type == kNsh) return false;
  return key.eth_type == ethertype::kLlc || key.eth_type >= 0x600;
}

// A value outside of the mask is zero in a masked key, so only the matched ones can be wrong.
bool values_fit(const FlowKey& key, FieldSet mask) {
  IpFamily family = key.eth_type == ethertype::kIpv6 ? IpFamily::v6 : IpFamily::v4;
  FieldSet there = fields_of(key);
  FieldSet absent = FieldSet::from_bits(mask.bits() & ~there.bits());
  if (absent.apply(key) != FlowKey{}) return false;
  if (mask.has(Field::ip_src) && key.ip_src.family() != family) return false;
  if (mask.has(Field::ip_dst) && key.ip_dst.family() != family) return false;
  if (l4_kind(key) == L4Kind::icmp || l4_kind(key) == L4Kind::icmpv6) return key.l4_src <= 0xff && key.l4_dst <= 0xff;
  return true;
}

// The module knows a tunnel by its destination.
bool tunnel_fits(const Tunnel& tunnel) {
  return !tunnel.present() || (tunnel.key <= Tunnel::kMaxKey && tunnel.src.family() == tunnel.dst.family() &&
                               tunnel.src != IpAddress::from_network(tunnel.src.family(), kNoAddress.data()) &&
                               tunnel.dst != IpAddress::from_network(tunnel.dst.family(), kNoAddress.data()));
}

bool tags_fit(const FlowKey& key) {
  bool outer = key.vlan_tci != 0, inner = key.inner_vlan_tci != 0;
  if (outer && !key.is_tagged()) return false;
  if (inner && (key.inner_vlan_tci & FlowKey::kVlanPresent) == 0) return false;
  return outer || !inner;
}

// --- one side, key or mask, of the attributes ---------------------------------------------------

// Writes the fields of `key` that are in `fields`: of a packet all, of a mask the matched ones as all ones.
class Side {
 public:
  Side(MessageBatch& out, const FlowKey& key, FieldSet mask, TagTypes tags, bool is_mask)
      : out_(out), key_(key), mask_(mask), tags_(tags), is_mask_(is_mask) {}

  void put() {
    put_tunnel();
    if (!is_mask_ || mask_.has(Field::in_port)) {
      if (is_mask_ || key_.in_port) out_.put(OVS_KEY_ATTR_IN_PORT, is_mask_ ? ~0U : key_.in_port.value);
    }
    put_ethernet();
    if (key_.vlan_tci == 0) return put_payload();
    size_t outer = open_tag(tags_.outer, key_.vlan_tci, Field::vlan);
    if (key_.inner_vlan_tci == 0) {
      put_payload();
    } else {
      size_t inner = open_tag(tags_.inner, key_.inner_vlan_tci, Field::inner_vlan);
      put_payload();
      out_.close_nest(inner);
    }
    out_.close_nest(outer);
  }

 private:
  template <class T>
  T value(Field field, T of_key) const {
    if (!is_mask_) return of_key;
    return mask_.has(field) ? static_cast<T>(~T{}) : T{};
  }
  void fill(uint8_t* to, Field field, std::span<const uint8_t> of_key) const {
    for (size_t i = 0; i < of_key.size(); ++i) to[i] = value(field, of_key[i]);
  }

  void put_tunnel() {
    if (!key_.tunnel.present()) return;  // and a flow of other packets must not speak of one
    if (!is_mask_) return put_tunnel_key(out_, key_.tunnel);
    if (mask_.has(Field::tunnel)) put_tunnel_mask(out_, key_.tunnel);
  }
  void put_ethernet() {
    if (is_mask_ && !mask_.has(Field::eth_src) && !mask_.has(Field::eth_dst)) return;
    ovs_key_ethernet ethernet{};
    fill(ethernet.eth_src, Field::eth_src, key_.eth_src.bytes());
    fill(ethernet.eth_dst, Field::eth_dst, key_.eth_dst.bytes());
    out_.put(OVS_KEY_ATTR_ETHERNET, ethernet);
  }
  // The bit that says "there is a tag" is always matched.
  size_t open_tag(uint16_t type, uint16_t tci, Field field) {
    out_.put(OVS_KEY_ATTR_ETHERTYPE, is_mask_ ? uint16_t{0xffff} : htons(type));
    uint16_t shown = is_mask_ ? static_cast<uint16_t>(value(field, tci) | FlowKey::kVlanPresent) : tci;
    out_.put(OVS_KEY_ATTR_VLAN, htons(shown));
    return out_.open_nest(OVS_KEY_ATTR_ENCAP);
  }
  void put_payload() {
    // No type in the key and an exact one in the mask: 802.3.
    if (is_mask_) {
      if (!mask_.has(Field::eth_type)) return;
      out_.put(OVS_KEY_ATTR_ETHERTYPE, uint16_t{0xffff});
    } else if (mask_.has(Field::eth_type) && key_.eth_type != ethertype::kLlc) {
      out_.put(OVS_KEY_ATTR_ETHERTYPE, htons(key_.eth_type));
    } else {
      return;
    }
    switch (key_.eth_type) {
      case ethertype::kIpv4:
        put_ipv4();
        return put_l4();
      case ethertype::kIpv6:
        put_ipv6();
        return put_l4();
      case ethertype::kArp:
        return put_arp();
      case kRarp:
        if (!is_mask_) out_.put(OVS_KEY_ATTR_ARP, ovs_key_arp{});
        return;
      case kMplsUnicast:
      case kMplsMulticast:
        if (!is_mask_) out_.put(OVS_KEY_ATTR_MPLS, ovs_key_mpls{});
        return;
      default:
        return;
    }
  }
  void put_ipv4() {
    ovs_key_ipv4 ip{};
    fill(reinterpret_cast<uint8_t*>(&ip.ipv4_src), Field::ip_src, std::span(key_.ip_src.storage()).first(4));
    fill(reinterpret_cast<uint8_t*>(&ip.ipv4_dst), Field::ip_dst, std::span(key_.ip_dst.storage()).first(4));
    ip.ipv4_proto = value(Field::ip_proto, key_.ip_proto);
    ip.ipv4_tos = value(Field::ip_tos, key_.ip_tos);
    ip.ipv4_ttl = value(Field::ip_ttl, key_.ip_ttl);
    ip.ipv4_frag = value(Field::fragment, static_cast<uint8_t>(key_.fragment));
    out_.put(OVS_KEY_ATTR_IPV4, ip);
  }
  void put_ipv6() {
    ovs_key_ipv6 ip{};
    fill(reinterpret_cast<uint8_t*>(ip.ipv6_src), Field::ip_src, key_.ip_src.storage());
    fill(reinterpret_cast<uint8_t*>(ip.ipv6_dst), Field::ip_dst, key_.ip_dst.storage());
    ip.ipv6_proto = value(Field::ip_proto, key_.ip_proto);
    ip.ipv6_tclass = value(Field::ip_tos, key_.ip_tos);
    ip.ipv6_hlimit = value(Field::ip_ttl, key_.ip_ttl);
    ip.ipv6_frag = value(Field::fragment, static_cast<uint8_t>(key_.fragment));
    out_.put(OVS_KEY_ATTR_IPV6, ip);
  }
  void put_arp() {
    ovs_key_arp arp{};
    fill(reinterpret_cast<uint8_t*>(&arp.arp_sip), Field::ip_src, std::span(key_.ip_src.storage()).first(4));
    fill(reinterpret_cast<uint8_t*>(&arp.arp_tip), Field::ip_dst, std::span(key_.ip_dst.storage()).first(4));
    arp.arp_op = is_mask_ ? value(Field::ip_proto, uint16_t{}) : htons(key_.ip_proto);
    out_.put(OVS_KEY_ATTR_ARP, arp);
  }
  void put_l4() {
    if (is_mask_ && !mask_.has(Field::ip_proto)) return;
    switch (l4_kind(key_)) {
      case L4Kind::tcp:
        put_ports(OVS_KEY_ATTR_TCP);
        return out_.put(OVS_KEY_ATTR_TCP_FLAGS, uint16_t{0});
      case L4Kind::udp:
        return put_ports(OVS_KEY_ATTR_UDP);
      case L4Kind::sctp:
        return put_ports(OVS_KEY_ATTR_SCTP);
      case L4Kind::icmp:
        return put_type_and_code(OVS_KEY_ATTR_ICMP);
      case L4Kind::icmpv6:
        put_type_and_code(OVS_KEY_ATTR_ICMPV6);
        if (!is_mask_ && (key_.l4_src == kNeighbourSolicitation || key_.l4_src == kNeighbourAdvertisement)) {
          out_.put(OVS_KEY_ATTR_ND, ovs_key_nd{});
        }
        return;
      case L4Kind::none:
        return;
    }
  }
  void put_ports(uint16_t type) {
    ovs_key_tcp ports{htons(value(Field::l4_src, key_.l4_src)), htons(value(Field::l4_dst, key_.l4_dst))};
    out_.put(type, ports);
  }
  void put_type_and_code(uint16_t type) {
    ovs_key_icmp icmp{value(Field::l4_src, static_cast<uint8_t>(key_.l4_src)),
                      value(Field::l4_dst, static_cast<uint8_t>(key_.l4_dst))};
    out_.put(type, icmp);
  }

  MessageBatch& out_;
  const FlowKey& key_;
  FieldSet mask_;
  TagTypes tags_;
  bool is_mask_;
};

}  // namespace

bool representable(const FlowKey& key, FieldSet mask) {
  if (mask.has(Field::in_port) && (!key.in_port || key.in_port.value > kMaxPort)) return false;
  if (!tags_fit(key) || !tunnel_fits(key.tunnel)) return false;
  if (!mask.has(Field::eth_type)) return (mask.bits() & layer3_fields().bits()) == 0;
  if (!type_is_possible(key) || !values_fit(key, mask)) return false;
  if (!key.is_ip()) return true;
  bool l4 = mask.has(Field::l4_src) || mask.has(Field::l4_dst);
  if (l4 && !mask.has(Field::ip_proto)) return false;
  return !(key.eth_type == ethertype::kIpv6 && key.fragment == Fragment::later && mask.has(Field::ip_proto) &&
           key.ip_proto != kIpv6Fragment);
}

const FlowKey& best_key(const Flow& flow, const FlowKey& packet) {
  bool l4 = flow.mask.has(Field::l4_src) || flow.mask.has(Field::l4_dst);
  bool same = !l4 || l4_kind(packet) == l4_kind(flow.key);
  return same && flow.matches(packet) && representable(packet, flow.mask) ? packet : flow.key;
}

void put_key_and_mask(MessageBatch& out, const FlowKey& key, FieldSet mask, TagTypes tags) {
  size_t nest = out.open_nest(OVS_FLOW_ATTR_KEY);
  Side(out, key, mask, tags, false).put();
  out.close_nest(nest);
  nest = out.open_nest(OVS_FLOW_ATTR_MASK);
  Side(out, key, mask, tags, true).put();
  out.close_nest(nest);
}

void put_packet_key(MessageBatch& out, uint16_t type, PortNumber in_port) {
  size_t nest = out.open_nest(type);
  if (in_port) out.put(OVS_KEY_ATTR_IN_PORT, in_port.value);
  out.close_nest(nest);
}

}  // namespace viaduct::flows::ovs
