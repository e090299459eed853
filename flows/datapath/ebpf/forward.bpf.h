/* What a flow does to a packet: checks, then rewrites, then outputs. */
#pragma once

#include <linux/pkt_cls.h>

#include "maps.bpf.h"
#include "parse.bpf.h"
#include "tunnel.bpf.h"
#include "upcall.bpf.h"

/* Bytes behind the Ethernet header; of one segment when the packet is still to be cut (Packet::l3_segment_bytes). */
VD_INLINE __u32 l3_segment_bytes(struct __sk_buff* skb, const struct vd_packet* packet) {
  if (!skb->gso_size || !packet->l4) return skb->len - packet->l3;
  __u32 l4_header = 8;
  __u8 data_offset;
  if (packet->key.ip_proto == kProtoTcp && VD_LOAD(skb, packet->l4 + 12, data_offset))
    l4_header = (data_offset >> 4) * 4;
  return packet->l4 - packet->l3 + l4_header + skb->gso_size;
}

/* RFC 1141: the checksum of the header follows from the old one. */
VD_INLINE _Bool decrement_ipv4(struct __sk_buff* skb, __u32 l3, __u8 times) {
  struct {
    __u8 ttl, protocol;
    __be16 checksum;
  } old;
  if (!VD_LOAD(skb, l3 + 8, old)) return 0;
  old.ttl -= times;
  __u32 sum = bpf_ntohs(old.checksum) + ((__u32)times << 8);
  old.checksum = bpf_htons((__u16)(sum + (sum >> 16)));
  return bpf_skb_store_bytes(skb, l3 + 8, &old, sizeof(old), 0) == 0;
}

VD_INLINE _Bool decrement_ttl(struct __sk_buff* skb, const struct vd_packet* packet, __u8 times) {
  if (packet->key.eth_type == kEthIpv4) return decrement_ipv4(skb, packet->l3, times);
  __u8 hop_limit = packet->key.ip_ttl - times;
  return bpf_skb_store_bytes(skb, packet->l3 + 7, &hop_limit, 1, BPF_F_RECOMPUTE_CSUM) == 0;
}

/* The checksum of layer 4, as an offset in the skb; 0 when addresses are no part of it. The kernel's helpers do what its
 * state wants: in a packet whose checksum is still to be made they change the pseudo-header's sum only. */
VD_INLINE __u32 pseudo_checksum(const struct vd_packet* packet, __u64* flags) {
  const struct vd_key* key = &packet->key;
  if (key->fragment == kFragmentLater) return 0;
  *flags = BPF_F_PSEUDO_HDR;
  if (key->ip_proto == kProtoTcp) return packet->l4 + 16;
  if (key->ip_proto == kProtoUdp) {
    *flags |= BPF_F_MARK_MANGLED_0;
    return packet->l4 + 6;
  }
  return key->ip_proto == kProtoIcmpv6 && key->eth_type == kEthIpv6 ? packet->l4 + 2 : 0;
}

/* Unused bytes of IPv4 addresses are zero on both sides. A finished checksum of the whole packet, as network cards give
 * one, stays right: over IPv4 the header's own checksum makes up for the addresses, over IPv6 BPF_F_RECOMPUTE_CSUM does. */
VD_INLINE _Bool set_ip(struct __sk_buff* skb, const struct vd_packet* packet, const struct vd_flow* flow) {
  __u64 flags = 0;
  __u32 checksum = pseudo_checksum(packet, &flags);
  __s64 change = bpf_csum_diff((__be32*)packet->key.ip_src, 32, (__be32*)flow->ip, 32, 0);
  if (packet->key.eth_type == kEthIpv4) {
    struct {
      __u8 src[4], dst[4];
    } ip;
    __builtin_memcpy(ip.src, flow->ip, 4);
    __builtin_memcpy(ip.dst, flow->ip + 16, 4);
    if (bpf_skb_store_bytes(skb, packet->l3 + 12, &ip, sizeof(ip), 0)) return 0;
    if (bpf_l3_csum_replace(skb, packet->l3 + 10, 0, change, 0)) return 0;
  } else if (bpf_skb_store_bytes(skb, packet->l3 + 8, flow->ip, 32, BPF_F_RECOMPUTE_CSUM)) {
    return 0;
  }
  return !checksum || bpf_l4_csum_replace(skb, checksum, 0, change, flags) == 0;
}

VD_INLINE _Bool set_ports(struct __sk_buff* skb, const struct vd_packet* packet, const struct vd_flow* flow) {
  const struct vd_key* key = &packet->key;
  __be16 before[2] = {bpf_htons(key->l4_src), bpf_htons(key->l4_dst)};
  __be16 after[2] = {bpf_htons(flow->ports[0]), bpf_htons(flow->ports[1])};
  __u32 from, to;
  __builtin_memcpy(&from, before, 4);
  __builtin_memcpy(&to, after, 4);
  if (bpf_skb_store_bytes(skb, packet->l4, &to, 4, 0)) return 0;
  if (key->ip_proto == kProtoTcp) return bpf_l4_csum_replace(skb, packet->l4 + 16, from, to, 4) == 0;
  return bpf_l4_csum_replace(skb, packet->l4 + 6, from, to, 4 | BPF_F_MARK_MANGLED_0) == 0;
}

/* A function of its own: flows without it pay for a test of their flags. */
static __noinline int translate(struct __sk_buff* skb, const struct vd_packet* packet, const struct vd_flow* flow) {
  if (!packet || !flow) return 0;
  if ((flow->flags & kVdSetIp) && !set_ip(skb, packet, flow)) return 0;
  return !(flow->flags & kVdSetPorts) || set_ports(skb, packet, flow);
}

VD_INLINE int output(struct __sk_buff* skb, __u32 number, enum vd_more more) {
  if (number & kVdTunnelOutput) return output_to_tunnel(skb, number & (kVdTunnelOutput - 1), more);
  struct vd_port* port = bpf_map_lookup_elem(&ports, &number);
  if (!port || !(port->flags & kVdPortPresent)) {
    count(kVdOutputGone);
    return TC_ACT_SHOT;
  }
  if (more == kVdMoreOutputs && bpf_clone_redirect(skb, port->ifindex, 0) != 0) {
    count(kVdOutputFailed);
    return TC_ACT_SHOT;
  }
  struct vd_port_counters* of_port = bpf_map_lookup_elem(&port_counters, &number);
  if (of_port) {
    ++of_port->tx_packets;
    of_port->tx_bytes += skb->len;
  }
  if (more == kVdMoreOutputs) return TC_ACT_OK;
  if (port->flags & kVdPortPeer) return (int)bpf_redirect_peer(port->ifindex, 0);
  return (int)bpf_redirect(port->ifindex, 0);
}

VD_INLINE int output_all(struct __sk_buff* skb, const struct vd_flow* flow) {
  __u32 outputs = flow->outputs;
  for (__u32 i = 0; i + 1 < kVdMaxOutputs; ++i) {
    if (i + 1 >= outputs) break;
    output(skb, flow->output[i], kVdMoreOutputs);
  }
  return output(skb, flow->output[(outputs - 1) & (kVdMaxOutputs - 1)], kVdLastOutput);
}

/* `entry`: 0 or kVdTunnelled. */
VD_INLINE int forward(struct __sk_buff* skb, struct vd_packet* packet, struct vd_flow* flow, const __u32 entry) {
  if (flow->dec_ttl && packet->key.ip_ttl <= flow->dec_ttl) return upcall(skb, packet, kVdTtlExpired | entry);
  if (flow->mtu && l3_segment_bytes(skb, packet) > flow->mtu) return upcall(skb, packet, kVdTooBig | entry);
  __sync_fetch_and_add(&flow->packets, 1);
  __sync_fetch_and_add(&flow->bytes, (__u64)skb->len);
  flow->last_used_ns = bpf_ktime_get_coarse_ns();
  /* Read first: most packets bring no flag that is new. */
  if (packet->tcp_flags & ~flow->tcp_flags) __sync_fetch_and_or(&flow->tcp_flags, packet->tcp_flags);
  count(kVdHits);
  if (!flow->outputs) return TC_ACT_SHOT;
  if (((flow->flags & kVdSetEthernet) && bpf_skb_store_bytes(skb, 0, flow->ethernet, 12, 0)) ||
      ((flow->flags & (kVdSetIp | kVdSetPorts)) && !translate(skb, packet, flow)) ||
      (flow->dec_ttl && !decrement_ttl(skb, packet, flow->dec_ttl))) {
    count(kVdRewriteFailed);
    return TC_ACT_SHOT;
  }
  if (flow->outputs == 1) return output(skb, flow->output[0], kVdLastOutput);
  return output_all(skb, flow);
}
