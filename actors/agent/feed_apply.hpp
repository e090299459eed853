// A batch of the feed, applied to the agent's copy of the network state database.
#pragma once

#include <string>
#include <vector>

#include "topology/delta.hpp"
#include "topology/feed.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

struct FeedEffect {
  topology::Snapshot snapshot;  // at the batch's revision
  topology::Delta delta;
  std::vector<topology::StateChange> states;  // done to the index already
  std::vector<std::string> gone;              // keys that are no more, whatever the batch says
};

// Changes `states`; `base`, what host `self` has, stays. What is older than what is known is taken out of `batch`, which
// is then what a cache has to store; a complete batch counts as it is. The text, when the batch cannot be read: then nothing has changed.
std::string apply_feed(topology::FeedBatch& batch, const topology::Snapshot& base, HostId self,
                       topology::StateIndex& states, FeedEffect& out);

}  // namespace viaduct::actors
