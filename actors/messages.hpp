// What actors of one process say to each other. Structs with names; big things travel as shared_ptr<const>.
//
// Nothing here crosses a process: that is Cap'n Proto in a Frame (schema/). Streams of changes are coalesced by whoever
// sends them (deltas merge) and acknowledged one at a time, so no mailbox grows with the rate of change.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/agent/connection_filter.hpp"
#include "actors/agent/drop_history.hpp"
#include "flows/datapath/datapath.hpp"
#include "flows/simulation/invalidation.hpp"
#include "flows/simulation/network.hpp"
#include "flows/state/nat_blocks.hpp"
#include "observability/status.hpp"
#include "schema/frame.hpp"
#include "topology/builder.hpp"
#include "topology/cause.hpp"
#include "topology/cluster_node.hpp"
#include "topology/codec_session.hpp"
#include "topology/delta.hpp"
#include "topology/feed.hpp"
#include "topology/snapshot.hpp"
#include "topology/state_index.hpp"
#include "topology/state_write.hpp"

namespace viaduct::actors {

using WallTime = std::chrono::system_clock::time_point;

// Between hosts: the actor framework delivers a message to any actor whose number a connected peer guesses, and believes
// what it says of its sender. So whoever was proven gets a secret, and what it sends carries it. 32 random bytes.
using Secret = std::vector<uint8_t>;

// --- supervision ---------------------------------------------------------------------------------

// "How are you?": answered from the mailbox like any other message, so the answer's delay is the mailbox's age.
struct ReportStatus {};
// "Stop in order": finish what has begun, then end with reason `normal`.
struct Shutdown {};

// An actor's own timer.
struct Tick {
  uint32_t kind = 0;  // for actors with several timers
};

// --- topology store (cluster) --------------------------------------------------------------------

struct CommitTransaction {
  std::vector<topology::Operation> operations;
  bool dry_run = false;
  topology::Cause cause = {};
};
struct CommitReply {
  enum class Status : uint8_t { committed, refused, unavailable };
  Status status = Status::unavailable;
  uint64_t revision = 0;  // 0 for a dry run
  std::vector<topology::AppliedChange> changes;
  std::vector<Uuid> ids;
  std::vector<topology::Violation> violations;
  std::string error;  // unavailable: why the store could not commit
};
struct ReadTopology {};
using SnapshotPtr = std::shared_ptr<const topology::Snapshot>;
struct WaitApplied {
  uint64_t revision = 0;  // 0: the newest
  std::chrono::milliseconds timeout{10'000};
};
struct WaitAppliedReply {
  bool reached = false;
  uint64_t applied = 0;
};
struct StoreRevisions {
  uint64_t committed = 0;
  uint64_t applied = 0;
};
struct ReadRevisions {};

// From the store to who follows the topology: it is at the snapshot now, by the delta. Null: the snapshot is where it begins.
struct TopologyChanged {
  SnapshotPtr snapshot;
  std::shared_ptr<const topology::Delta> delta;
};

// --- subscription --------------------------------------------------------------------------------

// What changed for some hosts, made once for all of them.
struct FeedPart {
  std::vector<HostId> hosts;
  std::shared_ptr<const topology::FeedBatch> batch;
};
// From the store to a subscription.
struct FeedChange {
  std::shared_ptr<const topology::FeedBatch> batch;
};
// From a subscription to an agent: a FeedBatch. The next one is sent after FeedApplied. Both cross hosts.
struct FeedFrame {
  Secret sink;  // that the agent gave when it joined
  std::shared_ptr<const schema::Frame> frame = std::make_shared<const schema::Frame>();
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, FeedFrame& feed) {
  if constexpr (Inspector::reads_state) {
    return inspector(feed.sink, feed.frame->bytes);
  } else {
    auto frame = std::make_shared<schema::Frame>();
    feed.frame = frame;
    return inspector(feed.sink, frame->bytes);
  }
}
struct FeedApplied {
  uint64_t revision = 0;  // what the mirror has applied after the frame
  bool resync = false;    // it missed something: the next frame must hold everything
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, FeedApplied& applied) {
  return inspector(applied.revision, applied.resync);
}
// From a subscription to the store: what its agent has applied.
struct AgentApplied {
  HostId host;
  uint64_t revision = 0;
};
// From a subscription to the store: its agent needs everything, as a FeedChange.
struct SendWhole {
  HostId host;
};

// From the store to its node's record.
struct NodeProgress {
  uint64_t agents = 0;
  uint64_t applied = 0;  // of the topology, by all of them
};

// --- state tables (cluster) ----------------------------------------------------------------------

// A host's agent has come: its session, new or continued.
// Entries of the state tables that concern a device (nil: any), of these tables (empty: all).
struct ReadFacts {
  std::set<std::string, std::less<>> tables;
  Uuid device;
  size_t limit = 1'000;
};
struct Facts {
  uint64_t total = 0;
  std::vector<topology::StatePtr> entries;  // the first `limit`
};
struct BeginSession {
  HostId host;
  std::string name;
  std::string instance;
};
struct SessionBegun {
  std::string refused;  // empty: begun
  bool fresh = false;   // no entry of the host is left from an earlier session
  uint64_t epoch = 0;   // of its writes
  std::chrono::milliseconds lease{};
};
// The agent was heard: its lease goes on.
struct KeepSession {
  HostId host;
  uint64_t epoch = 0;
};
struct SessionKept {
  bool ended = false;
};
struct WriteStates {
  HostId host;
  uint64_t epoch = 0;
  std::shared_ptr<const topology::StateWrite> write;
};
// From the topology store: what the watch said of the tables, and the topology that goes with it.
struct StatesChanged {
  SnapshotPtr snapshot;
  std::vector<topology::StateChange> changes;
  bool whole = false;  // the changes are all that there is
};

// --- between hosts -------------------------------------------------------------------------------

// Frames of schema/hello.capnp, one after the other; the last answer has the secret for GatewayJoin.
struct GatewayHello {
  schema::Frame frame;
  Secret exchange;  // of the first answer, then of each further request
};
struct SessionWrite {
  Secret session;
  schema::Frame frame;  // StateWrite; answered by a StateWritten
};
// Heartbeats, both ways.
struct SessionBeat {
  Secret session;
  uint64_t applied = 0;  // the agent's revision; in the answer: the database's
  bool ended = false;    // answer: the session is over, join again
};
// What an operator asks about a port of another host, and the answer (schema/session.capnp, topology/codec_session.hpp). `to` is
// the secret of whom it goes to: of the session up, of the feed down; answers of a request have none.
struct SessionQuestion {
  Secret to;
  schema::Frame frame;
};
struct SessionAnswer {
  Secret to;
  schema::Frame frame;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, SessionQuestion& question) {
  return inspector(question.to, question.frame);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, SessionAnswer& answer) {
  return inspector(answer.to, answer.frame);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, GatewayHello& hello) {
  return inspector(hello.frame, hello.exchange);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, SessionWrite& write) {
  return inspector(write.session, write.frame);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& inspector, SessionBeat& beat) {
  return inspector(beat.session, beat.applied, beat.ended);
}

// --- agent: bindings and networks ----------------------------------------------------------------

// Which interfaces this host should have in the datapath; from the mirror to the datapath actor. Differences only,
// except with `complete`, when what is not named is unbound.
struct ReconcileBindings {
  struct Binding {
    PortId port;
    std::string interface;
  };
  std::vector<Binding> bind;
  std::vector<PortId> unbind;
  bool complete = false;
};
// What is now active, and which ports that concerns; the answer, and later whenever an interface comes or goes.
struct BindingsChanged {
  flows::simulation::Bindings bindings;
  std::vector<PortId> rebound;
};

// What the tunnels depend on; from the mirror to the tunnel manager. Everything, whenever some of it changes.
struct UnderlayTopology {
  std::vector<topology::TunnelZone> zones;
  std::vector<topology::TunnelZoneHost> members;
  std::map<HostId, std::string> names;
};
// How other hosts are reached: the answer, and later whenever it changes.
struct HostPaths {
  std::map<HostId, flows::simulation::TunnelPath> paths;
  bool copy_dscp = false;
};
struct ReportTunnels {};
struct TunnelReport {
  struct Line {
    HostId host;
    std::string name;
    topology::TunnelType kind = topology::TunnelType::vxlan;
    IpAddress src, dst;
    uint16_t mtu = 0;
    std::string state;                        // up, init, down, admin_down
    std::chrono::microseconds round_trip{0};  // 0: unknown
    double loss = 0;                          // of probes towards this host
  };
  std::vector<Line> tunnels;
  std::vector<std::string> problems;  // what keeps a zone or a host from being used
};
// All hosts, as a cluster node knows them.
struct ReadAgents {};
struct AgentsReport {
  struct Line {
    HostId host;
    std::string name;
    std::string state;  // served, elsewhere, away
    std::string node;
    WallTime since;  // of its session
    uint64_t applied = 0, lag = 0;
  };
  std::vector<Line> agents;
  std::vector<topology::ClusterNode> nodes;
};
// How this agent is connected to the cluster.
struct ReportCluster {};
struct ClusterReport {
  std::string state;  // dialling, proving, joining, joined, pause
  WallTime since;
  std::string node;        // its address
  std::string node_name;   // as it calls itself
  std::string last_error;  // empty while joined
};
// The cluster link's own timer.
struct BeatDue {
  uint64_t attempt = 0;
};
// How far the mirror is: what a cluster node has to know to go on from there.
struct ReadMirror {
  bool settled = false;  // once what has come is applied
};
struct MirrorPosition {
  uint64_t revision = 0;
  std::vector<Uuid> devices;
};
// From the mirror to the state publisher: the ports that are active here and the bridges that they are on. All of them.
struct OwnLocations {
  std::vector<topology::StateEntry> entries;
};
// From the tunnel manager to the state publisher: the interfaces of this host. All of them.
struct OwnInterfaces {
  std::vector<topology::StateEntry> entries;
};
// A block of NAT ports that this host is to have, or to give back.
struct NatLease {
  flows::NatBlock block;
  bool claim = true;
};
// From the mirror to the NAT leaser: the topology as this host has it, and what the state tables say of NAT blocks. The
// first one tells all that is known of them.
struct NatBlocksChanged {
  SnapshotPtr topology;
  std::vector<topology::StateChange> changes;
  std::set<HostId> dead;  // of the owners before: nothing else of theirs is left either
};
// From the publisher to the NAT leaser: what became of claims.
struct NatBlocksAnswered {
  std::vector<flows::NatBlock> won, lost;
};
// From the publisher to the NAT leaser: the cluster hears this host, or does not any more.
struct NatSession {
  bool joined = false;
};
// From the mirror to the replicator: the newest network, and the ports whose connections may concern other hosts than
// before (flows/simulation/state_peers.hpp).
struct EndsMoved {
  std::shared_ptr<const flows::simulation::Network> network;
  std::vector<PortId> ends;
};
// From the mirror to the replicator: these ports are to be active here, and were another host's. Answered when what that
// one knows of their connections is here, or it does not answer.
struct AwaitHandOver {
  std::map<HostId, std::vector<PortId>> ports;
};
struct HandedOver {};
// From the mirror to the health checker: the topology as this host has it, and what the state tables say of pools. The
// first one tells all that is known of them.
struct PoolsChanged {
  SnapshotPtr topology;
  std::vector<topology::StateChange> changes;
};
// A pool that this host checks, with what it has found, or that it checks no longer.
struct HealthClaim {
  topology::HealthReport report;
  bool claim = true;
};
// From the publisher to the health checker: what became of claims.
struct HealthClaimsAnswered {
  std::vector<PoolId> won, lost;
};
// From the publisher to the health checker: the cluster hears this host, or does not any more.
struct HealthSession {
  bool joined = false;
};
// From the health checker to the mirror: all pools that this host checks. It knows sooner than the state tables, and when
// these are away.
struct OwnHealth {
  std::map<PoolId, topology::HealthReport> reports;
};
// From a speaker of a routing protocol to the mirror and the publisher: what it has learned (LearnedRoutes, GatewayLost),
// each as a whole, and what is so no longer.
struct RoutesLearned {
  std::vector<topology::HostFact> said;
  std::vector<topology::HostFact> ended;
};
// From who keeps the speakers to the mirror: all ports of this host that have one, the interface that it speaks by, and
// with whom.
struct SpeakersChanged {
  struct Wish {
    std::string interface;
    std::vector<IpAddress> peers;  // sorted
    friend bool operator==(const Wish&, const Wish&) = default;
  };
  std::map<PortId, Wish> speakers;
};
// From the mirror to who keeps the speakers: the topology as this host has it, and, with the first one, what an earlier life
// of this host had learned.
struct UplinksChanged {
  SnapshotPtr topology;
  std::vector<topology::HostFact> restored;
};
// From a speaker's thread to who keeps it, in order: what it has learned, how it is when that has changed, and why it ends
// when it does so by itself (then nothing more comes).
struct SpeakerStatus;  // actors/agent/bgp_status.hpp
struct SpeakerSaid {
  PortId port;
  uint64_t life = 0;  // of its runners
  RoutesLearned routes = {};
  std::shared_ptr<const SpeakerStatus> status = {};  // null: as before
  std::string died = {};
};
struct ReportBgp {};
struct BgpReport {
  struct Line {  // a peer of a port of this host
    std::string router, port, peer;
    uint32_t as_number = 0;
    std::string state;                   // of RFC 4271 8.2.2, or Unknown
    std::chrono::milliseconds since{0};  // established: for how long
    uint64_t prefixes_in = 0, prefixes_out = 0;
    std::string bfd;         // off, down, up
    std::string last_error;  // why the last session ended
  };
  std::vector<Line> peers;
  std::vector<std::string> problems;  // what is asked for and does not happen, each with what helps
};
struct ReportNat {};
struct NatReport {
  std::vector<std::string> problems;  // addresses without ports, each with what helps
};
// A batch that an earlier life has stored.
struct CachedFeed {
  std::shared_ptr<const topology::FeedBatch> batch;
};

// "There is something for you in AgentState's news": one at a time, however much it is (actors/agent/news.hpp).
struct NewsWaits {};

// --- agent: flows --------------------------------------------------------------------------------

// From the mirror, one at a time; what workers and devices change comes as NewsWaits.
struct InvalidateFlows {
  flows::simulation::Invalidation what;
};
struct FlowsInvalidated {
  uint64_t removed = 0;
};
// The first network is published: prove the flows that an earlier life left.
struct AdoptFlows {};
struct ListFlows {
  flows::PortNumber port;  // none: all
  size_t limit = 1000;
};
struct FlowListReply {
  struct Line {
    flows::Flow flow;
    flows::FlowStats stats;
    uint32_t tags = 0;
  };
  uint64_t total = 0;
  std::vector<Line> flows;
};

// What was dropped here (actors/agent/drop_history.hpp).
struct ReadDrops {
  PortId port;  // nil: all
};
struct DropReport {
  std::vector<DropEntry> drops;  // the newest first
  uint64_t evicted = 0;          // entries that made room for newer ones
};

// --- agent: connections --------------------------------------------------------------------------

// The configuration was read again.
struct ReconfigureConnections {
  flows::ConnectionTimeouts timeouts;
};
struct FlushConnections {
  ConnectionFilter filter;
};
struct ConnectionsFlushed {
  uint64_t entries = 0;
};

// --- agent: devices ------------------------------------------------------------------------------

// What workers saw that concerns time (DeviceNews). A device gets the next batch when it has answered the last one.
struct DeviceEvents {
  std::vector<flows::simulation::NeighbourWanted> wanted;
  std::vector<flows::simulation::NeighbourWanted> refresh;
  std::vector<flows::simulation::LearnMac> macs;
  std::vector<flows::simulation::LearnNeighbour> neighbours;
};
// Devices of the new snapshot; from the mirror. Only what changed.
struct DevicesChanged {
  std::shared_ptr<const flows::simulation::Network> network;
  std::vector<BridgeId> bridges;
  std::vector<RouterId> routers;
  std::vector<Uuid> removed;
  // Routers' ports that are gone, or have other addresses: what was learned behind them is void.
  std::map<RouterId, std::vector<PortId>> void_ports;
};
// The part of it that one router has to know.
struct VoidPorts {
  std::vector<PortId> ports;
};
struct FlushState {
  Uuid device;  // nil: all
};
struct StateFlushed {};  // it is out of the tables, and the flow controller has been told

// --- admin ---------------------------------------------------------------------------------------

// One request frame of a connection, and its answer.
struct AdminCall {
  std::shared_ptr<const schema::Frame> request;
};
// One that an operator has made of another host's daemon, which has seen the token: why or trace, and nothing else.
struct RelayedCall {
  std::shared_ptr<const topology::Question> question;
};
// "Have this answered by the host to which the port is bound." From the admin actor to the cluster link or the gateway; from
// a session, of its agent, to the gateway; from that one to the session of the port's host.
struct AskHost {
  std::shared_ptr<const topology::Question> question;
};
// Each that waits has a little more patience than who it waits for, so that the one who knows why says so.
inline constexpr std::chrono::milliseconds kHostPatience{3'000};  // with the host that answers
inline constexpr std::chrono::milliseconds kNodePatience{4'000};  // with the cluster node
inline constexpr std::chrono::milliseconds kAskPatience{5'000};   // of the operator's daemon, with all of it
struct HostAnswered {
  std::shared_ptr<const topology::Answer> answer;
};
// Without a reply of `host` (empty: none was asked): why, and what helps.
inline HostAnswered unanswered(std::string host, schema::ErrorCode code, std::string why) {
  return {std::make_shared<const topology::Answer>(topology::Answer{0, std::move(host), std::move(why), code, {}})};
}
struct AdminAnswer {
  std::shared_ptr<const schema::Frame> reply;
};

struct DatapathReport {
  std::string kind;
  flows::DatapathStats stats;
  struct Port {
    PortId port;
    std::string interface;
    flows::PortNumber number;
    bool active = false;
    std::string reason;
    flows::PortStats stats;
  };
  std::vector<Port> ports;
};
struct ReportDatapath {};
// Of a supervisor: the actors under it.
struct NodeReport {
  std::vector<observability::ActorStatus> actors;
  uint64_t unlisted = 0;  // more than those
};
struct ReportNode {};
struct FlowReport {
  uint64_t flows = 0;
  uint64_t adopted = 0;
};
struct ReportFlows {};

}  // namespace viaduct::actors
