# What the command line (and later REST) asks of a daemon, and the answers. One request, one reply, matched by id.
# On a socket each message is a Frame behind an 8-byte prelude (schema/frame.hpp).
@0xa1c9e27f5d3b4603;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("viaduct::schema");
using Topology = import "topology.capnp";
using State = import "state.capnp";
using Event = import "event.capnp";

const protocolMajor :UInt16 = 1;  # a daemon refuses another major version by name

struct AdminRequest {
  major @0 :UInt16;
  token @1 :Data;       # the bytes of the token file
  id @2 :UInt64;        # echoed
  union {
    transact @3 :Transact;
    list @4 :ListObjects;
    wait @5 :Wait;
    status @6 :Void;
    flows @7 :ListFlows;
    trace @8 :TraceRequest;
    setLogLevel @9 :LogLevel;
    state @10 :ListState;
    flush @11 :FlushState;
    connections @12 :ListConnections;
    flushConnections @13 :ConnectionFilter;
    connectionStats @14 :Void;
    suppose @15 :Supposition;
    routes @16 :ListRoutes;
    facts @17 :ListFacts;
    why @18 :WhyRequest;
    drops @19 :ListDrops;
    events @20 :ListEvents;
  }
  # What the change, or the question to another host, is known by afterwards (event.capnp, Cause). Old daemons do not look at
  # them; without a name it gets one.
  request @21 :Text;
  by @22 :Text;
}

struct Operation {
  union {
    create @0 :Topology.Object;   # a nil id is replaced by a random one
    update @1 :Topology.Object;   # the whole object; its revision, when not 0, must be the stored one
    delete @2 :Topology.ObjectRef;
  }
}

# All operations or none.
struct Transact {
  operations @0 :List(Operation);
  dryRun @1 :Bool;        # validate and report what would change
  waitApplied @2 :Bool;   # answer when the agents have applied it
  timeoutMs @3 :UInt32;   # for waitApplied; 0: 10 s
}

struct ListObjects {
  kinds @0 :List(Topology.Kind);  # empty: all
  name @1 :Text;                  # not empty: only objects of this name, or whose id is this
  naming @2 :Topology.Uuid;       # not nil: only objects that name this one in any of their fields; ignored by old daemons
}

struct Wait {
  revision @0 :UInt64;  # 0: the newest
  timeoutMs @1 :UInt32;
}

struct ListFlows {
  port @0 :Topology.Uuid;  # nil: all
  limit @1 :UInt32;        # 0: 1000
}

# A packet in words. What is left out is filled from the live state: the port's learned MAC as source, the gateway's or
# the neighbour's MAC as destination.
struct PacketDescription {
  frame @0 :Data;        # not empty: exactly these bytes, everything else is ignored
  ethSrc @1 :UInt64;
  ethDst @2 :UInt64;
  ethType @3 :UInt16;
  vlan @4 :UInt16;
  ipSrc @5 :Topology.IpAddress;
  ipDst @6 :Topology.IpAddress;
  ipProto @7 :UInt8;     # 0: ICMP or ICMPv6 echo request
  ttl @8 :UInt8;         # 0: 64
  tos @9 :UInt8;
  l4Src @10 :UInt16;
  l4Dst @11 :UInt16;
  length @12 :UInt16;    # whole frame; 0: as short as it can be
  arp @13 :Bool;         # an ARP request (IPv4) or neighbour solicitation (IPv6) for ipDst
  dontFragment @14 :Bool;
}

# Answered by the host to which the port is bound, whichever daemon is asked.
struct TraceRequest {
  port @0 :Topology.Uuid;
  packet @1 :PacketDescription;
  relayed @2 :Bool;      # as of WhyRequest; ignored by old daemons, which relay nothing
}

# What would become of a packet if a change were applied. Nothing is: the answer holds the packet's way through the
# network as it is, and through one that is made aside.
struct Supposition {
  trace @0 :TraceRequest;
  change @1 :Transact;   # its operations, at most 10,000; the rest of it does not count
}

# Why traffic that enters by this port, or should leave by it, does not arrive. Answered by the host to which the port is bound,
# whichever daemon is asked.
struct WhyRequest {
  port @0 :Topology.Uuid;
  packet @1 :PacketDescription;  # of what does not arrive, as it enters by the port; absent: whatever it is
  relayed @2 :Bool;              # asked by another host on somebody's behalf: the daemon answers by itself
}

# What the asked host remembers of drops.
struct ListDrops {
  port @0 :Topology.Uuid;  # nil: all
  limit @1 :UInt32;        # 0: 1000
}

struct LogLevel {
  component @0 :Text;  # empty: all
  level @1 :Text;      # trace, debug, info, warn, error, off
}

# Learned state of one device (nil: all): MAC tables, neighbours.
struct ListState {
  device @0 :Topology.Uuid;
}
struct FlushState {
  device @0 :Topology.Uuid;
}

# Connections that the asked host knows (flows/state/connection_table.hpp). What is not set fits all.
struct ConnectionFilter {
  kind @0 :Text;               # track, snat, snat_reverse, dnat, dnat_reverse, sticky, fragment
  proto @1 :UInt8;             # 0: any
  src @2 :Topology.IpPrefix;   # of the packets that find it
  dst @3 :Topology.IpPrefix;
  port @4 :UInt16;             # source, destination or translated one; 0: any
  state @5 :Text;              # opening, established, closing, closed
  device @6 :Topology.Uuid;    # nil: any
}
struct ListConnections {
  filter @0 :ConnectionFilter;
  limit @1 :UInt32;            # 0: 1000
  pairs @2 :Bool;              # also the other half of each that has one, right behind it
}

# Routes that routers have learned by routing protocols, as the asked host goes by them.
struct ListRoutes {
  router @0 :Topology.Uuid;    # nil: all
  destination @1 :Text;        # only routes that hold this address; empty: all
  limit @2 :UInt32;            # 0: 1000
}

# What hosts say of themselves and have learned: entries of the state tables, as the asked cluster node knows them.
struct ListFacts {
  tables @0 :List(Text);       # "port", "mac", "learned_routes", … (topology/host_state.hpp); empty: all
  device @1 :Topology.Uuid;    # that they concern; nil: any
  limit @2 :UInt32;            # 0: 1000
}
struct FactList {
  total @0 :UInt64;            # that fit
  entries @1 :List(State.StateEntry);  # the first of them
}

# Of the journal of the asked daemon: its own events, and on a cluster node those of the agents that it serves.
struct ListEvents {
  after @0 :UInt64;            # events of greater ids, the first of them; 0: the newest
  since @1 :UInt64;            # not before this moment: nanoseconds since the Unix epoch; 0: any
  kinds @2 :List(Text);        # "port": all that begin so; "port.active"; empty: all
  values @3 :List(Text);       # each must be the event's host or the value of one of its fields
  limit @4 :UInt32;            # 0: 1000
}
struct EventList {
  events @0 :List(Event.Event);
  more @1 :Bool;               # there are further ones: behind them with `after`, before them without
  next @2 :UInt64;             # `after` for those that come later
}

struct RouteLine {
  router @0 :Topology.Uuid;
  routerName @1 :Text;
  prefix @2 :Text;
  gateway @3 :Text;
  portName @4 :Text;           # where the gateway is
  hostName @5 :Text;           # of the port
  state @6 :Text;              # used; lost (the gateway does not answer), port_down, host_silent
}
struct RouteList {
  total @0 :UInt64;            # that fit
  routes @1 :List(RouteLine);  # by router, prefix, gateway; the first of them
}

struct AdminReply {
  id @0 :UInt64;
  union {
    error @1 :AdminError;
    committed @2 :Committed;
    objects @3 :ObjectList;
    applied @4 :UInt64;       # revision that every live agent has applied
    status @5 :Status;
    flows @6 :FlowList;
    trace @7 :TraceReply;
    done @8 :Void;
    state @9 :StateList;
    connections @10 :ConnectionList;
    flushedConnections @11 :UInt64;  # entries
    connectionStats @12 :ConnectionStats;
    supposed @13 :SupposedTrace;
    routes @14 :RouteList;
    facts @15 :FactList;
    why @16 :WhyReply;
    drops @17 :DropList;
    events @18 :EventList;
  }
}

enum ErrorCode {
  malformed @0;       # the request could not be read
  version @1;
  unauthorized @2;
  invalid @3;         # rules of the topology broken: see violations
  conflict @4;        # somebody else changed the object meanwhile
  notFound @5;
  timeout @6;
  unavailable @7;     # a part of the daemon is restarting or stopping
  internal @8;
}

# One broken rule: names the object, the rule and the cure.
struct Violation {
  rule @0 :Text;           # stable name: "unknown_parent", "address_in_use", …
  object @1 :Topology.ObjectRef;
  name @2 :Text;           # the object's name, when it has one
  field @3 :Text;
  message @4 :Text;        # what is wrong, in a sentence
  cure @5 :Text;           # what to do about it
  mentions @6 :List(Mention);  # other objects that the message names, for who may not see them all
}
struct Mention {
  object @0 :Topology.ObjectRef;
  label @1 :Text;  # as the message has it
}

struct AdminError {
  code @0 :ErrorCode;
  message @1 :Text;
  violations @2 :List(Violation);
}

struct ChangeLine {
  action @0 :Text;         # created, updated, deleted
  object @1 :Topology.ObjectRef;
  name @2 :Text;
  cause @3 :Text;          # empty: asked for; else the rule, as "cascade from router r1"
}

struct Committed {
  revision @0 :UInt64;     # 0 for a dry run
  changes @1 :List(ChangeLine);
  applied @2 :Bool;        # waitApplied was asked for and reached
  ids @3 :List(Topology.Uuid);  # of the operations, in order
}

struct ObjectList {
  revision @0 :UInt64;
  objects @1 :List(Topology.Object);
}

struct ActorLine {
  name @0 :Text;
  kind @1 :Text;
  state @2 :Text;
  restarts @3 :UInt64;
  mailbox @4 :UInt64;
  lastError @5 :Text;
  upSeconds @6 :Float64;
}

struct PortLine {
  port @0 :Topology.Uuid;
  name @1 :Text;
  interface @2 :Text;
  number @3 :UInt32;       # of the datapath; 0: not in it
  active @4 :Bool;
  reason @5 :Text;         # why not active
  rxPackets @6 :UInt64;
  rxBytes @7 :UInt64;
  txPackets @8 :UInt64;
  txBytes @9 :UInt64;
  upcalls @10 :UInt64;
  upcallsLost @11 :UInt64;
}

struct DropLine {
  reason @0 :Text;
  count @1 :UInt64;
}

# How this host reaches another.
struct TunnelLine {
  host @0 :Topology.Uuid;
  name @1 :Text;
  kind @2 :Text;             # vxlan, gre
  source @3 :Text;
  destination @4 :Text;
  mtu @5 :UInt16;            # bytes behind the inner Ethernet header
  state @6 :Text;            # up, init, down, admin_down
  roundTripSeconds @7 :Float64;  # 0: unknown
  loss @8 :Float64;          # of the last probes towards this host, 0 to 1
}

# A BGP peer of a port of this host.
struct BgpLine {
  router @0 :Text;
  port @1 :Text;
  peer @2 :Text;             # its address
  asNumber @3 :UInt32;
  state @4 :Text;            # Idle, Connect, Active, OpenSent, OpenConfirm, Established (RFC 4271 8.2.2); Unknown
  upSeconds @5 :Float64;     # established since; otherwise 0
  prefixesIn @6 :UInt64;     # that the import filter let through
  prefixesOut @7 :UInt64;
  bfd @8 :Text;              # off, down, up
  lastError @9 :Text;        # why the last session ended
}

# How this host's agent is connected to the cluster.
struct ClusterConnection {
  state @0 :Text;            # dialling, proving, joining, joined, pause; empty: no agent here
  node @1 :Text;
  nodeName @2 :Text;
  lastError @3 :Text;
  forSeconds @4 :Float64;    # in this state
}

# A host as the cluster node that was asked knows it.
struct AgentLine {
  host @0 :Topology.Uuid;
  name @1 :Text;
  state @2 :Text;            # served (by this node), elsewhere (by another), away
  node @3 :Text;             # that serves it
  sinceSeconds @4 :Float64;  # of its session
  appliedRevision @5 :UInt64;  # of served ones
  lagRevisions @6 :UInt64;   # of what it needs; 0: it has everything
}

# A node of the cluster, as its own record says.
struct ClusterNodeLine {
  name @0 :Text;
  upSeconds @1 :Float64;
  agents @2 :UInt64;           # that it serves
  appliedRevision @3 :UInt64;  # of the topology, by all of these
}

struct Status {
  version @0 :Text;
  hostId @1 :Topology.Uuid;
  hostName @2 :Text;
  datapath @3 :Text;         # kind
  committedRevision @4 :UInt64;
  appliedRevision @5 :UInt64;
  flows @6 :UInt64;
  actors @7 :List(ActorLine);
  ports @8 :List(PortLine);
  drops @9 :List(DropLine);
  metricsUrl @10 :Text;
  upSeconds @11 :Float64;
  adoptedFlows @12 :UInt64;
  unlistedActors @13 :UInt64;  # more than `actors` names; those in trouble are named first
  tunnels @14 :List(TunnelLine);
  problems @15 :List(Text);    # what is asked for and does not happen, each with what helps
  cluster @16 :ClusterConnection;
  agents @17 :List(AgentLine); # of a daemon with the cluster role
  nodes @18 :List(ClusterNodeLine);  # likewise
  bgp @19 :List(BgpLine);
  bgpProblems @20 :List(Text);  # those of `problems` that are BGP's
}

struct FlowLine {
  id @0 :Text;
  match @1 :Text;
  actions @2 :Text;
  packets @3 :UInt64;
  bytes @4 :UInt64;
  idleSeconds @5 :Float64;
  port @6 :Topology.Uuid;   # where it enters
  portName @7 :Text;
  tags @8 :UInt32;
}
struct FlowList {
  total @0 :UInt64;
  flows @1 :List(FlowLine);
}

struct TraceStep {
  depth @0 :UInt16;          # 0: the packet asked for; 1: a packet that it caused; …
  device @1 :Topology.ObjectRef;
  deviceName @2 :Text;
  stage @3 :Text;            # "port_in", "bridge_unicast", "route", …
  detail @4 :Text;
}

struct TraceReply {
  steps @0 :List(TraceStep);
  outcome @1 :Text;          # forward, drop, park, consumed
  dropReason @2 :Text;       # when dropped
  actions @3 :Text;
  match @4 :Text;            # the megaflow that would be installed
  description @5 :Text;      # the packet, as it was understood
  outputs @6 :List(Text);    # names of the ports where it leaves
  host @7 :Text;             # that has answered; empty: an old daemon's
}

struct SupposedTrace {
  now @0 :TraceReply;
  changed @1 :TraceReply;      # with the change; the outcome "absent": the packet's port is not there, and dropReason says why
  outcomeDiffers @2 :Bool;
  pathDiffers @3 :Bool;        # some step does; also set when the outcome differs
  differences @4 :List(Text);  # of the outcome, a sentence each
  changes @5 :List(ChangeLine);
  notes @6 :List(Text);        # what the answer does not know
}

# Packets that were dropped alike: at one place, for one reason, of one port.
struct DropRecord {
  reason @0 :Text;           # flows/packet/drop_reason.hpp
  port @1 :Text;             # where they came in; empty: made by a device, or came from another host
  device @2 :Topology.ObjectRef;  # that dropped them; absent: none
  deviceName @3 :Text;
  chainName @4 :Text;        # when a rule did
  rule @5 :Topology.Uuid;
  rulePosition @6 :UInt32;
  out @7 :Text;              # the port by which they would have left the device, when that was chosen
  host @8 :Text;             # that they were for, or came from, when between hosts
  packets @9 :UInt64;
  firstSeconds @10 :Float64;  # ago
  lastSeconds @11 :Float64;   # ago
  example @12 :Text;         # the last one that user space saw
}
struct DropList {
  total @0 :UInt64;
  drops @1 :List(DropRecord);  # the newest first
  evicted @2 :UInt64;          # that made room for newer ones since the agent's start
}

struct WhyCause {
  cause @0 :Text;            # stable name: a drop's reason, or what keeps packets from coming that far (api/cli/viaduct.1)
  text @1 :Text;             # what is wrong, in a sentence
  cure @2 :Text;             # what to do about it
  certainty @3 :Text;        # traced: the packet of the question meets it; now: it is so, and packets meet it or must;
                             # likely: it is so, and may be why; earlier: packets met it, and would not now
  device @4 :Topology.ObjectRef;  # where; absent: of the host
  deviceName @5 :Text;
  chain @6 :Topology.ObjectRef;   # when a rule drops
  chainName @7 :Text;
  rule @8 :Topology.Uuid;
  rulePosition @9 :UInt32;
  host @10 :Text;            # on which it was found
  packets @11 :UInt64;       # that were dropped for it, as far as that host remembers
  firstSeconds @12 :Float64;  # ago; of packets 0 nothing
  lastSeconds @13 :Float64;   # likewise
  example @14 :Text;         # one of them
  direction @15 :Text;       # forward; back: of the answer
  ordinary @16 :Bool;        # a healthy network drops such packets, too: told last
}
struct WhyReply {
  port @0 :Text;             # its name
  host @1 :Text;             # that has answered
  portHost @2 :Text;         # to which the port is bound; empty: none
  causes @3 :List(WhyCause); # the most probable first
  notes @4 :List(Text);      # what the answer does not know
  trace @5 :TraceReply;      # of the packet of the question; absent: there was none
}

struct StateLine {
  device @0 :Topology.ObjectRef;
  deviceName @1 :Text;
  table @2 :Text;            # mac, neighbour, arp, nat_block
  key @3 :Text;
  value @4 :Text;
  state @5 :Text;            # static, learned, fresh, stale, incomplete, leased
  ageSeconds @6 :Float64;
}
struct StateList {
  entries @0 :List(StateLine);
}

struct ConnectionLine {
  kind @0 :Text;
  protocol @1 :Text;         # tcp, udp, sctp, icmp, icmpv6, or its number
  source @2 :Text;           # addresses and ports of packets that find it; an ICMP identifier is both ports
  sourcePort @3 :UInt16;
  destination @4 :Text;
  destinationPort @5 :UInt16;
  device @6 :Topology.ObjectRef;
  deviceName @7 :Text;
  address @8 :Text;          # what source or destination becomes; of sticky, the member; empty: nothing
  port @9 :UInt16;
  state @10 :Text;
  idleSeconds @11 :Float64;
  owner @12 :Text;           # here, elsewhere
  seenForward @13 :Text;     # TCP flags: "SYN ACK"; else "packets" or nothing
  seenBack @14 :Text;
}
struct ConnectionList {
  total @0 :UInt64;          # that fit; without the other halves
  connections @1 :List(ConnectionLine);
}

struct ConnectionCount {
  name @0 :Text;             # a kind; or protocol and state, as "tcp established"
  count @1 :UInt64;
}
struct ConnectionStats {
  entries @0 :UInt64;
  capacity @1 :UInt64;
  kinds @2 :List(ConnectionCount);   # entries
  states @3 :List(ConnectionCount);  # connections: the halves of pairs once
  ports @4 :List(ConnectionCount);   # entries of the ports that have most, by the ports' names
  refusedTableFull @5 :UInt64;       # entries since the daemon's start
  refusedPortShare @6 :UInt64;
  refusedTenantShare @7 :UInt64;
}
