// What one agent needs, from its revision on: one acknowledged batch at a time. Changes that are committed while a batch
// is out merge into the next one, so a slow agent gets fewer and larger batches and never a queue.
//
// A batch that is sent as it came shares its encoded bytes with all subscriptions that got the same (FeedEncoder).
#pragma once

#include "actors/cluster/feed_backlog.hpp"
#include "actors/interfaces.hpp"

namespace viaduct::actors {

struct SubscriptionLinks {
  Subscribe subscriber;
  TopologyStoreActor store;
  std::shared_ptr<const topology::FeedBatch> first;
  std::shared_ptr<FeedEncoder> encoder;
};

SubscriptionActor spawn_subscription(caf::actor_system& system, const SubscriptionLinks& links);

}  // namespace viaduct::actors
