/* From an skb to a vd_key: the kernel's half of flows/packet/parse.cpp. Both must read a packet alike, or flows would be
 * installed that no packet ever hits; whatever that parser calls an error is an error here, and goes to user space. */
#pragma once

#include <bpf/bpf_endian.h>

#include "maps.bpf.h"

#define VD_INLINE static __always_inline

enum {
  kEthIpv4 = 0x0800,
  kEthArp = 0x0806,
  kEthVlan = 0x8100,
  kEthQinQ = 0x88a8,
  kEthIpv6 = 0x86dd,
  kEthLlc = 0x05ff,
  kVlanPresent = 0x1000,
  kProtoHopByHop = 0,
  kProtoIcmp = 1,
  kProtoTcp = 6,
  kProtoUdp = 17,
  kProtoRouting = 43,
  kProtoFragment = 44,
  kProtoAuthentication = 51,
  kProtoIcmpv6 = 58,
  kProtoNoNext = 59,
  kProtoDestination = 60,
  kProtoSctp = 132,
  kFragmentNone = 0,
  kFragmentFirst = 1,
  kFragmentLater = 2,
};

struct vd_packet {
  struct vd_key key;
  __u32 l3; /* offsets in the skb's data, which lacks the outer VLAN tag */
  __u32 l4;
  __u32 tcp_flags; /* 0 for other protocols */
};

#define VD_LOAD(skb, offset, to) (bpf_skb_load_bytes(skb, offset, &(to), sizeof(to)) == 0)

VD_INLINE _Bool is_vlan(__u16 type) { return type == kEthVlan || type == kEthQinQ; }

/* At most two tags; the kernel has taken the outer one out of the data already. */
VD_INLINE _Bool parse_ethernet(struct __sk_buff* skb, struct vd_packet* packet) {
  struct vd_key* key = &packet->key;
  __be16 type;
  __be16 tag[2];
  if (bpf_skb_load_bytes(skb, 0, key->eth_dst, 6) || bpf_skb_load_bytes(skb, 6, key->eth_src, 6)) return 0;
  if (!VD_LOAD(skb, 12, type)) return 0;
  packet->l3 = 14;
  if (skb->vlan_present) key->vlan_tci = (__u16)skb->vlan_tci | kVlanPresent;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    if (!is_vlan(bpf_ntohs(type)) || key->inner_vlan_tci) break;
    if (!VD_LOAD(skb, packet->l3, tag)) return 0;
    __u16 tci = bpf_ntohs(tag[0]) | kVlanPresent;
    if (key->vlan_tci)
      key->inner_vlan_tci = tci;
    else
      key->vlan_tci = tci;
    type = tag[1];
    packet->l3 += 4;
  }
  key->eth_type = bpf_ntohs(type);
  if (key->eth_type >= 0x600) return 1;
  __u32 length = key->eth_type;
  key->eth_type = kEthLlc;
  return packet->l3 + length <= skb->len;
}

VD_INLINE _Bool tcp_is_sound(struct __sk_buff* skb, struct vd_packet* packet, __u32 bytes) {
  struct {
    __u8 data_offset, flags;
  } tcp;
  if (bytes < 20 || !VD_LOAD(skb, packet->l4 + 12, tcp)) return 0;
  packet->tcp_flags = tcp.flags;
  __u32 header = (tcp.data_offset >> 4) * 4;
  return header >= 20 && (packet->key.fragment != kFragmentNone || header <= bytes);
}

VD_INLINE _Bool udp_is_sound(struct __sk_buff* skb, const struct vd_packet* packet, __u32 bytes) {
  __be16 length;
  if (bytes < 8 || !VD_LOAD(skb, packet->l4 + 4, length)) return 0;
  __u32 claimed = bpf_ntohs(length);
  return packet->key.fragment != kFragmentNone || (claimed >= 8 && claimed <= bytes);
}

/* The fixed header must be there in full, also in a first fragment. `end` is where the IP packet ends. */
VD_INLINE _Bool parse_l4(struct __sk_buff* skb, struct vd_packet* packet, __u32 end) {
  struct vd_key* key = &packet->key;
  __u32 bytes = end - packet->l4;
  __be16 ports[2];
  __u8 icmp[2];
  switch (key->ip_proto) {
    case kProtoTcp:
      if (!tcp_is_sound(skb, packet, bytes)) return 0;
      break;
    case kProtoUdp:
      if (!udp_is_sound(skb, packet, bytes)) return 0;
      break;
    case kProtoSctp:
      if (bytes < 12) return 0;
      break;
    case kProtoIcmp:
    case kProtoIcmpv6:
      if ((key->eth_type == kEthIpv4) != (key->ip_proto == kProtoIcmp)) return 1;
      if (bytes < 8 || !VD_LOAD(skb, packet->l4, icmp)) return 0;
      key->l4_src = icmp[0];
      key->l4_dst = icmp[1];
      return 1;
    default:
      return 1;
  }
  if (!VD_LOAD(skb, packet->l4, ports)) return 0;
  key->l4_src = bpf_ntohs(ports[0]);
  key->l4_dst = bpf_ntohs(ports[1]);
  return 1;
}

struct vd_ipv4 {
  __u8 version_length, tos;
  __be16 total_length, id, fragment;
  __u8 ttl, protocol;
  __be16 checksum;
  __u8 src[4], dst[4];
};

VD_INLINE _Bool parse_ipv4(struct __sk_buff* skb, struct vd_packet* packet) {
  struct vd_key* key = &packet->key;
  struct vd_ipv4 ip;
  if (!VD_LOAD(skb, packet->l3, ip)) return 0;
  __u32 header = (ip.version_length & 15) * 4;
  __u32 total = bpf_ntohs(ip.total_length);
  if (ip.version_length >> 4 != 4 || header < 20 || total < header || packet->l3 + total > skb->len) return 0;
  __builtin_memcpy(key->ip_src, ip.src, 4);
  __builtin_memcpy(key->ip_dst, ip.dst, 4);
  key->ip_proto = ip.protocol;
  key->ip_tos = ip.tos;
  key->ip_ttl = ip.ttl;
  __u16 fragment = bpf_ntohs(ip.fragment);
  if ((fragment & 0x1fff) * 8 + total > 0xffff) return 0;
  if (fragment & 0x1fff) {
    key->fragment = kFragmentLater;
    return 1;
  }
  if (fragment & 0x2000) key->fragment = kFragmentFirst;
  packet->l4 = packet->l3 + header;
  return parse_l4(skb, packet, packet->l3 + total);
}

struct vd_ipv6 {
  __be32 version_class_label;
  __be16 payload_length;
  __u8 next, hop_limit;
  __u8 src[16], dst[16];
};

struct vd_extension {
  __u8 next, length;
  __be16 fragment;
  __be32 id;
};

enum vd_walk { kWalkOn, kWalkDone, kWalkError };

/* One extension header: moves packet->l4 behind it. */
VD_INLINE enum vd_walk walk_extension(struct __sk_buff* skb, struct vd_packet* packet, __u32 end) {
  struct vd_key* key = &packet->key;
  struct vd_extension header;
  __u32 bytes;
  __u8 kind = key->ip_proto;
  if (kind != kProtoHopByHop && kind != kProtoRouting && kind != kProtoDestination && kind != kProtoFragment &&
      kind != kProtoAuthentication)
    return kWalkDone;
  if (packet->l4 + sizeof(header) > end || !VD_LOAD(skb, packet->l4, header)) return kWalkError;
  if (kind == kProtoFragment) {
    bytes = 8;
    __u16 fragment = bpf_ntohs(header.fragment);
    key->fragment = fragment & 0xfff8 ? kFragmentLater : kFragmentFirst;
  } else if (kind == kProtoAuthentication) {
    bytes = ((__u32)header.length + 2) * 4;
  } else {
    bytes = ((__u32)header.length + 1) * 8;
  }
  if (packet->l4 + bytes > end) return kWalkError;
  packet->l4 += bytes;
  key->ip_proto = header.next;
  return key->fragment == kFragmentLater ? kWalkDone : kWalkOn;
}

VD_INLINE _Bool parse_ipv6(struct __sk_buff* skb, struct vd_packet* packet) {
  struct vd_key* key = &packet->key;
  struct vd_ipv6 ip;
  if (!VD_LOAD(skb, packet->l3, ip)) return 0;
  __u32 first = bpf_ntohl(ip.version_class_label);
  __u32 end = packet->l3 + sizeof(ip) + bpf_ntohs(ip.payload_length);
  /* Jumbograms (RFC 2675) are for user space. */
  if (first >> 28 != 6 || end > skb->len || (!ip.payload_length && ip.next == kProtoHopByHop)) return 0;
  __builtin_memcpy(key->ip_src, ip.src, 16);
  __builtin_memcpy(key->ip_dst, ip.dst, 16);
  key->ip_proto = ip.next;
  key->ip_tos = first >> 20;
  key->ip_ttl = ip.hop_limit;
  packet->l4 = packet->l3 + sizeof(ip);
  for (int i = 0; i <= kVdMaxExtensionHeaders; ++i) {
    enum vd_walk walk = walk_extension(skb, packet, end);
    if (walk == kWalkError) return 0;
    if (walk == kWalkDone) return key->fragment == kFragmentLater ? 1 : parse_l4(skb, packet, end);
  }
  return 0;
}

struct vd_arp {
  __be16 hardware, protocol;
  __u8 hardware_bytes, protocol_bytes;
  __be16 operation;
  __u8 sender_mac[6], sender_ip[4], target_mac[6], target_ip[4];
} __attribute__((packed));

VD_INLINE _Bool parse_arp(struct __sk_buff* skb, struct vd_packet* packet) {
  struct vd_arp arp;
  if (!VD_LOAD(skb, packet->l3, arp)) return 0;
  if (arp.hardware != bpf_htons(1) || arp.protocol != bpf_htons(kEthIpv4) || arp.hardware_bytes != 6 ||
      arp.protocol_bytes != 4)
    return 1; /* legal, and without fields for us */
  __u16 operation = bpf_ntohs(arp.operation);
  packet->key.ip_proto = operation <= 0xff ? (__u8)operation : 0;
  __builtin_memcpy(packet->key.ip_src, arp.sender_ip, 4);
  __builtin_memcpy(packet->key.ip_dst, arp.target_ip, 4);
  return 1;
}

VD_INLINE _Bool parse(struct __sk_buff* skb, struct vd_packet* packet) {
  if (!parse_ethernet(skb, packet)) return 0;
  switch (packet->key.eth_type) {
    case kEthIpv4:
      return parse_ipv4(skb, packet);
    case kEthIpv6:
      return parse_ipv6(skb, packet);
    case kEthArp:
      return parse_arp(skb, packet);
    default:
      return 1;
  }
}
