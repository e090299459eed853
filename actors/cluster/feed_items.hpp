// The feed's items of objects and of state entries, each made once while several agents want it.
//
// Values are immutable: an item is known by its value's address, which is held so that no other gets it. Not for several
// threads.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "topology/delta.hpp"
#include "topology/feed.hpp"
#include "topology/host_state.hpp"

namespace viaduct::actors {

class FeedItems {
 public:
  topology::FeedItemPtr of(const topology::Ref<topology::Object>& object);
  topology::FeedItemPtr of(const topology::StatePtr& entry);
  static topology::FeedItemPtr deleted(std::string key, uint64_t revision);

  // An item as the database has it: its bytes need not be made again.
  void put(std::shared_ptr<const void> value, topology::FeedItemPtr item);
  void clear() { made_.clear(); }

 private:
  static constexpr size_t kMaxMade = 250'000;  // some hundred bytes each
  struct Made {
    std::shared_ptr<const void> value;
    topology::FeedItemPtr item;
  };
  template <class T>
  topology::FeedItemPtr find_or_make(const std::shared_ptr<const T>& value);

  std::unordered_map<const void*, Made> made_;
};

}  // namespace viaduct::actors
