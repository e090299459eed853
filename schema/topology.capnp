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
}

struct ObjectRef {
  kind @0 :Kind;
  id @1 :Uuid;
}

# A machine that runs an agent.
struct Host {
  name @0 :Text;  # unique
}

# A virtual Ethernet switch (Neutron: network).
struct Bridge {
  name @0 :Text;
  tenant @1 :Text;            # owner; free text, empty for the operator's own
  adminUp @2 :Bool = true;
}

struct Router {
  name @0 :Text;
  tenant @1 :Text;
  adminUp @2 :Bool = true;
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
  }
}
