#include "actors/agent/feed_apply.hpp"

#include <algorithm>
#include <unordered_set>
#include <variant>

#include "topology/codec.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

using topology::Delta;
using topology::FeedBatch;
using topology::FeedItem;
using topology::Kind;
using topology::Object;
using topology::ObjectRef;
using topology::Ref;
using topology::Snapshot;
using topology::StateEntry;

namespace {

// An item that was read: a put or a deletion of one or the other.
using Read = std::variant<Ref<Object>, ObjectRef, StateEntry, std::string>;

std::string read_item(const FeedItem& item, std::vector<Read>& out) {
  if (auto ref = topology::parse_key(item.key)) {
    if (!item.value) {
      out.emplace_back(*ref);
      return {};
    }
    auto object = topology::decode_object(topology::store::as_bytes(*item.value));
    if (!object) return item.key + ": " + object.error();
    std::visit([&](auto& value) { value.revision = item.revision; }, *object);
    out.emplace_back(std::make_shared<const Object>(std::move(*object)));
  } else if (item.key.starts_with(topology::kStateKeyPrefix)) {
    if (!item.value) {
      out.emplace_back(item.key);
      return {};
    }
    auto state = topology::decode_state(topology::store::as_bytes(*item.value));
    if (!state) return item.key + ": " + state.error();
    state->revision = item.revision;
    out.emplace_back(std::move(*state));
  }
  return {};  // of a kind that a later version has added
}

class Applier {
 public:
  Applier(Snapshot base, topology::StateIndex& states, FeedEffect& out)
      : next_(std::move(base)), states_(states), out_(out) {}

  void operator()(Ref<Object>& object) {
    auto ref = topology::ref_of(*object);
    auto known = next_.find(ref);
    if (known != nullptr && topology::revision_of(*known) == topology::revision_of(*object)) return;
    note(ref, object);
    next_ = next_.with(std::move(object));
  }
  void operator()(const ObjectRef& ref) {
    note(ref, nullptr);
    next_ = next_.without(ref);
  }
  void operator()(StateEntry& state) {
    auto known = states_.find(topology::state_key(state));
    if (known != nullptr && known->revision == state.revision) return;
    add(states_.put(std::move(state)));
  }
  void operator()(const std::string& key) { add(states_.erase(key)); }

  // The device or zone, and all that is its own.
  void forget(const Uuid& id) {
    std::vector<ObjectRef> gone;
    auto also = [&](const auto& object) { gone.push_back(topology::ref_of(object)); };
    next_.for_each_port_of(id, also);
    next_.for_each_route_of(RouterId(id), also);
    next_.for_each_static_mac_of(BridgeId(id), also);
    next_.for_each_static_neighbour_of(BridgeId(id), also);
    next_.for_each_referrer(topology::Reference::tunnel_zone_host_zone, id, also);
    for (Kind kind : {Kind::bridge, Kind::router, Kind::tunnel_zone}) {
      if (next_.find(ObjectRef{kind, id}) != nullptr) gone.push_back({kind, id});
    }
    for (const ObjectRef& ref : gone) {
      out_.gone.push_back(topology::key_of(ref));
      (*this)(ref);
    }
    states_.for_each_of_device(id, [&](const std::string& key, const topology::StatePtr&) {
      out_.gone.push_back(key);
      add(states_.erase(key));
    });
  }

  Snapshot finish(uint64_t revision) { return next_.at_revision(revision); }

 private:
  void note(const ObjectRef& ref, const Ref<Object>& after) {
    auto [at, added] = out_.delta.changes.try_emplace(ref);
    if (added) at->second.before = next_.find(ref);
    at->second.after = after;
    if (at->second.before == nullptr && after == nullptr) out_.delta.changes.erase(at);
  }
  void add(topology::StateChange change) {
    if (change.before != nullptr || change.after != nullptr) out_.states.push_back(std::move(change));
  }

  Snapshot next_;
  topology::StateIndex& states_;
  FeedEffect& out_;
};

// A batch that is everything: what it does not name goes.
void drop_unnamed(const FeedBatch& batch, const Snapshot& base, topology::StateIndex& states, Applier& applier,
                  FeedEffect& out) {
  std::unordered_set<std::string_view> named;
  for (const auto& item : batch.items) named.insert(item->key);
  std::vector<ObjectRef> objects;
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    base.for_each(static_cast<Kind>(kind), [&](const Object& object) {
      std::string key = topology::key_of(topology::ref_of(object));
      if (named.contains(key)) return;
      objects.push_back(topology::ref_of(object));
      out.gone.push_back(std::move(key));
    });
  }
  for (const ObjectRef& ref : objects) applier(ref);
  std::vector<std::string> keys;
  states.for_each([&](const std::string& key, const topology::StatePtr&) {
    if (!named.contains(key)) keys.push_back(key);
  });
  for (const std::string& key : keys) applier(key);
  out.gone.insert(out.gone.end(), keys.begin(), keys.end());
}

}  // namespace

std::string apply_feed(const FeedBatch& batch, const Snapshot& base, topology::StateIndex& states, FeedEffect& out) {
  std::vector<Read> read;
  read.reserve(batch.items.size());
  for (const auto& item : batch.items) {
    if (std::string wrong = read_item(*item, read); !wrong.empty()) return wrong;
  }
  out.delta.from_revision = base.revision();
  out.delta.to_revision = batch.revision;
  Applier applier(base, states, out);
  if (batch.complete) drop_unnamed(batch, base, states, applier, out);
  for (const Uuid& id : batch.forget) applier.forget(id);
  for (Read& one : read) std::visit(applier, one);
  out.snapshot = applier.finish(batch.revision);
  return {};
}

std::vector<Uuid> devices_of(const Snapshot& snapshot) {
  std::vector<Uuid> out;
  for (Kind kind : {Kind::bridge, Kind::router, Kind::tunnel_zone}) {
    snapshot.for_each(kind, [&](const Object& object) { out.push_back(topology::id_of(object)); });
  }
  return out;
}

}  // namespace viaduct::actors
