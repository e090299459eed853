# What a host has learned, as it keeps it on its own disk over a restart. Never sent to anybody.
#
# Times are not kept: what is restored counts as seen at the restart, neighbours as stale, so that they are asked again.
# Except of connections, which are in a database of their own.
@0xe7c4f0a92b6d4804;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";
using FlowState = import "flow_state.capnp";

struct LearnedMac {
  bridge @0 :Topology.Uuid;
  vlan @1 :UInt16;
  mac @2 :UInt64;
  port @3 :Topology.Uuid;
}

struct LearnedNeighbour {
  device @0 :Topology.Uuid;  # a router, or a bridge (ARP and ND suppression)
  port @1 :Topology.Uuid;    # of the router; nil for a bridge
  address @2 :Topology.IpAddress;
  mac @3 :UInt64;
}

struct LearnedEntry {
  union {
    mac @0 :LearnedMac;
    neighbour @1 :LearnedNeighbour;
  }
}

# A connection that ages: of a pair the forward half, which says what the other one is.
struct KeptConnection {
  entry @0 :FlowState.ConnectionUpdate;  # idle: when this was written
  written @1 :Int64;                     # milliseconds since 1970
  owned @2 :Bool;                        # made by this host
}
