// The agent's end of one session with a cluster node. Takes the feed, for the mirror, and questions of other hosts' operators about
// this host's ports, for the admin actor: only from who has the secret that the node was given. Sends up what this host's
// operators ask about ports of other hosts. Ends with the session; the cluster link makes the next one.
//
// Bounded: so many questions at a time each way, each with a deadline; what is more is refused at once, and counted.
#pragma once

#include "actors/interfaces.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct SessionSinkLinks {
  std::string host;  // this one's name
  Secret feed;       // that messages of the node have to carry
  TopologyMirrorActor mirror;
  observability::ClusterLinkProbe& probe;
};

SessionSinkActor spawn_session_sink(caf::actor_system& system, const SessionSinkLinks& links);

}  // namespace viaduct::actors
