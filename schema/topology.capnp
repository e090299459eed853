# The objects of the topology: what an operator asked for. On disk in the NSDB and on the wire in feeds and admin messages.
#
# Evolution: fields are only added, at the end; a reader that does not know a field keeps it when it copies the struct
# and otherwise ignores it. A missing text or list is empty, a missing uuid is nil and means "none". An unknown
# enumerant or union member makes a reader refuse the object by name, never guess.
@0xd2f6a6c5f3b0e401;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");

struct Uuid {
  high @0 :UInt64;  # the first eight bytes of the RFC 4122 form, most significant first
  low @1 :UInt64;   # both zero: none
}

struct IpAddress {
  bytes @0 :Data;  # 4 or 16 bytes, network order; empty: none
}

struct IpPrefix {
  address @0 :IpAddress;  # interface addresses keep their host bits
  length @1 :UInt8;       # 0..32 or 0..128
}

enum Kind {
  host @0;
  bridge @1;
  router @2;
  port @3;
  route @4;
  staticMac @5;
  staticNeighbour @6;
  tunnelZone @7;
  tunnelZoneHost @8;
  chain @9;
  rule @10;
  portGroup @11;
  portGroupPort @12;
  ipGroup @13;
  ipGroupAddress @14;
  loadBalancer @15;
  pool @16;
  poolMember @17;
  vip @18;
  healthMonitor @19;
  bgpPeer @20;
  bgpNetwork @21;
}

struct ObjectRef {
  kind @0 :Kind;
  id @1 :Uuid;
}

# A machine that runs an agent.
struct Host {
  name @0 :Text;  # unique
  # Where flooding proxies and service containers are placed; kept for who has them placed.
  floodingProxyWeight @1 :UInt32 = 1;
  containerWeight @2 :UInt32 = 1;
  containerLimit @3 :UInt32 = 0xffffffff;  # that: none
  enforceContainerLimit @4 :Bool;
}

# A virtual Ethernet switch (Neutron: network).
struct Bridge {
  name @0 :Text;
  tenant @1 :Text;            # owner; free text, empty for the operator's own
  adminUp @2 :Bool = true;
  inboundFilter @3 :Uuid;     # chain for untagged frames; none: all pass
  outboundFilter @4 :Uuid;
}

struct Router {
  name @0 :Text;
  tenant @1 :Text;
  adminUp @2 :Bool = true;
  localRedirect @3 :Uuid;     # chains, in the order in which packets meet them; none: all pass
  inboundFilter @4 :Uuid;
  forwardFilter @5 :Uuid;
  outboundFilter @6 :Uuid;
  loadBalancer @7 :Uuid;      # of no other router
  asNumber @8 :UInt32;        # of BGP (RFC 6793); 0: none
  advertiseNat @9 :Bool;      # addresses of VIPs and NAT targets are announced too
}

# Where a device meets a host's interface (exterior), another device's port (interior), or nothing (unplugged).
struct Port {
  name @0 :Text;
  bridge @1 :Uuid;            # exactly one of bridge and router
  router @2 :Uuid;
  adminUp @3 :Bool = true;
  host @4 :Uuid;              # exterior: both host and interface
  interface @5 :Text;         # at most 15 bytes, as the kernel has it
  peer @6 :Uuid;              # interior: the other port names this one
  mac @7 :UInt64;             # router ports: low 48 bits; 0 on bridge ports
  addresses @8 :List(IpPrefix);  # router ports
  mtu @9 :UInt16;             # router ports: bytes behind the Ethernet header; 0: no limit of its own
  vlan @10 :UInt16;           # interior bridge ports: 1..4094, 0: none
  inboundFilter @11 :Uuid;    # chain for what enters the device here; none: all passes
  outboundFilter @12 :Uuid;   # chain for what leaves it here
  vif @13 :Text;              # what whoever made the port calls the machine's interface; kept for them
}

enum NextHop {
  port @0;       # through nextHopPort, to gateway or directly to the destination
  local @1;      # the router itself
  blackhole @2;  # silence
  reject @3;     # ICMP administratively prohibited
}

struct Route {
  router @0 :Uuid;
  source @1 :IpPrefix;        # of the same family as destination; length 0 matches all
  destination @2 :IpPrefix;
  nextHop @3 :NextHop;
  nextHopPort @4 :Uuid;
  gateway @5 :IpAddress;      # empty: the destination is on the port's link
  weight @6 :UInt32 = 100;    # of equal prefixes the least wins; equal weights share (ECMP)
  attributes @7 :Text;        # a note of whoever made it; kept for them
}

# A MAC address that an operator pins to a bridge's port: never aged, never moved by learning.
struct StaticMac {
  bridge @0 :Uuid;
  mac @1 :UInt64;
  vlan @2 :UInt16;
  port @3 :Uuid;
}

# An IP-to-MAC binding that a bridge answers ARP and ND for (MidoNet: arp_table entry).
struct StaticNeighbour {
  bridge @0 :Uuid;
  address @1 :IpAddress;
  mac @2 :UInt64;
}

enum TunnelType {
  vxlan @0;  # RFC 7348
  gre @1;    # RFC 2784, with the key of RFC 2890
}

# Hosts that reach each other over the IP network beneath (MidoNet: tunnel zone).
struct TunnelZone {
  name @0 :Text;         # unique
  type @1 :TunnelType;   # does not change while the zone has hosts
}

# A host in a tunnel zone; at most one for each pair.
struct TunnelZoneHost {
  zone @0 :Uuid;
  host @1 :Uuid;
  address @2 :IpAddress;  # the host's own, unicast, unique in the zone; all of a zone are of one family
}

# A list of rules (Netfilter: chain), named by ports, bridges, routers and jumps.
struct Chain {
  name @0 :Text;
  tenant @1 :Text;
}

# Fields of a condition. A null pointer matches every packet; so does a field that a reader does not know, which widens the
# rule: a field that is added later is used only where all daemons know it.
struct NumberMatch {
  value @0 :UInt16;
  inverted @1 :Bool;
}
struct UuidMatch {
  value @0 :Uuid;
  inverted @1 :Bool;
}
struct UuidListMatch {
  values @0 :List(Uuid);  # any of them
  inverted @1 :Bool;
}
struct MacMatch {
  address @0 :UInt64;                  # low 48 bits
  mask @1 :UInt64 = 0xffffffffffff;    # of the bits that count
  inverted @2 :Bool;
}
struct PrefixMatch {
  value @0 :IpPrefix;
  inverted @1 :Bool;
}
struct RangeMatch {
  first @0 :UInt16;
  last @1 :UInt16;  # belongs to it
  inverted @2 :Bool;
}

enum FragmentPolicy {
  any @0;
  header @1;        # whole packets and first fragments
  nonheader @2;     # later fragments
  unfragmented @3;  # whole packets
}

# All of what is given has to match.
struct Condition {
  inverted @0 :Bool;               # of the whole, but of the fragment policy
  fragments @1 :FragmentPolicy;
  forwardFlow @2 :Bool;            # not known to be a return packet of a tracked connection
  returnFlow @3 :Bool;             # known to be one, or made by a device
  destinationRewritten @4 :Bool;   # by a DNAT rule or a load balancer, since it entered the device
  untagged @5 :Bool;               # no VLAN tag
  vlan @6 :UInt16;                 # id of the outermost tag, 1..4094; 0: any
  portGroup @7 :UuidMatch;         # of the exterior port where the packet entered the virtual network
  inPortGroup @8 :UuidMatch;       # of the port where it entered this device
  outPortGroup @9 :UuidMatch;      # of the port by which it leaves this device
  inPorts @10 :UuidListMatch;
  outPorts @11 :UuidListMatch;
  ethType @12 :NumberMatch;
  ethSrc @13 :MacMatch;
  ethDst @14 :MacMatch;
  ipTos @15 :NumberMatch;          # at most 255
  ipProto @16 :NumberMatch;        # at most 255
  ipSrc @17 :PrefixMatch;
  ipDst @18 :PrefixMatch;
  ipSrcGroup @19 :UuidMatch;
  ipDstGroup @20 :UuidMatch;
  l4Src @21 :RangeMatch;           # ports; ICMP: type here, code in l4Dst
  l4Dst @22 :RangeMatch;
  traversedDevice @23 :UuidMatch;  # port, bridge, router or chain that the packet has passed
  icmpDataSrc @24 :PrefixMatch;    # of the packet that an ICMP error quotes
  icmpDataDst @25 :PrefixMatch;
}

enum RuleAction {
  accept @0;
  drop @1;
  reject @2;
  return @3;    # to the chain that jumped here
  continue @4;  # to the next rule
  jump @5;
}

enum NatKind {
  none @0;
  dnat @1;
  snat @2;
  reverseDnat @3;
  reverseSnat @4;
}

# With ports: any address and port of the range (dynamic). Without: the first address, or the prefix, statically.
struct NatTarget {
  first @0 :IpAddress;
  last @1 :IpAddress;      # missing: first
  portFirst @2 :UInt16;
  portLast @3 :UInt16;     # 0: static
  prefixLength @4 :UInt8;  # not 0: first is a network of this length
}

struct Rule {
  chain @0 :Uuid;
  position @1 :UInt32;         # unique in the chain, least first; 0 in a create: behind the last, in an update: as it is
  condition @2 :Condition;
  action @3 :RuleAction;       # of NAT rules: once they have been applied
  jump @4 :Uuid;               # action jump
  nat @5 :NatKind;
  targets @6 :List(NatTarget); # dnat and snat: the next one when the one before is exhausted
  meter @7 :Text;              # what whoever made it counts its flows under; kept for them
}

struct PortGroup {
  name @0 :Text;
  tenant @1 :Text;
  stateful @2 :Bool;  # connections through one of its ports may come back by any other
}

# A port in a port group; at most one for each pair.
struct PortGroupPort {
  group @0 :Uuid;
  port @1 :Uuid;
}

struct IpGroup {
  name @0 :Text;
  tenant @1 :Text;
}

# A prefix in an IP group; at most one for each pair.
struct IpGroupAddress {
  group @0 :Uuid;
  prefix @1 :IpPrefix;  # no host bits
}

# Named by at most one router.
struct LoadBalancer {
  name @0 :Text;
  tenant @1 :Text;
  adminUp @2 :Bool = true;
}

enum PoolProtocol {
  tcp @0;
  udp @1;
  sctp @2;
}

struct Pool {
  name @0 :Text;
  loadBalancer @1 :Uuid;   # none: it balances nothing
  healthMonitor @2 :Uuid;  # none: members count as healthy
  protocol @3 :PoolProtocol;
  sticky @4 :Bool;         # a client's connections go to one member, by its address
  adminUp @5 :Bool = true;
}

# Unique in its pool by address and port.
struct PoolMember {
  pool @0 :Uuid;
  address @1 :IpAddress;
  port @2 :UInt16;
  weight @3 :UInt32 = 1;  # 0: no new connections
  adminUp @4 :Bool = true;
}

# Unique in the load balancer by address, port and the pool's protocol.
struct Vip {
  name @0 :Text;
  pool @1 :Uuid;
  address @2 :IpAddress;
  port @3 :UInt16;
  sticky @4 :Bool;
  adminUp @5 :Bool = true;
}

enum HealthCheck {
  tcp @0;
  udp @1;
  icmp @2;
  http @3;
}

struct HealthMonitor {
  name @0 :Text;
  type @1 :HealthCheck;
  delay @2 :UInt32 = 5;         # seconds between checks
  timeout @3 :UInt32 = 5;       # seconds until one has failed; at most delay
  maxRetries @4 :UInt32 = 3;    # failures in a row until a member is down, successes until it is up
  httpPath @5 :Text = "/";
  httpStatus @6 :UInt16 = 200;
  adminUp @7 :Bool = true;
}

# Of a filter: holds the prefixes within `prefix` whose length is minLength to maxLength. The first that holds one decides.
struct PrefixRule {
  prefix @0 :IpPrefix;  # no host bits
  minLength @1 :UInt8;
  maxLength @2 :UInt8;
  permit @3 :Bool;
}

# Whom a router speaks BGP with (RFC 4271).
struct BgpPeer {
  name @0 :Text;
  router @1 :Uuid;
  address @2 :IpAddress;            # unique in the router
  asNumber @3 :UInt32;
  adminUp @4 :Bool = true;
  keepAlive @5 :UInt32 = 60;        # seconds
  holdTime @6 :UInt32 = 180;        # seconds; more than keepAlive
  connectRetry @7 :UInt32 = 5;      # seconds
  # RFC 2385; empty: none. Stored, and sent to hosts and to authenticated operators, as it is: `viaduct apply` has to
  # compare it. The tool never prints it.
  password @8 :Text;
  bfd @9 :Bool;                     # RFC 5882
  multihop @10 :UInt8;              # 0: on a link of the router; else the TTL
  gracefulRestart @11 :Bool = true; # RFC 4724
  prefixLimit @12 :UInt32 = 10000;  # routes that are taken from it; 0: none
  importFilter @13 :List(PrefixRule);  # empty: all pass; else what no rule holds is refused
  exportFilter @14 :List(PrefixRule);
}

# What a router announces to its peers by itself.
struct BgpNetwork {
  router @0 :Uuid;
  prefix @1 :IpPrefix;  # no host bits; unique in the router
}

struct Object {
  id @0 :Uuid;
  revision @1 :UInt64;  # of the commit that last changed it; set by the store, ignored in requests
  union {
    host @2 :Host;
    bridge @3 :Bridge;
    router @4 :Router;
    port @5 :Port;
    route @6 :Route;
    staticMac @7 :StaticMac;
    staticNeighbour @8 :StaticNeighbour;
    tunnelZone @9 :TunnelZone;
    tunnelZoneHost @10 :TunnelZoneHost;
    chain @11 :Chain;
    rule @12 :Rule;
    portGroup @13 :PortGroup;
    portGroupPort @14 :PortGroupPort;
    ipGroup @15 :IpGroup;
    ipGroupAddress @16 :IpGroupAddress;
    loadBalancer @17 :LoadBalancer;
    pool @18 :Pool;
    poolMember @19 :PoolMember;
    vip @20 :Vip;
    healthMonitor @21 :HealthMonitor;
    bgpPeer @22 :BgpPeer;
    bgpNetwork @23 :BgpNetwork;
  }
}
