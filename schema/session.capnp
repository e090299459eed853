# How an agent joins a cluster node, and what operators ask of it then. What proves who it is: hello.capnp.
@0xc3b7e51f8d024a67;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";
using Admin = import "admin.capnp";

struct Join {
  host @0 :Topology.Uuid;
  name @1 :Text;
  instance @2 :Text;   # see HostSession in state.capnp
  revision @3 :UInt64; # the agent's cache holds everything of `devices` up to here; 0: nothing
  devices @4 :List(Topology.Uuid);  # the owners that it has: bridges, routers, chains, tunnel zones … (topology/closure.hpp)
  answers @5 :Bool;    # the agent takes questions; who is older does not say so, and is asked none
}

struct Joined {
  refused @0 :Text;      # why; empty: joined
  fresh @1 :Bool;        # the host's earlier session has ended: what it had said is forgotten
  node @2 :Text;         # of the cluster
  beatMilliseconds @3 :UInt32;  # how often the agent has to be heard
  revision @4 :UInt64;   # of the network state database
  relays @5 :Bool;       # the node takes questions; one that is older does not say so, and is asked none
}

# What an operator asks about a port that is on another host than the daemon that is asked. It goes up from that host's agent to
# its cluster node, if the daemon has not the cluster's role itself, and down to the agent of the port's host; never further.
struct Question {
  number @0 :UInt64;        # random, of whoever sends it here: the answer has it
  port @1 :Topology.Uuid;   # that it is about
  asked @2 :Text;           # the host whose daemon was asked; a cluster node puts the name that was proven
  by @3 :Text;              # who asks, and
  name @4 :Text;            # what the request is known by (event.capnp, Cause): for logs
  request @5 :Data;         # an AdminRequest without a token, as a frame: `why` or `trace`, with `relayed`
}

struct Answer {
  number @0 :UInt64;        # of the question
  host @1 :Text;            # that has answered; a cluster node puts the name that was proven
  error @2 :Text;           # why there is no reply, and what helps; empty: there is one
  code @3 :Admin.ErrorCode; # with `error`
  reply @4 :Data;           # an AdminReply, as a frame; errors of the host that answers are in it
}
