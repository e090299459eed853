// What went lately: for agents that come back with what they had at some revision.
//
// Bounded; whoever comes from before its horizon is sent everything. Not for several threads.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "topology/resume.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

class FeedHistory {
 public:
  // `limit`: how much of each kind is kept.
  explicit FeedHistory(size_t limit) : limit_(limit) {}

  // Everything was read anew, as of `revision`: nothing is known of before.
  void start(uint64_t revision);
  // What follows begins behind `from`, before what was read: once it has come so far, what went in between is known.
  void expect_from(uint64_t from, uint64_t loaded);
  bool awaited() const { return from_.has_value(); }
  void reached_loaded();
  // Up to here it is not known what went.
  uint64_t horizon() const { return horizon_; }

  void add(const topology::Delta& delta);
  void add(uint64_t revision, const topology::StateChange& change);
  // Of before the load: whose it was is not known.
  void add(uint64_t revision, const std::string& key);

  struct Gone {
    uint64_t revision = 0;
    std::string key;
    Uuid device;  // that it belonged to; nil: not known
  };
  const std::deque<Gone>& entries() const { return entries_; }
  std::vector<topology::Tombstone> objects() const { return {objects_.begin(), objects_.end()}; }

 private:
  template <class Log>
  void trim(Log& log);

  const size_t limit_;
  uint64_t horizon_ = 0;
  std::optional<uint64_t> from_;
  std::deque<topology::Tombstone> objects_;
  std::deque<Gone> entries_;
};

}  // namespace viaduct::actors
