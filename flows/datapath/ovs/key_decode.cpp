#include <arpa/inet.h>
#include <linux/openvswitch.h>

#include <algorithm>

#include "flows/datapath/ovs/key_codec.hpp"
#include "flows/datapath/ovs/layers.hpp"
#include "flows/datapath/ovs/tunnel_codec.hpp"

namespace viaduct::flows::ovs {

namespace {

constexpr uint32_t kNoPort = 0xffff;  // the module's number for "did not come in by a port"

// Reads key and mask side by side. Any field that is matched in part makes the whole not ours.
class Decoder {
 public:
  std::optional<DecodedKey> decode(Bytes key, Bytes mask) {
    if (!key_.parse(key) || !mask_.parse(mask)) return std::nullopt;
    in_port();
    tunnel();
    ethernet();
    // The mask says 0xffff where the key says 0x8100, so both nest in the same way.
    if (tag(Field::vlan, out_.key.vlan_tci, out_.tags.outer)) {
      tag(Field::inner_vlan, out_.key.inner_vlan_tci, out_.tags.inner);
    }
    payload();
    finish();
    if (!whole_) return std::nullopt;
    return out_;
  }

 private:
  // A struct's bytes of one field: all ones in the mask is "matched", all zeros is "not".
  bool matched(Field field, std::span<const uint8_t> mask) {
    bool any = std::any_of(mask.begin(), mask.end(), [](uint8_t byte) { return byte != 0; });
    bool all = std::all_of(mask.begin(), mask.end(), [](uint8_t byte) { return byte == 0xff; });
    whole_ &= any == all;
    if (all) out_.certain.add(field);
    return all;
  }
  template <class T>
  bool matched(Field field, const T& mask) {
    return matched(field, std::span(reinterpret_cast<const uint8_t*>(&mask), sizeof mask));
  }
  template <class T>
  T read(const Attributes& from, unsigned type) {
    return from.get<T>(type).value_or(T{});
  }

  // The module shows its 16 bits under an upper half that is all ones in the mask.
  void in_port() {
    auto mask = static_cast<uint16_t>(read<uint32_t>(mask_, OVS_KEY_ATTR_IN_PORT));
    if (matched(Field::in_port, mask)) out_.key.in_port = {read<uint32_t>(key_, OVS_KEY_ATTR_IN_PORT)};
  }
  void tunnel() {
    if (!key_.has(OVS_KEY_ATTR_TUNNEL)) return;
    Tunnel tunnel = decode_tunnel(key_[OVS_KEY_ATTR_TUNNEL]);
    TunnelMask mask = decode_tunnel_mask(mask_[OVS_KEY_ATTR_TUNNEL], tunnel);
    whole_ &= mask != TunnelMask::partly;
    if (mask != TunnelMask::matched) return;
    out_.certain.add(Field::tunnel);
    out_.key.tunnel = tunnel;
  }
  void ethernet() {
    auto key = read<ovs_key_ethernet>(key_, OVS_KEY_ATTR_ETHERNET);
    auto mask = read<ovs_key_ethernet>(mask_, OVS_KEY_ATTR_ETHERNET);
    if (matched(Field::eth_src, mask.eth_src)) out_.key.eth_src = MacAddress(std::to_array(key.eth_src));
    if (matched(Field::eth_dst, mask.eth_dst)) out_.key.eth_dst = MacAddress(std::to_array(key.eth_dst));
  }
  // Steps inside of a tag. False when there is none.
  bool tag(Field field, uint16_t& tci, uint16_t& type) {
    if (!key_.has(OVS_KEY_ATTR_ENCAP) || !key_.has(OVS_KEY_ATTR_VLAN)) return false;
    uint16_t mask = ntohs(read<uint16_t>(mask_, OVS_KEY_ATTR_VLAN));
    if (mask == 0xffff) {
      out_.certain.add(field);
      tci = ntohs(read<uint16_t>(key_, OVS_KEY_ATTR_VLAN));
    } else {
      whole_ &= mask == FlowKey::kVlanPresent;
    }
    type = ntohs(read<uint16_t>(key_, OVS_KEY_ATTR_ETHERTYPE));
    tagged_.add(field);
    Bytes key = key_[OVS_KEY_ATTR_ENCAP], inner_mask = mask_[OVS_KEY_ATTR_ENCAP];
    whole_ &= key_.parse(key) && mask_.parse(inner_mask);
    return true;
  }
  void payload() {
    if (!matched(Field::eth_type, read<uint16_t>(mask_, OVS_KEY_ATTR_ETHERTYPE))) return;
    auto type = key_.get<uint16_t>(OVS_KEY_ATTR_ETHERTYPE);
    out_.key.eth_type = type ? ntohs(*type) : ethertype::kLlc;
    if (out_.key.eth_type == ethertype::kIpv4) ipv4();
    if (out_.key.eth_type == ethertype::kIpv6) ipv6();
    if (out_.key.eth_type == ethertype::kArp) arp();
    l4();
  }
  void address(Field field, IpFamily family, const void* mask, const void* key, IpAddress& out) {
    auto size = static_cast<size_t>(address_bytes(family));
    if (!matched(field, std::span(static_cast<const uint8_t*>(mask), size))) return;
    out = IpAddress::from_network(family, static_cast<const uint8_t*>(key));
  }
  void fragment(uint8_t mask, uint8_t key) {
    if (!matched(Field::fragment, mask)) return;
    whole_ &= key <= OVS_FRAG_TYPE_MAX;
    out_.key.fragment = static_cast<Fragment>(key);
  }
  void ipv4() {
    auto key = read<ovs_key_ipv4>(key_, OVS_KEY_ATTR_IPV4), mask = read<ovs_key_ipv4>(mask_, OVS_KEY_ATTR_IPV4);
    address(Field::ip_src, IpFamily::v4, &mask.ipv4_src, &key.ipv4_src, out_.key.ip_src);
    address(Field::ip_dst, IpFamily::v4, &mask.ipv4_dst, &key.ipv4_dst, out_.key.ip_dst);
    if (matched(Field::ip_proto, mask.ipv4_proto)) out_.key.ip_proto = key.ipv4_proto;
    if (matched(Field::ip_tos, mask.ipv4_tos)) out_.key.ip_tos = key.ipv4_tos;
    if (matched(Field::ip_ttl, mask.ipv4_ttl)) out_.key.ip_ttl = key.ipv4_ttl;
    fragment(mask.ipv4_frag, key.ipv4_frag);
  }
  void ipv6() {
    auto key = read<ovs_key_ipv6>(key_, OVS_KEY_ATTR_IPV6), mask = read<ovs_key_ipv6>(mask_, OVS_KEY_ATTR_IPV6);
    address(Field::ip_src, IpFamily::v6, mask.ipv6_src, key.ipv6_src, out_.key.ip_src);
    address(Field::ip_dst, IpFamily::v6, mask.ipv6_dst, key.ipv6_dst, out_.key.ip_dst);
    whole_ &= mask.ipv6_label == 0;
    if (matched(Field::ip_proto, mask.ipv6_proto)) out_.key.ip_proto = key.ipv6_proto;
    if (matched(Field::ip_tos, mask.ipv6_tclass)) out_.key.ip_tos = key.ipv6_tclass;
    if (matched(Field::ip_ttl, mask.ipv6_hlimit)) out_.key.ip_ttl = key.ipv6_hlimit;
    fragment(mask.ipv6_frag, key.ipv6_frag);
  }
  void arp() {
    auto key = read<ovs_key_arp>(key_, OVS_KEY_ATTR_ARP), mask = read<ovs_key_arp>(mask_, OVS_KEY_ATTR_ARP);
    address(Field::ip_src, IpFamily::v4, &mask.arp_sip, &key.arp_sip, out_.key.ip_src);
    address(Field::ip_dst, IpFamily::v4, &mask.arp_tip, &key.arp_tip, out_.key.ip_dst);
    // The module keeps only the low byte of the operation, and so the mask comes back as 0x00ff.
    bool exact = ntohs(mask.arp_op) == 0x00ff || mask.arp_op == 0xffff;
    whole_ &= exact || mask.arp_op == 0;
    if (!exact) return;
    out_.certain.add(Field::ip_proto);
    out_.key.ip_proto = static_cast<uint8_t>(ntohs(key.arp_op));
  }
  void ports(unsigned type) {
    auto key = read<ovs_key_tcp>(key_, type), mask = read<ovs_key_tcp>(mask_, type);
    if (matched(Field::l4_src, mask.tcp_src)) out_.key.l4_src = ntohs(key.tcp_src);
    if (matched(Field::l4_dst, mask.tcp_dst)) out_.key.l4_dst = ntohs(key.tcp_dst);
  }
  void type_and_code(unsigned type) {
    auto key = read<ovs_key_icmp>(key_, type), mask = read<ovs_key_icmp>(mask_, type);
    if (matched(Field::l4_src, mask.icmp_type)) out_.key.l4_src = key.icmp_type;
    if (matched(Field::l4_dst, mask.icmp_code)) out_.key.l4_dst = key.icmp_code;
  }
  void l4() {
    switch (l4_kind(out_.key)) {
      case L4Kind::tcp:
        whole_ &= read<uint16_t>(mask_, OVS_KEY_ATTR_TCP_FLAGS) == 0;
        return ports(OVS_KEY_ATTR_TCP);
      case L4Kind::udp:
        return ports(OVS_KEY_ATTR_UDP);
      case L4Kind::sctp:
        return ports(OVS_KEY_ATTR_SCTP);
      case L4Kind::icmp:
        return type_and_code(OVS_KEY_ATTR_ICMP);
      case L4Kind::icmpv6:
        return type_and_code(OVS_KEY_ATTR_ICMPV6);
      case L4Kind::none:
        return;
    }
  }
  void finish() {
    FieldSet there = fields_of(out_.key);
    there.add(tagged_);
    uint32_t absent = FieldSet::all().bits() & ~there.bits();
    if (!out_.certain.has(Field::eth_type)) absent &= ~layer3_fields().bits();
    // Ports of IP without its protocol are refused by representable().
    if (out_.key.is_ip() && !out_.certain.has(Field::ip_proto)) {
      absent &= ~FieldSet{Field::l4_src, Field::l4_dst}.bits();
    }
    out_.ambiguous = FieldSet::from_bits(absent);
  }

  Attributes key_, mask_;
  DecodedKey out_;
  FieldSet tagged_;
  bool whole_ = true;
};

}  // namespace

std::optional<DecodedKey> decode_key(Bytes key, Bytes mask) { return Decoder().decode(key, mask); }

PortNumber decode_in_port(Bytes key) {
  while (auto attribute = next_attribute(key)) {
    if (attribute->type != OVS_KEY_ATTR_IN_PORT || attribute->value.size() < sizeof(uint32_t)) continue;
    uint32_t port;
    std::memcpy(&port, attribute->value.data(), sizeof port);
    return {port == kNoPort ? 0 : port};
  }
  return {};
}

Tunnel decode_tunnel_of(Bytes key, bool& is_tunnel) {
  is_tunnel = false;
  while (auto attribute = next_attribute(key)) {
    if (attribute->type != OVS_KEY_ATTR_TUNNEL) continue;
    is_tunnel = true;
    return decode_tunnel(attribute->value);
  }
  return {};
}

std::optional<FieldSet> MaskResolver::resolve(const DecodedKey& decoded, const FlowId& id) {
  auto fits = [&](uint32_t chosen) {
    FieldSet mask = FieldSet::from_bits(decoded.certain.bits() | (chosen & decoded.ambiguous.bits()));
    return FlowId::of(decoded.key, mask) == id ? std::optional(mask) : std::nullopt;
  };
  for (FieldSet recent : recent_) {
    if (auto mask = fits(recent.bits())) return mask;
  }
  // Every subset of the ambiguous fields: at most 2^10, in practice 2^2 (the tags) or 2^7 (ARP), and then remembered.
  uint32_t all = decoded.ambiguous.bits();
  for (uint32_t subset = all;; subset = (subset - 1) & all) {
    if (auto mask = fits(subset)) {
      recent_.insert(recent_.begin(), *mask);
      if (recent_.size() > kRecent) recent_.pop_back();
      return mask;
    }
    if (subset == 0) return std::nullopt;
  }
}

}  // namespace viaduct::flows::ovs
