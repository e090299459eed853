// An agent's copy of what the feed has told it, on its own disk: entries of the network state database as they are
// there, and the revision up to which they are complete. With it an agent starts without the cluster, and goes on from
// where it stopped.
//
// Each batch is one write: entries and revision are never apart. Writes are not synced: a machine that loses its power
// goes on from an older revision, which is as good.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "topology/feed.hpp"
#include "topology/store/store.hpp"

namespace viaduct::topology::store {

class FeedCache {
 public:
  virtual ~FeedCache() = default;

  // Everything, as a complete batch; revision 0: nothing was ever stored.
  virtual Result<FeedBatch> load() = 0;
  // The items of `batch`, then without these keys. A batch that is complete replaces all.
  virtual std::optional<Error> store(const FeedBatch& batch, const std::vector<std::string>& gone) = 0;
};

// Errors as of open_rocks_store: locked, corrupt, io.
Result<std::unique_ptr<FeedCache>> open_feed_cache(const std::filesystem::path& directory);

// Moves a damaged cache aside, so that the next open makes a new one. Where to; nothing when that failed.
std::optional<std::filesystem::path> set_aside(const std::filesystem::path& directory);

}  // namespace viaduct::topology::store
