#include "actors/cluster/feed_items.hpp"

#include <utility>

#include "topology/codec.hpp"

namespace viaduct::actors {

using topology::FeedItem;
using topology::FeedItemPtr;

template <class T>
FeedItemPtr FeedItems::find_or_make(const std::shared_ptr<const T>& value) {
  if (auto at = made_.find(value.get()); at != made_.end()) return at->second.item;
  FeedItemPtr item = topology::feed_item(*value);
  put(value, item);
  return item;
}

FeedItemPtr FeedItems::of(const topology::Ref<topology::Object>& object) { return find_or_make(object); }
FeedItemPtr FeedItems::of(const topology::StatePtr& entry) { return find_or_make(entry); }

FeedItemPtr FeedItems::deleted(std::string key, uint64_t revision) {
  return std::make_shared<const FeedItem>(FeedItem{std::move(key), revision, std::nullopt});
}

void FeedItems::put(std::shared_ptr<const void> value, FeedItemPtr item) {
  if (made_.size() >= kMaxMade) made_.clear();
  const void* address = value.get();
  made_[address] = {std::move(value), std::move(item)};
}

}  // namespace viaduct::actors
