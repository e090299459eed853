/* Packets between hosts: what the outer header said, and what it shall say. The kernel's tunnel devices make and take it
 * off; these programs read and write the metadata beside the packet. */
#pragma once

#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>

#include "maps.bpf.h"
#include "parse.bpf.h"

enum vd_more { kVdLastOutput, kVdMoreOutputs };

VD_INLINE _Bool read_tunnel(struct __sk_buff* skb, struct vd_tunnel* tunnel) {
  struct bpf_tunnel_key key = {};
  if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), 0) == 0) {
    __be32 src = bpf_htonl(key.remote_ipv4), dst = bpf_htonl(key.local_ipv4);
    __builtin_memcpy(tunnel->src, &src, sizeof(src));
    __builtin_memcpy(tunnel->dst, &dst, sizeof(dst));
  } else if (bpf_skb_get_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6) == 0) {
    tunnel->is_ipv6 = 1;
    __builtin_memcpy(tunnel->src, key.remote_ipv6, sizeof(tunnel->src));
    __builtin_memcpy(tunnel->dst, key.local_ipv6, sizeof(tunnel->dst));
  } else {
    return 0;
  }
  tunnel->key = key.tunnel_id;
  return tunnel->key != 0;
}

/* RFC 7348, 4.1: no checksum outside. */
VD_INLINE _Bool write_tunnel(struct __sk_buff* skb, const struct vd_tunnel* tunnel) {
  struct bpf_tunnel_key key = {};
  key.tunnel_id = tunnel->key;
  key.tunnel_tos = tunnel->tos;
  key.tunnel_ttl = 64;
  if (tunnel->is_ipv6) {
    __builtin_memcpy(key.remote_ipv6, tunnel->dst, sizeof(key.remote_ipv6));
    __builtin_memcpy(key.local_ipv6, tunnel->src, sizeof(key.local_ipv6));
    return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6 | BPF_F_ZERO_CSUM_TX) == 0;
  }
  __be32 src, dst;
  __builtin_memcpy(&src, tunnel->src, sizeof(src));
  __builtin_memcpy(&dst, tunnel->dst, sizeof(dst));
  key.local_ipv4 = bpf_ntohl(src);
  key.remote_ipv4 = bpf_ntohl(dst);
  return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_DONT_FRAGMENT | BPF_F_ZERO_CSUM_TX) == 0;
}

/* Into the tunnel device, where viaduct_tunnel_egress finds by the mark where to. Synchronous, as these devices have no
 * queue. */
static __noinline int output_to_tunnel(struct __sk_buff* skb, __u32 index, __u32 more) {
  struct vd_tunnel_output* to = bpf_map_lookup_elem(&tunnel_outputs, &index);
  __u32 number = to ? to->port : 0;
  struct vd_port* port = bpf_map_lookup_elem(&ports, &number);
  if (!to || !port || !(port->flags & kVdPortPresent)) {
    count(kVdOutputGone);
    return TC_ACT_SHOT;
  }
  skb->mark = kVdTunnelMark | index;
  if (more == kVdMoreOutputs) {
    long error = bpf_clone_redirect(skb, port->ifindex, 0);
    skb->mark = 0;
    if (error) {
      count(kVdOutputFailed);
      return TC_ACT_SHOT;
    }
  }
  struct vd_port_counters* of_port = bpf_map_lookup_elem(&port_counters, &number);
  if (of_port) {
    ++of_port->tx_packets;
    of_port->tx_bytes += skb->len;
  }
  return more == kVdMoreOutputs ? TC_ACT_OK : (int)bpf_redirect(port->ifindex, 0);
}
