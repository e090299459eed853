#include "actors/cluster/feed_backlog.hpp"

#include "topology/codec.hpp"

namespace viaduct::actors {

std::shared_ptr<const schema::Frame> FeedEncoder::frame_of(const FeedBatchPtr& batch) {
  std::lock_guard lock(mutex_);
  for (const Made& made : made_) {
    if (made.batch == batch) return made.frame;
  }
  auto frame = std::make_shared<const schema::Frame>(topology::encode_feed(*batch));
  made_.push_front({batch, frame});
  if (made_.size() > kRemembered) made_.pop_back();
  return frame;
}

// From a batch as it came to one that others are merged into.
void FeedBacklog::open(Part& part) {
  if (part.whole == nullptr) return;
  part.head = {part.whole->revision,     part.whole->complete, part.whole->forget, {},
               part.whole->committed_at, part.whole->requests};
  for (const auto& item : part.whole->items) part.items[item->key] = item;
  part.whole = nullptr;
}

bool FeedBacklog::add(const FeedBatchPtr& batch) {
  if (batch->complete) parts_.clear();
  // What is to be forgotten is forgotten first: behind changes it would come too early.
  if (parts_.empty() || !batch->forget.empty() || batch->complete) {
    if (parts_.size() == kMaxParts) return false;
    parts_.push_back({batch, {}, {}});
    return true;
  }
  Part& last = parts_.back();
  open(last);
  last.head.revision = batch->revision;
  for (const auto& item : batch->items) last.items[item->key] = item;
  auto& requests = last.head.requests;
  requests.insert(requests.end(), batch->requests.begin(), batch->requests.end());
  if (requests.size() > topology::kMaxFeedRequests) {
    requests.erase(requests.begin(), requests.end() - topology::kMaxFeedRequests);
  }
  return true;
}

FeedBatchPtr FeedBacklog::take() {
  if (parts_.empty()) return nullptr;
  Part part = std::move(parts_.front());
  parts_.pop_front();
  if (part.whole != nullptr) return part.whole;
  auto merged = std::make_shared<topology::FeedBatch>(std::move(part.head));
  merged->items.reserve(part.items.size());
  for (auto& [key, item] : part.items) merged->items.push_back(std::move(item));
  return merged;
}

}  // namespace viaduct::actors
