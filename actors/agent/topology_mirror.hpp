// The host's copy of the topology, and the moment when a change takes effect.
//
//   feed batch -> Snapshot + Delta, state tables -> bindings reconciled (datapath), paths to other hosts (tunnel manager)
//              -> Network published, epochs bumped, devices told -> what others have learned into the tables
//              -> flows that depended on the change deleted (flow controller) -> "applied N" to the subscription
//
// One batch at a time: the subscription merges what piles up meanwhile, and the first batch of a new session waits for
// the last one of the session before. Interfaces that come and go take the same path without a new snapshot.
#pragma once

#include <functional>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"
#include "topology/store/feed_cache.hpp"

namespace viaduct::actors {

struct MirrorLinks {
  HostId host;
  AgentState& state;
  FlowControllerActor flows;
  DatapathActor datapath;
  DevicesActor devices;
  TunnelManagerActor tunnels;
  StatePublisherActor publisher;
  NatLeaserActor nat_leaser;
  FlowReplicatorActor replicator;
  WorkerPool& workers;                // packets wait there for what other hosts learn
  topology::store::FeedCache* cache;  // null: the database is in this process
  observability::MirrorProbe& probe;
  std::function<void()> on_first_network;  // start the workers
  HealthCheckerActor health_checker = {};  // none: this host checks no pools
  BgpSpeakersActor speakers = {};          // none: it speaks no routing protocol
};

TopologyMirrorActor spawn_topology_mirror(caf::actor_system& system, const MirrorLinks& links);

}  // namespace viaduct::actors
