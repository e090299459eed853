#include "actors/cluster/feed_history.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::actors {

void FeedHistory::start(uint64_t revision) {
  objects_.clear();
  entries_.clear();
  from_.reset();
  horizon_ = revision;
}

void FeedHistory::expect_from(uint64_t from, uint64_t loaded) {
  if (from < loaded) from_ = from;
}

void FeedHistory::reached_loaded() {
  if (from_) horizon_ = *std::exchange(from_, std::nullopt);
}

void FeedHistory::add(const topology::Delta& delta) {
  for (auto& tombstone : topology::tombstones_of(delta)) objects_.push_back(std::move(tombstone));
  trim(objects_);
}

void FeedHistory::add(uint64_t revision, const topology::StateChange& change) {
  if (change.before == nullptr || change.before->device.is_nil()) return;
  if (change.after != nullptr && change.after->device == change.before->device) return;
  entries_.push_back({revision, topology::state_key(*change.before), change.before->device});
  trim(entries_);
}

void FeedHistory::add(uint64_t revision, const std::string& key) {
  entries_.push_back({revision, key, {}});
  trim(entries_);
}

template <class Log>
void FeedHistory::trim(Log& log) {
  for (; log.size() > limit_; log.pop_front()) {
    uint64_t& known = from_ ? *from_ : horizon_;
    known = std::max(known, log.front().revision);
  }
}

}  // namespace viaduct::actors
