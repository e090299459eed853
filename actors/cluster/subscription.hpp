// What one agent needs, from its revision on: one acknowledged batch at a time. Revisions that are committed while a
// batch is out merge into the next one, so a slow agent gets fewer and larger batches and never a queue.
#pragma once

#include "actors/interfaces.hpp"

namespace viaduct::actors {

struct SubscriptionLinks {
  Subscribe subscriber;
  TopologyStoreActor store;
  SnapshotPtr snapshot;  // the first batch
};

SubscriptionActor spawn_subscription(caf::actor_system& system, const SubscriptionLinks& links);

}  // namespace viaduct::actors
