// The change feed, as values: entries of the network state database on their way to the agents that need them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "topology/address/id.hpp"
#include "topology/cause.hpp"

namespace viaduct::topology {

// An entry as it lies in the database. Shared by all who get it.
struct FeedItem {
  std::string key;
  uint64_t revision = 0;
  std::optional<std::string> value;  // nothing: deleted
  friend bool operator==(const FeedItem&, const FeedItem&) = default;
};
using FeedItemPtr = std::shared_ptr<const FeedItem>;

inline constexpr size_t kMaxFeedRequests = 100;

struct FeedBatch {
  uint64_t revision = 0;
  bool complete = false;     // the items are all that there is
  std::vector<Uuid> forget;  // first: devices and tunnel zones, with all that is theirs
  std::vector<FeedItemPtr> items;
  uint64_t committed_at = 0;                  // nanoseconds since the Unix epoch; 0: unknown
  std::vector<CausedRevision> requests = {};  // of the commits in it, kMaxFeedRequests at most, the last ones
};

}  // namespace viaduct::topology
