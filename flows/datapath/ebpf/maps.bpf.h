/* The maps of the tc program. All are pinned by name below <bpffs>/viaduct/<datapath>/, so that they and what they hold
 * outlive the daemon. The driver sets the sizes of the flow maps before it loads the program. */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "layout.h"

/* One map per class; a map that never held a flow costs nothing (vd_config.classes). Entries are allocated one by one,
 * so that the bound (max_flows) costs memory only when it is used. */
#define VD_FLOW_MAP(map_name, bytes)            \
  struct {                                      \
    __uint(type, BPF_MAP_TYPE_HASH);            \
    __uint(map_flags, BPF_F_NO_PREALLOC);       \
    __uint(key_size, bytes);                    \
    __uint(value_size, sizeof(struct vd_flow)); \
    __uint(max_entries, 1);                     \
    __uint(pinning, LIBBPF_PIN_BY_NAME);        \
  } map_name SEC(".maps")

VD_FLOW_MAP(flows_ethernet, kVdEthernetKeyBytes);
VD_FLOW_MAP(flows_addresses, kVdAddressesKeyBytes);
VD_FLOW_MAP(flows_ports, kVdPortsKeyBytes);
VD_FLOW_MAP(flows_exact, kVdExactKeyBytes);
VD_FLOW_MAP(tunnel_ethernet, kVdTunnelKeyBytes + kVdEthernetKeyBytes);
VD_FLOW_MAP(tunnel_addresses, kVdTunnelKeyBytes + kVdAddressesKeyBytes);
VD_FLOW_MAP(tunnel_ports, kVdTunnelKeyBytes + kVdPortsKeyBytes);
VD_FLOW_MAP(tunnel_exact, kVdTunnelKeyBytes + kVdExactKeyBytes);

/* By index: what flows and workers output to other hosts. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct vd_tunnel_output);
  __uint(max_entries, kVdMaxTunnelOutputs);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} tunnel_outputs SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct vd_config);
  __uint(max_entries, 1);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} config SEC(".maps");

/* Port numbers by interface index. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, kVdMaxPorts);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} port_numbers SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct vd_port);
  __uint(max_entries, kVdMaxPorts);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} ports SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, struct vd_port_counters);
  __uint(max_entries, kVdMaxPorts);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} port_counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, kVdCounters);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} counters SEC(".maps");

struct vd_ring {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, kVdRingBytes);
};

/* One ring per packet worker, made and pinned ("ring_0", ...) by the driver. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, kVdMaxWorkers);
  __type(key, __u32);
  __type(value, __u32);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __array(values, struct vd_ring);
} rings SEC(".maps");

static __always_inline void count(__u32 which) {
  __u64* counter = bpf_map_lookup_elem(&counters, &which);
  if (counter) ++*counter;
}
