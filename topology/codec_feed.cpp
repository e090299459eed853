// The change feed.
#include <capnp/message.h>

#include <algorithm>

#include "topology/codec.hpp"

namespace viaduct::topology {
namespace {

// Bytes are proportional to objects; a first segment of about the right size saves copies of large batches.
constexpr unsigned kWordsPerChange = 40;
constexpr unsigned kMaxFirstSegmentWords = 1U << 20;

unsigned first_segment_words(size_t changes) {
  return static_cast<unsigned>(std::min<size_t>(64 + changes * kWordsPerChange, kMaxFirstSegmentWords));
}

// Empty: no error.
std::string read_change(FeedBatch& batch, schema::Change::Reader from) {
  Uuid id;
  switch (from.which()) {
    case schema::Change::PUT: {
      auto object = decode(from.getPut());
      if (!object) return object.error();
      id = id_of(*object);
      batch.changes.emplace_back(std::move(*object));
      break;
    }
    case schema::Change::DELETE: {
      auto ref = decode(from.getDelete());
      if (!ref) return "delete: " + ref.error();
      id = ref->id;
      batch.changes.emplace_back(*ref);
      break;
    }
    default:
      return "unknown change " + std::to_string(static_cast<int>(from.which()));
  }
  return id.is_nil() ? "object without an id" : "";
}

Decoded<FeedBatch> read_batch(schema::FeedBatch::Reader from) {
  FeedBatch batch;
  batch.previous = from.getPrevious();
  batch.revision = from.getRevision();
  batch.snapshot = from.getSnapshot();
  batch.committed_at = from.getCommittedAt();
  const auto changes = from.getChanges();
  for (auto change : changes) {
    std::string error = read_change(batch, change);
    if (!error.empty()) return Decoded<FeedBatch>::failure(std::move(error));
  }
  return batch;
}

}  // namespace

schema::Frame encode_feed(const Delta& delta, uint64_t committed_at) {
  capnp::MallocMessageBuilder message(first_segment_words(delta.changes.size()));
  auto batch = message.initRoot<schema::FeedBatch>();
  batch.setPrevious(delta.from_revision);
  batch.setRevision(delta.to_revision);
  batch.setCommittedAt(committed_at);
  auto changes = batch.initChanges(static_cast<unsigned>(delta.changes.size()));
  unsigned at = 0;
  for (const auto& [ref, change] : delta.changes) {
    auto to = changes[at++];
    if (change.after) {
      encode(*change.after, to.initPut());
    } else {
      encode(ref, to.initDelete());
    }
  }
  return schema::Frame::of(message);
}

schema::Frame encode_feed_snapshot(const Snapshot& snapshot, uint64_t committed_at) {
  capnp::MallocMessageBuilder message(first_segment_words(snapshot.size()));
  auto batch = message.initRoot<schema::FeedBatch>();
  batch.setRevision(snapshot.revision());
  batch.setSnapshot(true);
  batch.setCommittedAt(committed_at);
  auto changes = batch.initChanges(static_cast<unsigned>(snapshot.size()));
  unsigned at = 0;
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    snapshot.for_each(static_cast<Kind>(kind), [&](const Object& object) { encode(object, changes[at++].initPut()); });
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

}  // namespace viaduct::topology
