// What agents connect to: lets in who proves to be a host of this network, registers it, begins its session and its feed.
//
//   hello (certificates, both ways; remote agents) -> join -> host registered -> session begun -> subscribed -> joined
//
// What operators ask about a port goes to the session of its host, if that is at this node: nodes do not speak to each other.
//
// An agent in the same process is let in by a secret that only this process knows.
#pragma once

#include <memory>
#include <string>

#include "actors/identity/handshake.hpp"
#include "actors/interfaces.hpp"
#include "observability/journal.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct GatewayLinks {
  TopologyStoreActor store;
  StateTablesActor tables;
  observability::GatewayProbe& probe;
  std::string node;                           // of the cluster, for people
  std::shared_ptr<const Identity> identity;   // null: no remote agents
  Secret local;                               // of the agent in this process; empty: there is none
  observability::Journal* journal = nullptr;  // takes what agents tell of themselves; null: nobody does
};

using GatewayRunning = SupervisedActor::extend_with<GatewayActor>::extend_with<QuestionRelayActor>::extend<
    reacts_to<NewIdentity>>;  // for new hellos
GatewayRunning spawn_gateway(caf::actor_system& system, const GatewayLinks& links);

Secret random_secret();

}  // namespace viaduct::actors
