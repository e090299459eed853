// The agent's connection to the cluster: finds a node that serves it, proves who it is, joins, is heard, and begins again
// with the next node when that one is silent. The agent works on meanwhile, with what it has.
//
//                 +--------------------- pause (backs off) <----------------------+
//                 v                                                                |
//   idle -> dialling -> proving (remote nodes) -> joining -> joined --silence, end-+
//
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/agent/dialler.hpp"
#include "actors/identity/identity.hpp"
#include "actors/interfaces.hpp"
#include "observability/journal.hpp"
#include "observability/probes.hpp"
#include "topology/model/host.hpp"

namespace viaduct::actors {

struct ClusterLinkLinks {
  topology::Host host;
  std::string instance;  // of this daemon's state directory (schema/state.capnp, HostSession)
  TopologyMirrorActor mirror;
  StatePublisherActor publisher;
  observability::ClusterLinkProbe& probe;
  std::vector<NodeAddress> nodes;  // asked in turn
  std::chrono::milliseconds reconnect_min{100}, reconnect_max{2'000};
  std::shared_ptr<const Identity> identity = {};  // with `nodes`
  Connect connect = {};                           // with `nodes`
  GatewayActor local = {};                        // or the cluster node in this process, and
  Secret local_secret = {};
  // Whose own events a node in another process is told; null: none.
  observability::Journal* journal = nullptr;
};

ClusterLinkActor spawn_cluster_link(caf::actor_system& system, const ClusterLinkLinks& links);

}  // namespace viaduct::actors
