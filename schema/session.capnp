# How an agent joins a cluster node. What proves who it is: hello.capnp.
@0xc3b7e51f8d024a67;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";

struct Join {
  host @0 :Topology.Uuid;
  name @1 :Text;
  instance @2 :Text;   # see HostSession in state.capnp
  revision @3 :UInt64; # the agent's cache holds everything of `devices` up to here; 0: nothing
  devices @4 :List(Topology.Uuid);  # the owners that it has: bridges, routers, chains, tunnel zones … (topology/closure.hpp)
}

struct Joined {
  refused @0 :Text;      # why; empty: joined
  fresh @1 :Bool;        # the host's earlier session has ended: what it had said is forgotten
  node @2 :Text;         # of the cluster
  beatMilliseconds @3 :UInt32;  # how often the agent has to be heard
  revision @4 :UInt64;   # of the network state database
}
