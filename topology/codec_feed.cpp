// The change feed.
#include <capnp/message.h>

#include <algorithm>

#include "topology/codec.hpp"

namespace viaduct::topology {
namespace {

// A first segment of the right size saves copies of large batches.
constexpr size_t kWordsPerItem = 16;  // what is not the value
constexpr size_t kMaxFirstSegmentWords = size_t{16} << 20;

unsigned first_segment_words(const FeedBatch& batch) {
  size_t words = 64 + batch.forget.size() * 3;
  for (const auto& item : batch.items) words += kWordsPerItem + (item->value ? item->value->size() / 8 : 0);
  return static_cast<unsigned>(std::min(words, kMaxFirstSegmentWords));
}

std::string value_of(const schema::Frame& frame) { return {frame.bytes.begin(), frame.bytes.end()}; }

Decoded<FeedBatch> read_batch(schema::FeedBatch::Reader from) {
  FeedBatch batch;
  batch.revision = from.getRevision();
  batch.complete = from.getComplete();
  batch.committed_at = from.getCommittedAt();
  for (auto item : from.getItems()) {
    FeedItem out{{item.getKey().cStr(), item.getKey().size()}, item.getRevision(), std::nullopt};
    if (out.key.empty()) return Decoded<FeedBatch>::failure("item without a key");
    if (item.isValue()) {
      auto value = item.getValue();
      out.value.emplace(reinterpret_cast<const char*>(value.begin()), value.size());
    } else if (!item.isDeleted()) {
      return Decoded<FeedBatch>::failure("item " + out.key + ": unknown change");
    }
    batch.items.push_back(std::make_shared<const FeedItem>(std::move(out)));
  }
  for (auto id : from.getForget()) batch.forget.push_back(decode(id));
  for (auto request : from.getRequests()) {
    if (batch.requests.size() == kMaxFeedRequests) break;
    batch.requests.push_back({request.getRevision(), request.getRequest().cStr()});
  }
  return batch;
}

}  // namespace

schema::Frame encode_feed(const FeedBatch& from) {
  capnp::MallocMessageBuilder message(first_segment_words(from));
  auto batch = message.initRoot<schema::FeedBatch>();
  batch.setRevision(from.revision);
  batch.setComplete(from.complete);
  batch.setCommittedAt(from.committed_at);
  auto items = batch.initItems(static_cast<unsigned>(from.items.size()));
  for (unsigned i = 0; i < items.size(); ++i) {
    const FeedItem& item = *from.items[i];
    items[i].setKey(text_of(item.key));
    items[i].setRevision(item.revision);
    if (item.value) {
      items[i].setValue({reinterpret_cast<const kj::byte*>(item.value->data()), item.value->size()});
    } else {
      items[i].setDeleted();
    }
  }
  auto forget = batch.initForget(static_cast<unsigned>(from.forget.size()));
  for (unsigned i = 0; i < forget.size(); ++i) encode(from.forget[i], forget[i]);
  if (from.requests.empty()) return schema::Frame::of(message);
  auto requests = batch.initRequests(static_cast<unsigned>(from.requests.size()));
  for (unsigned i = 0; i < requests.size(); ++i) {
    requests[i].setRevision(from.requests[i].revision);
    requests[i].setRequest(text_of(from.requests[i].request));
  }
  return schema::Frame::of(message);
}

Decoded<FeedBatch> decode_feed(const schema::Frame& frame) {
  schema::ReadLimits limits;
  limits.max_bytes = kMaxFeedBytes;
  auto read = schema::with_root<schema::FeedBatch>(frame, limits, read_batch);
  if (!read) return Decoded<FeedBatch>::failure(read.failure().text);
  return std::move(*read);
}

FeedItemPtr feed_item(const Object& object) {
  return std::make_shared<const FeedItem>(
      FeedItem{key_of(ref_of(object)), revision_of(object), value_of(encode_object(object))});
}
FeedItemPtr feed_item(const StateEntry& entry) {
  return std::make_shared<const FeedItem>(FeedItem{state_key(entry), entry.revision, value_of(encode_state(entry))});
}

}  // namespace viaduct::topology
