// Answers operators: decodes the request, asks the actors that it concerns, makes the reply. Holds no state, so another
// one can take over at any time.
#pragma once

#include <functional>
#include <string>

#include "actors/admin/token.hpp"
#include "actors/agent/agent_state.hpp"
#include "actors/interfaces.hpp"
#include "observability/journal.hpp"
#include "observability/metrics.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct AdminLinks {
  AdminToken token;
  topology::Host host;
  std::string metrics_url;
  std::chrono::system_clock::time_point started;
  AgentState& state;
  observability::Registry& registry;
  observability::AdminProbe& probe;
  std::function<NodeActor()> node;  // invalid until everything has been started
  const observability::Journal& journal;
  // Of the cluster role; invalid without it.
  TopologyStoreActor store = {};
  StateTablesActor tables = {};
  // Of the agent role; invalid without it.
  FlowControllerActor flows = {};
  DatapathActor datapath = {};
  DevicesActor devices = {};
  ConnectionsActor connections = {};
  TopologyMirrorActor mirror = {};
  TunnelManagerActor tunnels = {};
  NatLeaserActor nat = {};
  BgpSpeakersActor speakers = {};
  ClusterLinkActor link = {};
  // Of either role: has the hosts of other ports asked.
  QuestionRelayActor relay = {};
  uint64_t restarts = 0;  // lives before this one
};

AdminActor spawn_admin(caf::actor_system& system, const AdminLinks& links);

}  // namespace viaduct::actors
