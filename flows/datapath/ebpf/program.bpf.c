// The tc programs: viaduct_ingress on every port of a guest; viaduct_tunnel_ingress and viaduct_tunnel_egress on tunnel
// devices. Ingress: one look-up per class of flows in use, most specific first; a hit is forwarded by its flow, anything
// else goes to user space. No packet of a port reaches the host's own stack.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "forward.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "tunnel.bpf.h"
#include "upcall.bpf.h"

VD_INLINE struct vd_flow* find_flow(const struct vd_key* key, __u32 classes) {
  const void* from = &key->in_port;
  struct vd_flow* flow = 0;
  if (classes & (1 << kVdExact)) flow = bpf_map_lookup_elem(&flows_exact, from);
  if (!flow && (classes & (1 << kVdPorts))) flow = bpf_map_lookup_elem(&flows_ports, from);
  if (!flow && (classes & (1 << kVdAddresses))) flow = bpf_map_lookup_elem(&flows_addresses, from);
  if (!flow && (classes & (1 << kVdEthernet))) flow = bpf_map_lookup_elem(&flows_ethernet, from);
  return flow;
}

VD_INLINE struct vd_flow* find_tunnel_flow(const struct vd_key* key, __u32 classes) {
  struct vd_flow* flow = 0;
  classes >>= kVdTunnelClass;
  if (classes & (1 << kVdExact)) flow = bpf_map_lookup_elem(&tunnel_exact, key);
  if (!flow && (classes & (1 << kVdPorts))) flow = bpf_map_lookup_elem(&tunnel_ports, key);
  if (!flow && (classes & (1 << kVdAddresses))) flow = bpf_map_lookup_elem(&tunnel_addresses, key);
  if (!flow && (classes & (1 << kVdEthernet))) flow = bpf_map_lookup_elem(&tunnel_ethernet, key);
  return flow;
}

/* Null, and counted, when the interface is no port. */
VD_INLINE struct vd_config* enter(struct __sk_buff* skb, struct vd_packet* packet) {
  __u32 ifindex = skb->ifindex;
  __u32 zero = 0;
  struct vd_config* cfg = bpf_map_lookup_elem(&config, &zero);
  __u32* number = bpf_map_lookup_elem(&port_numbers, &ifindex);
  if (!cfg || !number) {
    count(kVdUnknownPort);
    return 0;
  }
  packet->key.in_port = *number;
  struct vd_port_counters* of_port = bpf_map_lookup_elem(&port_counters, number);
  if (of_port) {
    ++of_port->rx_packets;
    of_port->rx_bytes += skb->len;
  }
  return cfg;
}

SEC("tc")
int viaduct_ingress(struct __sk_buff* skb) {
  struct vd_packet packet;
  /* The tunnel is not read here. */
  __builtin_memset(&packet.key.in_port, 0, sizeof(packet) - sizeof(packet.key.tunnel));
  struct vd_config* cfg = enter(skb, &packet);
  if (!cfg) return TC_ACT_OK;
  if (!parse(skb, &packet)) return upcall(skb, &packet, kVdMiss);
  struct vd_flow* flow = find_flow(&packet.key, cfg->classes);
  return flow ? forward(skb, &packet, flow, 0) : upcall(skb, &packet, kVdMiss);
}

SEC("tc")
int viaduct_tunnel_ingress(struct __sk_buff* skb) {
  struct vd_packet packet = {};
  struct vd_config* cfg = enter(skb, &packet);
  if (!cfg) return TC_ACT_OK;
  if (!read_tunnel(skb, &packet.key.tunnel)) {
    count(kVdNoTunnel);
    return TC_ACT_SHOT;
  }
  if (!parse(skb, &packet)) return upcall(skb, &packet, kVdMiss | kVdTunnelled);
  struct vd_flow* flow = find_tunnel_flow(&packet.key, cfg->classes);
  return flow ? forward(skb, &packet, flow, kVdTunnelled) : upcall(skb, &packet, kVdMiss | kVdTunnelled);
}

SEC("tc")
int viaduct_tunnel_egress(struct __sk_buff* skb) {
  __u32 index = skb->mark - kVdTunnelMark;
  struct vd_tunnel_output* to = bpf_map_lookup_elem(&tunnel_outputs, &index);
  skb->mark = 0; /* the host's own rules see none */
  if (!to || !to->tunnel.key) {
    count(kVdNoTunnel);
    return TC_ACT_SHOT;
  }
  if (write_tunnel(skb, &to->tunnel)) return TC_ACT_OK;
  count(kVdOutputFailed);
  return TC_ACT_SHOT;
}

char viaduct_license[] SEC("license") = "Apache-2.0";
