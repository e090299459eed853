#include "actors/cluster/nsdb_view.hpp"

#include <algorithm>

#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace store = topology::store;
using topology::FeedBatch;
using topology::FeedItem;
using topology::Snapshot;

namespace {

bool is_state(std::string_view key) { return key.starts_with(topology::kStateKeyPrefix); }

// The revision of an object is its key's; the stored bytes do not know it.
topology::Decoded<topology::Object> object_of(const store::Entry& entry) {
  auto object = topology::decode_object(store::as_bytes(entry.value));
  if (object) std::visit([&](auto& value) { value.revision = entry.mod_revision; }, *object);
  return object;
}

uint64_t nanoseconds(WallTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

topology::FeedItemPtr item_of(const store::WatchEvent& event) {
  FeedItem item{event.entry.key, event.entry.mod_revision, std::nullopt};
  if (event.kind == store::WatchEvent::Kind::put) item.value = event.entry.value;
  return std::make_shared<const FeedItem>(std::move(item));
}

}  // namespace

std::optional<std::string> NsdbView::load(store::Store& from) {
  Snapshot loaded;
  states_ = {};
  head_ = 0;
  store::RangeRequest request{"", store::kMaxRangeEntries};
  for (bool more = true; more;) {
    auto page = from.range(request);
    if (!page) return page.error().text;
    for (const auto& entry : page->entries) {
      if (auto wrong = take(entry, loaded)) return wrong;
    }
    request.at = page->revision;
    if (!page->entries.empty()) request.after = page->entries.back().key;
    more = page->more;
  }
  revision_ = request.at;
  snapshot_ = std::make_shared<const Snapshot>(loaded.at_revision(revision_));
  tombstones_.clear();
  forgotten_ = revision_;
  return std::nullopt;
}

std::optional<std::string> NsdbView::take(const store::Entry& entry, Snapshot& into) {
  if (entry.key == kTopologyHeadKey) head_ = entry.mod_revision;
  if (is_state(entry.key)) {
    auto state = topology::decode_state(store::as_bytes(entry.value));
    if (!state) return "the stored state " + entry.key + " cannot be read: " + state.error();
    state->revision = entry.mod_revision;
    states_.put(std::move(*state));
  } else if (topology::parse_key(entry.key)) {
    auto object = object_of(entry);
    if (!object) return "the stored object " + entry.key + " cannot be read: " + object.error();
    into = into.with(std::make_shared<const topology::Object>(std::move(*object)));
  }
  return std::nullopt;
}

NsdbView::Step NsdbView::follow(const store::WatchBatch& batch, WallTime at) {
  Step step;
  step.at = at;
  step.snapshot = snapshot_;
  if (history_from_ && batch.revision >= revision_) forgotten_ = *std::exchange(history_from_, std::nullopt);
  if (batch.revision <= revision_) {
    for (const auto& event : batch.events) {
      if (event.kind == store::WatchEvent::Kind::deleted) bury(batch.revision, event.entry.key);
    }
    return step;
  }
  auto delta = std::make_shared<topology::Delta>();
  delta->from_revision = snapshot_->revision();
  delta->to_revision = batch.revision;
  Snapshot next = *snapshot_;
  step.delta = delta;
  auto feed = std::make_shared<FeedBatch>();
  for (const auto& event : batch.events) {
    if (event.entry.key == kTopologyHeadKey) head_ = event.entry.mod_revision;
    if (auto ref = topology::parse_key(event.entry.key)) {
      apply_object(event, *ref, next, *delta);
    } else if (is_state(event.entry.key)) {
      apply_state(event, step);
    } else {
      continue;
    }
    feed->items.push_back(item_of(event));
    if (event.kind == store::WatchEvent::Kind::deleted) bury(batch.revision, event.entry.key);
  }
  revision_ = batch.revision;
  snapshot_ = std::make_shared<const Snapshot>(next.at_revision(batch.revision));
  step.snapshot = snapshot_;
  feed->revision = batch.revision;
  feed->committed_at = nanoseconds(at);
  step.parts.push_back({{}, feed});
  return step;
}

void NsdbView::apply_object(const store::WatchEvent& event, topology::ObjectRef ref, Snapshot& next,
                            topology::Delta& delta) {
  topology::ObjectChange change{next.find(ref), nullptr};
  if (event.kind == store::WatchEvent::Kind::put) {
    auto object = object_of(event.entry);
    if (!object) {  // written by a newer version: what was known of it stays
      ++unreadable_;
      return log::error(log::Component::store, "an object cannot be read; upgrade this node",
                        {{"key", event.entry.key}, {"error", object.error()}});
    }
    change.after = std::make_shared<const topology::Object>(std::move(*object));
    next = next.with(change.after);
  } else {
    next = next.without(ref);
  }
  if (change.before != nullptr || change.after != nullptr) delta.changes[ref] = std::move(change);
}

void NsdbView::apply_state(const store::WatchEvent& event, Step& step) {
  topology::StateChange change;
  if (event.kind == store::WatchEvent::Kind::put) {
    auto state = topology::decode_state(store::as_bytes(event.entry.value));
    if (!state) {
      ++unreadable_;
      return log::error(log::Component::store, "a state entry cannot be read; upgrade this node",
                        {{"key", event.entry.key}, {"error", state.error()}});
    }
    state->revision = event.entry.mod_revision;
    change = states_.put(std::move(*state));
  } else {
    change = states_.erase(event.entry.key);
  }
  if (change.before != nullptr || change.after != nullptr) step.states.push_back(std::move(change));
}

void NsdbView::bury(uint64_t revision, const std::string& key) {
  tombstones_.push_back({revision, key});
  if (tombstones_.size() <= history_) return;
  forgotten_ = std::max(forgotten_, tombstones_.front().revision);
  tombstones_.pop_front();
}

FeedBatch NsdbView::whole(HostId) const {
  FeedBatch out;
  out.revision = revision_;
  out.complete = true;
  for (int kind = 0; kind < static_cast<int>(topology::Kind::count_); ++kind) {
    snapshot_->for_each(static_cast<topology::Kind>(kind),
                        [&](const topology::Object& object) { out.items.push_back(topology::feed_item(object)); });
  }
  states_.for_each(
      [&](const std::string&, const topology::StatePtr& entry) { out.items.push_back(topology::feed_item(*entry)); });
  return out;
}

std::optional<FeedBatch> NsdbView::since(HostId host, uint64_t revision, const std::vector<Uuid>&) const {
  if (revision < forgotten_ || revision > revision_) return std::nullopt;
  FeedBatch out = whole(host);
  out.complete = false;
  std::erase_if(out.items, [&](const auto& item) { return item->revision <= revision; });
  for (const Tombstone& gone : tombstones_) {
    if (gone.revision > revision)
      out.items.push_back(std::make_shared<const FeedItem>(FeedItem{gone.key, gone.revision, {}}));
  }
  return out;
}

}  // namespace viaduct::actors
