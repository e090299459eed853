// Every actor of Viaduct and every message that it understands. Read from top to bottom, this is how the daemon works.
//
// A core actor's death ends the daemon in order; the others are respawned with back-off (runtime/policy.hpp). All
// requests have finite time-outs. "detached" actors own a thread because they block (disk, netlink); the others share
// the scheduler's threads and must not.
#pragma once

#include <caf/all.hpp>

#include "actors/identity/identity.hpp"
#include "actors/messages.hpp"
#include "actors/wire_types.hpp"
#include "routing/underlay/liveness.hpp"

namespace viaduct::actors {
struct Subscribe;
struct FollowStates;
struct FollowProgress;
struct FollowTopology;
struct NewIdentity;
struct ReconfigureLink;
struct ReconfigureTunnels;
struct NatLeases;
struct HealthClaims;
struct AnswerBy;
}  // namespace viaduct::actors

#define VIADUCT_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::actors::type)
VIADUCT_LOCAL_MESSAGE(ReportStatus)
VIADUCT_LOCAL_MESSAGE(Shutdown)
VIADUCT_LOCAL_MESSAGE(CommitTransaction)
VIADUCT_LOCAL_MESSAGE(CommitReply)
VIADUCT_LOCAL_MESSAGE(ReadTopology)
VIADUCT_LOCAL_MESSAGE(SnapshotPtr)
VIADUCT_LOCAL_MESSAGE(WaitApplied)
VIADUCT_LOCAL_MESSAGE(WaitAppliedReply)
VIADUCT_LOCAL_MESSAGE(StoreRevisions)
VIADUCT_LOCAL_MESSAGE(ReadRevisions)
VIADUCT_LOCAL_MESSAGE(Subscribe)
VIADUCT_LOCAL_MESSAGE(FollowStates)
VIADUCT_LOCAL_MESSAGE(FollowProgress)
VIADUCT_LOCAL_MESSAGE(FollowTopology)
VIADUCT_LOCAL_MESSAGE(TopologyChanged)
VIADUCT_LOCAL_MESSAGE(NodeProgress)
VIADUCT_LOCAL_MESSAGE(NewIdentity)
VIADUCT_LOCAL_MESSAGE(ReconfigureLink)
VIADUCT_LOCAL_MESSAGE(ReconfigureTunnels)
VIADUCT_LOCAL_MESSAGE(FeedChange)
VIADUCT_LOCAL_MESSAGE(AgentApplied)
VIADUCT_LOCAL_MESSAGE(SendWhole)
VIADUCT_LOCAL_MESSAGE(ReadAgents)
VIADUCT_LOCAL_MESSAGE(AgentsReport)
VIADUCT_LOCAL_MESSAGE(ReportCluster)
VIADUCT_LOCAL_MESSAGE(ClusterReport)
VIADUCT_LOCAL_MESSAGE(BeatDue)
VIADUCT_LOCAL_MESSAGE(SessionChanged)
VIADUCT_LOCAL_MESSAGE(BeginSession)
VIADUCT_LOCAL_MESSAGE(SessionBegun)
VIADUCT_LOCAL_MESSAGE(KeepSession)
VIADUCT_LOCAL_MESSAGE(SessionKept)
VIADUCT_LOCAL_MESSAGE(WriteStates)
VIADUCT_LOCAL_MESSAGE(ReadFacts)
VIADUCT_LOCAL_MESSAGE(Facts)
VIADUCT_LOCAL_MESSAGE(StatesChanged)
VIADUCT_LOCAL_MESSAGE(ReconcileBindings)
VIADUCT_LOCAL_MESSAGE(BindingsChanged)
VIADUCT_LOCAL_MESSAGE(UnderlayTopology)
VIADUCT_LOCAL_MESSAGE(HostPaths)
VIADUCT_LOCAL_MESSAGE(OwnLocations)
VIADUCT_LOCAL_MESSAGE(OwnInterfaces)
VIADUCT_LOCAL_MESSAGE(CachedFeed)
VIADUCT_LOCAL_MESSAGE(NatLeases)
VIADUCT_LOCAL_MESSAGE(NatBlocksChanged)
VIADUCT_LOCAL_MESSAGE(NatBlocksAnswered)
VIADUCT_LOCAL_MESSAGE(NatSession)
VIADUCT_LOCAL_MESSAGE(HealthClaims)
VIADUCT_LOCAL_MESSAGE(HealthClaimsAnswered)
VIADUCT_LOCAL_MESSAGE(HealthSession)
VIADUCT_LOCAL_MESSAGE(PoolsChanged)
VIADUCT_LOCAL_MESSAGE(OwnHealth)
VIADUCT_LOCAL_MESSAGE(RoutesLearned)
VIADUCT_LOCAL_MESSAGE(SpeakersChanged)
VIADUCT_LOCAL_MESSAGE(UplinksChanged)
VIADUCT_LOCAL_MESSAGE(SpeakerSaid)
VIADUCT_LOCAL_MESSAGE(ReportBgp)
VIADUCT_LOCAL_MESSAGE(BgpReport)
VIADUCT_LOCAL_MESSAGE(EndsMoved)
VIADUCT_LOCAL_MESSAGE(AwaitHandOver)
VIADUCT_LOCAL_MESSAGE(HandedOver)
VIADUCT_LOCAL_MESSAGE(ReportNat)
VIADUCT_LOCAL_MESSAGE(NatReport)
VIADUCT_LOCAL_MESSAGE(ReportTunnels)
VIADUCT_LOCAL_MESSAGE(TunnelReport)
VIADUCT_LOCAL_MESSAGE(ReadMirror)
VIADUCT_LOCAL_MESSAGE(MirrorPosition)
VIADUCT_LOCAL_MESSAGE(InvalidateFlows)
VIADUCT_LOCAL_MESSAGE(FlowsInvalidated)
VIADUCT_LOCAL_MESSAGE(NewsWaits)
VIADUCT_LOCAL_MESSAGE(AdoptFlows)
VIADUCT_LOCAL_MESSAGE(ListFlows)
VIADUCT_LOCAL_MESSAGE(FlowListReply)
VIADUCT_LOCAL_MESSAGE(ReadDrops)
VIADUCT_LOCAL_MESSAGE(DropReport)
VIADUCT_LOCAL_MESSAGE(ReconfigureConnections)
VIADUCT_LOCAL_MESSAGE(FlushConnections)
VIADUCT_LOCAL_MESSAGE(ConnectionsFlushed)
VIADUCT_LOCAL_MESSAGE(DeviceEvents)
VIADUCT_LOCAL_MESSAGE(DevicesChanged)
VIADUCT_LOCAL_MESSAGE(VoidPorts)
VIADUCT_LOCAL_MESSAGE(FlushState)
VIADUCT_LOCAL_MESSAGE(StateFlushed)
VIADUCT_LOCAL_MESSAGE(AdminCall)
VIADUCT_LOCAL_MESSAGE(AdminAnswer)
VIADUCT_LOCAL_MESSAGE(RelayedCall)
VIADUCT_LOCAL_MESSAGE(AskHost)
VIADUCT_LOCAL_MESSAGE(HostAnswered)
VIADUCT_LOCAL_MESSAGE(AnswerBy)
VIADUCT_LOCAL_MESSAGE(DatapathReport)
VIADUCT_LOCAL_MESSAGE(ReportDatapath)
VIADUCT_LOCAL_MESSAGE(NodeReport)
VIADUCT_LOCAL_MESSAGE(ReportNode)
VIADUCT_LOCAL_MESSAGE(FlowReport)
VIADUCT_LOCAL_MESSAGE(ReportFlows)
VIADUCT_LOCAL_MESSAGE(Tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::observability::ActorStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(viaduct::topology::StateWritten)

namespace viaduct::actors {

using caf::reacts_to;
using caf::replies_to;

// Every actor under a supervisor.
using SupervisedActor = caf::typed_actor<
    replies_to<ReportStatus>::with<observability::ActorStatus>,  // its mailbox depth, from its own mailbox
    reacts_to<Shutdown>>;                                        // finish and end with reason `normal`

// Removes, expires, lists and adopts flows; owns the index of who depends on what. [agent, core, detached]
using FlowControllerActor = SupervisedActor::extend<
    replies_to<InvalidateFlows>::with<FlowsInvalidated>,  // remove the flows that depend on these facts
    reacts_to<NewsWaits>,                                 // new flows, and facts that workers and devices changed
    reacts_to<AdoptFlows>,                                // a network is there: prove what an earlier life left
    replies_to<ListFlows>::with<FlowListReply>,           // for operators
    replies_to<ReadDrops>::with<DropReport>,              // for operators
    replies_to<ReportFlows>::with<FlowReport>,            // how many
    reacts_to<Tick>>;                                     // gather statistics, expire what is idle

// Owns time for connections: ends what is idle, makes room where there is too little. [agent, core]
using ConnectionsActor =
    SupervisedActor::extend<replies_to<FlushConnections>::with<ConnectionsFlushed>,  // an operator ends connections
                            reacts_to<ReconfigureConnections>,                       // the configuration was read again
                            reacts_to<Tick>>;                                        // the next part of the table

// Owns time for one bridge: ages MACs and address bindings. One for each bridge. [agent]
using BridgeDeviceActor =
    SupervisedActor::extend<reacts_to<DeviceEvents>,                     // a worker learned
                            replies_to<FlushState>::with<StateFlushed>,  // forget what was learned
                            reacts_to<Tick>>;

// Owns time for one router: asks for neighbours, retries, refreshes, expires. One for each router. [agent]
using RouterDeviceActor = SupervisedActor::extend<reacts_to<DeviceEvents>,  // a worker wants or learned a neighbour
                                                  reacts_to<VoidPorts>,     // forget what was learned behind them
                                                  replies_to<FlushState>::with<StateFlushed>, reacts_to<Tick>>;

// Spawns, respawns and addresses the device actors. [agent, core]
using DevicesActor = SupervisedActor::extend<reacts_to<DevicesChanged>,  // devices came, went or changed
                                             reacts_to<NewsWaits>,       // from workers, sorted out to the devices
                                             replies_to<ReportNode>::with<NodeReport>,    // the devices' own actors
                                             replies_to<FlushState>::with<StateFlushed>,  // once all of them have
                                             reacts_to<Tick>>;

// Owns the datapath's ports and the packet workers. [agent, core, detached]
using DatapathActor = SupervisedActor::extend<
    replies_to<ReconcileBindings>::with<BindingsChanged>,  // have these interfaces in the datapath, and no others
    replies_to<ReportDatapath>::with<DatapathReport>,      // ports, counters
    reacts_to<Tick>>;                                      // an interface may have come or gone; count errors

// Receives the change feed, publishes networks, and says when a revision is applied. [agent, core]
using TopologyMirrorActor = SupervisedActor::extend<
    replies_to<FeedFrame>::with<FeedApplied>,   // one batch at a time; answered when the datapath behaves accordingly
    replies_to<CachedFeed>::with<FeedApplied>,  // the first of all, when the cluster may be away
    reacts_to<BindingsChanged>,                 // an interface came or went by itself
    replies_to<ReadMirror>::with<MirrorPosition>,
    replies_to<ReadTopology>::with<SnapshotPtr>,  // as far as this host has it
    reacts_to<HostPaths>,                         // other hosts are reached otherwise
    reacts_to<OwnHealth>,                         // what this host finds of pools' members
    reacts_to<RoutesLearned>,                     // what its routers learn
    reacts_to<SpeakersChanged>>;                  // who speaks routing protocols for its ports

// Knows how other hosts are reached, and whether they answer. [agent]
using TunnelManagerActor =
    SupervisedActor::extend<replies_to<UnderlayTopology>::with<HostPaths>,  // tunnel zones or hosts have changed
                            replies_to<ReportTunnels>::with<TunnelReport>,  // for operators
                            reacts_to<ReconfigureTunnels>,                  // the configuration was read again
                            reacts_to<NewsWaits>,                           // probes have come
                            reacts_to<Tick>>;  // probes are due, the underlay may have changed

// Tells the cluster what this host has learned and which ports are active here. [agent]
using StatePublisherActor =
    SupervisedActor::extend<reacts_to<NewsWaits>,       // from workers and devices
                            reacts_to<OwnLocations>,    // from the mirror
                            reacts_to<OwnInterfaces>,   // from the tunnel manager
                            reacts_to<NatLeases>,       // from the NAT leaser
                            reacts_to<HealthClaims>,    // from the health checker
                            reacts_to<RoutesLearned>,   // from speakers of routing protocols
                            reacts_to<SessionChanged>,  // the cluster node that hears it, or that none does
                            reacts_to<Tick>>;

// Leases blocks of ports for dynamic SNAT, and gives back what is not used. [agent, core]
using NatLeaserActor = SupervisedActor::extend<reacts_to<NewsWaits>,          // packets want ports
                                               reacts_to<NatBlocksChanged>,   // by others, or the network
                                               reacts_to<NatBlocksAnswered>,  // the cluster's answer to claims
                                               reacts_to<NatSession>,         // whether it hears any
                                               replies_to<ReportNat>::with<NatReport>,  // for operators
                                               reacts_to<Tick>>;  // time, and a slice of the connections

// Checks members of load balancers' pools, those that this host has claimed. [agent, core]
using HealthCheckerActor = SupervisedActor::extend<reacts_to<NewsWaits>,             // answers have come
                                                   reacts_to<PoolsChanged>,          // or what other hosts have found
                                                   reacts_to<HealthClaimsAnswered>,  // the cluster's answer to claims
                                                   reacts_to<HealthSession>,         // whether it hears any
                                                   reacts_to<Tick>>;                 // checks are due

// Keeps the BGP speakers of this host's ports, each with a thread and FRR's daemons. [agent, core, detached]
using BgpSpeakersActor = SupervisedActor::extend<reacts_to<UplinksChanged>,  // the topology, from the mirror
                                                 reacts_to<SpeakerSaid>,     // from a speaker's thread
                                                 replies_to<ReportNode>::with<NodeReport>,  // how the speakers are
                                                 replies_to<ReportBgp>::with<BgpReport>,    // for operators
                                                 reacts_to<Tick>>;  // one that died begins again

// Has the connections of this host at the hosts that may see their next packet, and theirs here. [agent, core, detached]
using FlowReplicatorActor = SupervisedActor::extend<reacts_to<NewsWaits>,         // from workers and other hosts
                                                    reacts_to<EndsMoved>,         // ports or hosts, from the mirror
                                                    reacts_to<NatBlocksChanged>,  // whose which ports are
                                                    replies_to<AwaitHandOver>::with<HandedOver>,  // of ports that come
                                                    reacts_to<Tick>>;

// Has what operators ask about a port answered by the host to which it is bound: the cluster link, which asks its cluster node,
// or the gateway, which asks the host.
using QuestionRelayActor = caf::typed_actor<replies_to<AskHost>::with<HostAnswered>>;

// The agent's connection to the cluster. [agent]
using ClusterLinkActor = SupervisedActor::extend_with<QuestionRelayActor>::extend<
    replies_to<ReportCluster>::with<ClusterReport>,  // for operators
    reacts_to<ReconfigureLink>,                      // the configuration was read again
    reacts_to<AnswerBy>,                             // who answers what other hosts ask
    reacts_to<BeatDue>, reacts_to<Tick>>;

// The agent's end of one session: takes the feed and the node's questions, and asks its own. Ends with the session. [agent]
using SessionSinkActor =
    FeedSinkActor::extend_with<QuestionRelayActor>::extend<reacts_to<SessionChanged>,  // it has begun
                                                           reacts_to<AnswerBy>>;

// Sends one agent what it needs, one acknowledged batch at a time, merging what piles up meanwhile. [cluster]
using SubscriptionActor = SupervisedActor::extend<reacts_to<FeedChange>,  // something changed that the agent needs
                                                  reacts_to<Tick>>;       // try again after a failure

// Writes what hosts say into the state tables: each host its own, while its session lives. [cluster, core, detached]
using StateTablesActor =
    SupervisedActor::extend<replies_to<BeginSession>::with<SessionBegun>,           // an agent has come
                            replies_to<KeepSession>::with<SessionKept>,             // it was heard
                            replies_to<WriteStates>::with<topology::StateWritten>,  // refused when the session is over
                            replies_to<ReadFacts>::with<Facts>,                     // for operators
                            reacts_to<StatesChanged>>;                              // what the database holds now

// Tells the other nodes how far this node's agents are. [cluster, detached]
using NodeRecordActor = SupervisedActor::extend<reacts_to<NodeProgress>,  // as often as it changes
                                                reacts_to<Tick>>;         // keep the record alive

// Wants to know of every change of the topology: the REST gateway. [cluster]
using TopologyFollowerActor = caf::typed_actor<reacts_to<TopologyChanged>>;

// The one writer: validates, commits, publishes. [cluster, core, detached]
using TopologyStoreActor = SupervisedActor::extend<
    replies_to<CommitTransaction>::with<CommitReply>,  // all operations or none, durable before the answer
    replies_to<ReadTopology>::with<SnapshotPtr>,       // the newest snapshot
    replies_to<ReadRevisions>::with<StoreRevisions>,   // committed, and applied by every agent
    replies_to<WaitApplied>::with<WaitAppliedReply>,   // answered when every agent has applied the revision
    replies_to<ReportNode>::with<NodeReport>,          // its subscriptions
    replies_to<ReadAgents>::with<AgentsReport>,        // the hosts, and who serves them
    replies_to<Subscribe>::with<SubscriptionActor>,    // an agent wants the feed
    reacts_to<AgentApplied>,                           // from a subscription
    reacts_to<SendWhole>,                              // from a subscription
    reacts_to<FollowStates>,                           // the state tables want to know of every change of them
    reacts_to<FollowProgress>,                         // this node's record wants to know how far its agents are
    reacts_to<FollowTopology>,                         // somebody wants to know of every change of the topology
    reacts_to<NewsWaits>,                              // the store's watch has something
    reacts_to<Tick>>;                                  // a waiter's patience may have ended

// Writes learned state to disk so that a restart finds it. [agent, detached]
using LearnedStateActor = SupervisedActor::extend<reacts_to<Tick>>;

// Answers operators: reads the request frame, asks whom it concerns, makes the reply frame. [admin]
using AdminActor = SupervisedActor::extend<replies_to<AdminCall>::with<AdminAnswer>,
                                           replies_to<RelayedCall>::with<AdminAnswer>>;  // of other hosts' operators

// The root: starts everything in order, applies the policy to deaths, stops everything in the reverse order.
using NodeActor = caf::typed_actor<replies_to<ReportNode>::with<NodeReport>,  // the state of every actor
                                   reacts_to<Shutdown>,                       // the operator's or systemd's word
                                   reacts_to<Tick>>;                          // ask every actor how it is

// From the gateway to the store: an agent that has everything of `devices` up to `revision`.
struct Subscribe {
  HostId host;
  FeedSinkActor sink;
  uint64_t revision = 0;
  std::vector<Uuid> devices;
  Secret feed;  // for its sink
};

// A cluster node's address.
struct NodeAddress {
  std::string host;  // name or address
  uint16_t port = 0;
  std::string to_string() const;
  friend bool operator==(const NodeAddress&, const NodeAddress&) = default;
};

// From the daemon, when its configuration was read again: what holds from now on. Files may hold something else also
// where nothing has changed in the configuration.
struct ReconfigureLink {
  std::vector<NodeAddress> nodes;
  std::chrono::milliseconds reconnect_min, reconnect_max;
  std::shared_ptr<const Identity> identity;
};
struct NewIdentity {
  std::shared_ptr<const Identity> identity;
};
// From the daemon to the cluster link, when the one before it has died, too.
struct AnswerBy {
  AdminActor admin;
};
struct ReconfigureTunnels {
  routing::underlay::LivenessOptions liveness;
  bool copy_dscp = false;
};

// From the NAT leaser to the state publisher: what to claim and to give back, in this order; the first one, perhaps of
// nothing, when it knows of an earlier life's blocks.
struct NatLeases {
  std::vector<NatLease> leases;
  NatLeaserActor leaser;  // is answered
};

// From the health checker to the state publisher; the first one, perhaps of nothing, says who is answered.
struct HealthClaims {
  std::vector<HealthClaim> claims;
  HealthCheckerActor checker;
};

// From the state tables to the store: answered by StatesChanged, now with everything and later with every change.
struct FollowStates {
  StateTablesActor tables;
};
// From this node's record to the store: answered by NodeProgress, now and later with every change.
struct FollowProgress {
  Uuid node;  // the record's id
  NodeRecordActor record;
};

// From the REST gateway to the store: answered by TopologyChanged, now and with every change.
struct FollowTopology {
  TopologyFollowerActor follower;
};

}  // namespace viaduct::actors
