/* The memory that the tc program and the driver share: the layout of every pinned map. Read by clang -target bpf (C) and
 * by the driver (C++), so only plain structs here.
 *
 * kVdLayoutVersion names this layout. A daemon that finds pinned maps of another version removes them and starts anew:
 * increase it with every change to a struct, a map or the meaning of a field.
 *
 * Byte order: addresses as on the wire; all integers in host order.
 */
#ifndef VIADUCT_DATAPATH_EBPF_LAYOUT_H_
#define VIADUCT_DATAPATH_EBPF_LAYOUT_H_

#include <stdint.h>

enum {
  kVdMagic = 0x56444450, /* "VDDP" */
  kVdLayoutVersion = 5,
  kVdMaxPorts = 8192, /* port numbers are 1..8191 */
  kVdMaxWorkers = 16,
  kVdMaxOutputs = 32,
  kVdRecipeBytes = 44,
  kVdRingBytes = 8 << 20, /* a worker's ring to user space */
  /* A port's share of one ring: so many noisy ports with full frames fit beside each other. */
  kVdPortQueueBytes = 512 << 10,
  kVdMaxExtensionHeaders = 16,
  /* Distinct tunnel outputs. The first ones belong to workers, for packets from user space: so many each. */
  kVdMaxTunnelOutputs = 32768,
  kVdWorkerTunnelOutputs = 64,
  kVdFirstFlowTunnelOutput = kVdMaxWorkers * kVdWorkerTunnelOutputs,
  kVdTunnelOutput = 0x8000,   /* in vd_flow.output: the rest is an index of tunnel_outputs and not a port */
  kVdTunnelMark = 0x76640000, /* skb->mark of a packet on its way into a tunnel device: with that index */
};

/* How much of a packet a flow is looked up by. A class is a prefix of struct vd_key, from in_port on; a higher class is
 * asked first. Packets from tunnel ports have classes of their own, whose keys begin with the tunnel. */
enum vd_class {
  kVdEthernet = 0, /* ... and IP protocol and fragment */
  kVdAddresses,    /* + addresses and type of service */
  kVdPorts,        /* + layer-4 ports, ICMP type and code */
  kVdExact,        /* + TTL */
  kVdTunnelClass,  /* + any of the above */
  kVdClasses = 2 * kVdTunnelClass,
};

/* Tunnel (flows/packet/tunnel.hpp); all zero when there is none. */
struct vd_tunnel {
  uint32_t key;
  uint8_t is_ipv6;
  uint8_t tos; /* of what is sent; 0 in a key */
  uint8_t pad[2];
  uint8_t src[16];
  uint8_t dst[16];
};

/* What is output to another host. */
struct vd_tunnel_output {
  struct vd_tunnel tunnel;
  uint32_t port;
  uint32_t pad;
};

/* FlowKey (flows/packet/flow_key.hpp). An IPv4 address uses the first four bytes, the rest are zero. */
struct vd_key {
  struct vd_tunnel tunnel;
  uint32_t in_port;
  uint8_t eth_src[6];
  uint8_t eth_dst[6];
  uint16_t eth_type;
  uint16_t vlan_tci;
  uint16_t inner_vlan_tci;
  uint8_t ip_proto;
  uint8_t fragment; /* flows::Fragment */
  uint8_t ip_src[16];
  uint8_t ip_dst[16];
  uint8_t ip_tos;
  uint8_t pad_tos[3];
  uint16_t l4_src;
  uint16_t l4_dst;
  uint8_t ip_ttl;
  uint8_t pad_ttl[3];
};

/* Lengths of the prefixes from in_port on: the key sizes of the flow maps; those of tunnel classes are longer by the
 * tunnel. Multiples of four, which the kernel hashes fastest. */
enum {
  kVdEthernetKeyBytes = 24,
  kVdAddressesKeyBytes = 60,
  kVdPortsKeyBytes = 64,
  kVdExactKeyBytes = 68,
  kVdTunnelKeyBytes = 40,
};

enum vd_flow_flags {
  kVdSetEthernet = 1,
  kVdSetIp = 2,
  kVdSetPorts = 4, /* of TCP and UDP, not of later fragments */
};

/* One entry. Statistics are written by the program, everything else by the driver. Checks (TTL, MTU) come before any
 * rewrite, so that a packet that fails one reaches user space as it came in. */
struct vd_flow {
  uint64_t packets;
  uint64_t bytes;
  uint64_t last_used_ns; /* CLOCK_MONOTONIC; 0: never */
  uint64_t created_ns;
  uint64_t id_high;
  uint64_t id_low;
  uint32_t mask;   /* FieldSet::bits() of the megaflow */
  uint8_t flags;   /* vd_flow_flags */
  uint8_t outputs; /* 0: drop */
  uint8_t dec_ttl; /* how many times */
  uint8_t recipe_bytes;
  uint16_t mtu; /* of the narrowest CheckMtu; 0: none */
  uint16_t pad;
  uint32_t tcp_flags;             /* of all its packets, or-ed: a statistic */
  uint8_t ethernet[12];           /* destination, source: as on the wire */
  uint16_t output[kVdMaxOutputs]; /* port numbers, or kVdTunnelOutput and an index */
  /* The actions as they were given, for dump_flows (actions.cpp); the program does not read it. */
  uint8_t recipe[kVdRecipeBytes];
  uint16_t ports[2]; /* source, destination */
  uint8_t ip[32];    /* source, destination: as in vd_key */
  uint32_t pad_ip;
};

enum vd_port_flags {
  kVdPortUsed = 1,          /* the number is taken */
  kVdPortPresent = 2,       /* ifindex is valid */
  kVdPortPeer = 4,          /* a veth whose peer lives in another namespace: hand packets to the peer directly */
  kVdPortOwnsClsact = 8,    /* the qdisc was made by us */
  kVdPortIpv6Silenced = 16, /* disable_ipv6 was 0 before us */
  kVdPortVxlan = 32,        /* a tunnel device, made by us */
  kVdPortGre = 64,
};

/* A port, by its number, in memory shared with user space. */
struct vd_port {
  uint32_t flags;
  uint32_t ifindex;
  char name[16];
  uint32_t mtu;
  int32_t queued; /* upcalls waiting; a crash may leave it off by one */
  int64_t queued_bytes;
  uint64_t sent_packets; /* by execute(): not seen by the program */
  uint64_t sent_bytes;
  uint64_t reserved[1];
};

/* A port's counters, one copy per CPU. */
struct vd_port_counters {
  uint64_t rx_packets, rx_bytes;
  uint64_t tx_packets, tx_bytes;
  uint64_t upcalls;
  uint64_t upcalls_lost;
};

enum vd_counter {
  kVdHits,
  kVdMisses,        /* upcalls wanted because of no flow */
  kVdLostCredit,    /* the port had kPortCredit upcalls waiting, or its share of the ring */
  kVdLostRing,      /* the ring was full */
  kVdLostTruncated, /* longer than a record */
  kVdLostNoRing,    /* no worker has made its ring yet */
  kVdOutputGone,    /* a flow's output port has no interface */
  kVdRewriteFailed, /* the kernel could not make the packet writable */
  kVdOutputFailed,  /* the kernel could not copy the packet, or send the copy, for one of several outputs */
  kVdUnknownPort,   /* a filter was left on an interface that is no port */
  kVdNoTunnel,      /* a tunnel port's packet without a tunnel: key 0, or no outer header */
  kVdCounters,
};

/* The only entry of the map `config`, in memory shared with user space. */
struct vd_config {
  uint32_t magic;
  uint32_t layout_version;
  uint32_t workers;
  uint32_t max_flows;
  uint32_t classes; /* bit c: class c has flows */
  uint32_t port_credit;
  uint32_t next_port; /* where the search for a free number begins */
  char name[36];      /* DatapathOptions::name */
};

enum vd_reason { kVdMiss = 0, kVdTtlExpired = 1, kVdTooBig = 2 };
enum { kVdTunnelled = 0x80 }; /* to the program's upcall(), with a reason: vd_key.tunnel is set */

/* The head of a record in a worker's ring; the frame follows, without its outer VLAN tag. */
struct vd_upcall {
  uint64_t time_ns;
  uint32_t in_port;
  uint32_t frame_bytes;
  uint32_t record_bytes; /* what was charged to the port's share */
  uint16_t gso_size;
  uint16_t vlan_tci;   /* with vlan_proto != 0: the tag to put back behind the addresses */
  uint16_t vlan_proto; /* host order: 0x8100 or 0x88a8 */
  uint8_t reason;      /* vd_reason */
  uint8_t pad[5];
  struct vd_tunnel tunnel;
};

/* Sizes of the records: constants, because the kernel wants a reservation's size to be one. */
enum {
  kVdSmallFrame = 480,
  kVdMediumFrame = 2016,
  kVdLargeFrame = 16352,
  kVdHugeFrame = 65535 + 18, /* kMaxUpcallBytes */
};

#endif
