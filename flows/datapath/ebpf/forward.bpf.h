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
  count(kVdHits);
  if (!flow->outputs) return TC_ACT_SHOT;
  if (((flow->flags & kVdSetEthernet) && bpf_skb_store_bytes(skb, 0, flow->ethernet, 12, 0)) ||
      (flow->dec_ttl && !decrement_ttl(skb, packet, flow->dec_ttl))) {
    count(kVdRewriteFailed);
    return TC_ACT_SHOT;
  }
  if (flow->outputs == 1) return output(skb, flow->output[0], kVdLastOutput);
  return output_all(skb, flow);
}
