#include "actors/cluster/nsdb_view.hpp"

#include "actors/cluster/feed_parts.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace store = topology::store;
using topology::FeedBatch;
using topology::FeedItem;
using topology::Snapshot;

namespace {

bool is_node(std::string_view key) { return key.starts_with(topology::kClusterKeyPrefix); }

// The revision of an object is its key's; the stored bytes do not know it.
topology::Decoded<topology::Object> object_of(const store::Entry& entry) {
  auto object = topology::decode_object(store::as_bytes(entry.value));
  if (object) std::visit([&](auto& value) { value.revision = entry.mod_revision; }, *object);
  return object;
}

uint64_t nanoseconds(WallTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

// Of a put.
topology::FeedItemPtr item_of(const store::WatchEvent& event) {
  return std::make_shared<const FeedItem>(FeedItem{event.entry.key, event.entry.mod_revision, event.entry.value});
}

}  // namespace

std::optional<std::string> NsdbView::load(store::Store& from) {
  Snapshot loaded;
  states_ = {};
  nodes_ = {};
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
  loaded.set_revision(revision_);
  snapshot_ = std::make_shared<const Snapshot>(std::move(loaded));
  answers_.reset();
  interest_ = std::make_unique<topology::Interest>(*snapshot_);
  history_.start(revision_);
  ports_gone_ = {};
  items_.clear();
  answers_ = std::make_unique<FeedAnswers>(*interest_, states_, history_, items_);
  return std::nullopt;
}

std::optional<std::string> NsdbView::take(const store::Entry& entry, Snapshot& into) {
  if (entry.key == kTopologyHeadKey) head_ = entry.mod_revision;
  if (is_node(entry.key)) nodes_.put(entry.key, store::as_bytes(entry.value));
  if (topology::is_known_state(entry.key)) {
    auto state = topology::decode_state(store::as_bytes(entry.value));
    if (!state) return "the stored state " + entry.key + " cannot be read: " + state.error();
    state->revision = entry.mod_revision;
    states_.put(std::move(*state));
  } else if (topology::parse_key(entry.key)) {
    auto object = object_of(entry);
    if (!object) return "the stored object " + entry.key + " cannot be read: " + object.error();
    into.put(std::make_shared<const topology::Object>(std::move(*object)));
  }
  return std::nullopt;
}

NsdbView::Step NsdbView::follow(const store::WatchBatch& batch, WallTime at) {
  Step step;
  step.at = at;
  step.snapshot = snapshot_;
  const bool reached = batch.revision >= revision_;
  const bool loaded = batch.revision <= revision_;
  if (reached) history_.reached_loaded();
  if (loaded) take_history(batch);
  if (reached) ports_gone_ = {};
  if (loaded) return step;
  step.delta = take(batch, step.states, step.cause);
  step.snapshot = snapshot_;
  FeedParts parts(*interest_, states_, items_, revision_);
  if (!step.delta->empty()) {
    answers_->topology_changed();
    history_.add(*step.delta);
    parts.add(interest_->follow(*snapshot_, *step.delta));
  }
  for (const auto& change : step.states) {
    answers_->state_changed(change);
    history_.add(revision_, change);
  }
  parts.add(step.states);
  step.parts = parts.make(nanoseconds(at), step.cause.request);
  return step;
}

// What was loaded is newer. Of what it says of then, only what went is of use. A port keeps its device for as long as it
// exists, so its entries were another device's before only if the port itself has gone and come again.
void NsdbView::take_history(const store::WatchBatch& batch) {
  for (const auto& event : batch.events) {
    const std::string& key = event.entry.key;
    if (event.kind == store::WatchEvent::Kind::deleted) {
      const auto ref = topology::parse_key(key);
      if (ref && ref->kind == topology::Kind::port) ports_gone_.insert(ref->id.to_string());
    } else if (!ports_gone_.contains(std::string(topology::state_port(key)))) {
      continue;
    }
    history_.add(batch.revision, key);
  }
}

std::shared_ptr<const topology::Delta> NsdbView::take(const store::WatchBatch& batch,
                                                      std::vector<topology::StateChange>& states,
                                                      topology::Cause& cause) {
  auto delta = std::make_shared<topology::Delta>();
  delta->from_revision = snapshot_->revision();
  delta->to_revision = batch.revision;
  Snapshot next = *snapshot_;
  for (const auto& event : batch.events) {
    if (event.entry.key == kTopologyHeadKey) {
      head_ = event.entry.mod_revision;
      cause = topology::decode_cause(store::as_bytes(event.entry.value));
    }
    if (auto ref = topology::parse_key(event.entry.key)) {
      apply_object(event, *ref, next, *delta);
    } else if (topology::is_known_state(event.entry.key)) {
      apply_state(event, states);
    } else if (is_node(event.entry.key)) {
      apply_node(event);
    }
  }
  revision_ = batch.revision;
  next.set_revision(batch.revision);
  snapshot_ = std::make_shared<const Snapshot>(std::move(next));
  return delta;
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
    items_.put(change.after, item_of(event));
    next.put(change.after);
  } else {
    next.erase(ref);
  }
  if (change.before != nullptr || change.after != nullptr) delta.changes[ref] = std::move(change);
}

void NsdbView::apply_node(const store::WatchEvent& event) {
  if (event.kind == store::WatchEvent::Kind::deleted) return nodes_.erase(event.entry.key);
  if (nodes_.put(event.entry.key, store::as_bytes(event.entry.value))) return;
  ++unreadable_;
  log::error(log::Component::store, "the record of a cluster node cannot be read; upgrade this node",
             {{"key", event.entry.key}});
}

void NsdbView::apply_state(const store::WatchEvent& event, std::vector<topology::StateChange>& changes) {
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
    items_.put(change.after, item_of(event));
  } else {
    change = states_.erase(event.entry.key);
  }
  if (change.before != nullptr || change.after != nullptr) changes.push_back(std::move(change));
}

std::optional<FeedBatch> NsdbView::since(HostId host, uint64_t revision, const std::vector<Uuid>& devices) const {
  if (revision < forgotten() || revision > revision_) return std::nullopt;
  return answers_->since(snapshot_, host, revision, devices);
}

FeedBatch NsdbView::nothing_new() const {
  FeedBatch out;
  out.revision = revision_;
  return out;
}

void NsdbView::rest() {
  items_.clear();
  answers_->clear();
}

}  // namespace viaduct::actors
