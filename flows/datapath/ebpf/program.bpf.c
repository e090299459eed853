// The tc ingress program on every port: one look-up per class of flows in use, most specific first; a hit is forwarded
// by its flow, anything else goes to user space. No packet of a port reaches the host's own stack.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "forward.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "upcall.bpf.h"

static __always_inline struct vd_flow* find_flow(const struct vd_key* key, __u32 classes) {
  struct vd_flow* flow = 0;
  if (classes & (1 << kVdExact)) flow = bpf_map_lookup_elem(&flows_exact, key);
  if (!flow && (classes & (1 << kVdPorts))) flow = bpf_map_lookup_elem(&flows_ports, key);
  if (!flow && (classes & (1 << kVdAddresses))) flow = bpf_map_lookup_elem(&flows_addresses, key);
  if (!flow && (classes & (1 << kVdEthernet))) flow = bpf_map_lookup_elem(&flows_ethernet, key);
  return flow;
}

SEC("tc")
int viaduct_ingress(struct __sk_buff* skb) {
  struct vd_packet packet = {};
  __u32 ifindex = skb->ifindex;
  __u32 zero = 0;
  struct vd_config* cfg = bpf_map_lookup_elem(&config, &zero);
  __u32* number = bpf_map_lookup_elem(&port_numbers, &ifindex);
  if (!cfg || !number) {
    count(kVdUnknownPort);
    return TC_ACT_OK;
  }
  packet.key.in_port = *number;
  struct vd_port_counters* of_port = bpf_map_lookup_elem(&port_counters, number);
  if (of_port) {
    ++of_port->rx_packets;
    of_port->rx_bytes += skb->len;
  }
  if (!parse(skb, &packet)) return upcall(skb, &packet, kVdMiss);
  struct vd_flow* flow = find_flow(&packet.key, cfg->classes);
  return flow ? forward(skb, &packet, flow) : upcall(skb, &packet, kVdMiss);
}

char viaduct_license[] SEC("license") = "Apache-2.0";
