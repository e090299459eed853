# What hosts say of themselves and have learned, shared through the network state database: state tables.
#
# Every entry belongs to a host, lies there with the lease of that host's session, and vanishes with it. Evolution is as
# in topology.capnp.
@0x9a1f7d3be0c25406;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";
using Event = import "event.capnp";

# The port's interface is in the host's datapath; frames for it carry this key.
struct PortActive {
  port @0 :Topology.Uuid;
  key @1 :UInt32;
}

# The host has active ports of the bridge; frames flooded to them carry this key.
struct FloodKey {
  bridge @0 :Topology.Uuid;
  key @1 :UInt32;
}

struct MacClaim {
  bridge @0 :Topology.Uuid;
  vlan @1 :UInt16;
  mac @2 :UInt64;
  port @3 :Topology.Uuid;
}

struct NeighbourClaim {
  device @0 :Topology.Uuid;  # a router, or a bridge (ARP and ND suppression)
  port @1 :Topology.Uuid;    # of the router; nil for a bridge
  address @2 :Topology.IpAddress;
  mac @3 :UInt64;
  confirmed @4 :UInt64;      # seconds since the Unix epoch, of about when the owner last heard it
}

# The host gives out ports block * 64 to block * 64 + 63 of a device's address for dynamic SNAT.
struct NatBlockClaim {
  device @0 :Topology.Uuid;  # a router or a bridge
  address @1 :Topology.IpAddress;
  block @2 :UInt16;          # below 1024
}

# The host checks the pool's members, and this is what it has found.
struct HealthReport {
  struct Member {
    member @0 :Topology.Uuid;
    up @1 :Bool;
    result @2 :UInt8;    # topology/model/member_health.hpp; who does not know it goes by `up`
    detail @3 :UInt16;
    since @4 :UInt64;    # seconds since the Unix epoch
  }
  pool @0 :Topology.Uuid;
  members @1 :List(Member);
}

# A part of what a router learns of a peer behind one of its ports: prefixes that this gateway leads to.
struct LearnedRoutes {
  port @0 :Topology.Uuid;
  gateway @1 :Topology.IpAddress;
  part @2 :UInt16;
  v6 @3 :Bool;        # the prefixes are
  prefixes @4 :Data;  # of each the length in bits, in a byte, and as many bytes of the address as hold them
}

# Routes by this gateway behind the port do not count for now.
struct GatewayLost {
  port @0 :Topology.Uuid;
  gateway @1 :Topology.IpAddress;
}

# An interface of the host, in the network namespace of its agent, for operators: no agent gets it.
struct HostInterface {
  name @0 :Text;
  mac @1 :UInt64;
  mtu @2 :UInt32;
  kind @3 :Text;      # as the kernel names it (IFLA_INFO_KIND): "veth", "vxlan", …; "loopback"; empty: a device of the machine
  up @4 :Bool;        # administratively
  carrier @5 :Bool;
  addresses @6 :List(Topology.IpAddress);
}

# The host's agent is at work. Its key's revision is the epoch that fences the host's writes.
struct HostSession {
  name @0 :Text;
  instance @1 :Text;   # where this life's state directory is: a restart has the same one, a clone another
  node @2 :Text;       # the cluster node that it talks to
  since @3 :UInt64;    # nanoseconds since the Unix epoch
  lease @4 :UInt64;
}

struct StateEntry {
  host @0 :Topology.Uuid;    # the owner
  device @1 :Topology.Uuid;  # the bridge or router that it concerns: agents that need the device get the entry; of an interface the host
  union {
    portActive @2 :PortActive;
    floodKey @3 :FloodKey;
    mac @4 :MacClaim;
    neighbour @5 :NeighbourClaim;
    session @6 :HostSession;
    # Who does not know it leaves entries of "/state/nat_block/" alone, by their keys.
    natBlock @7 :NatBlockClaim;
    # Likewise "/state/pool_health/".
    poolHealth @8 :HealthReport;
    # Likewise "/state/learned_routes/" and "/state/gateway_lost/".
    learnedRoutes @9 :LearnedRoutes;
    gatewayLost @10 :GatewayLost;
    # Likewise "/state/interface/".
    interface @11 :HostInterface;
  }
}

# A node of the cluster, under "/cluster/<random id>" with a lease of its own. No agent gets it.
struct ClusterNode {
  name @0 :Text;
  since @1 :UInt64;    # nanoseconds since the Unix epoch
  agents @2 :UInt64;   # that it serves
  applied @3 :UInt64;  # the revision of the topology that all of these have applied
}

# --- between an agent and the cluster node that it talks to ---------------------------------------

# Writes of one host. Refused as a whole when the session has ended.
#
# All that a host has may be more than one request to the database takes. Then it is told in several writes, the next one
# when the one before is answered: the first `begins`, the last `ends`, and changes may go in between. What the host had
# said before stays until the last of them, and ends with it unless one of them has put it.
struct StateWrite {
  struct Put {
    entry @0 :StateEntry;
    restore @1 :Bool;  # known before: not written over what another host owns by now
  }
  puts @0 :List(Put);
  deletes @1 :List(Text);  # keys; those of other owners are left alone
  complete @2 :Bool;       # the host has nothing but `puts`
  # Who does not know these takes each write as a change: what the host does not say again stays until its session ends.
  begins @3 :Bool;
  ends @4 :Bool;
  events @5 :List(Event.Event);  # what has happened on the host; for the node's journal, not for the database
}

struct StateWritten {
  ended @0 :Bool;          # the session is over: join again
  lost @1 :List(Text);     # keys that another host owns now
  error @2 :Text;          # the database's; nothing is known of the write, send it again
  again @3 :Bool;          # of a write that ends what this node has not seen begin: not written, tell everything again
}
