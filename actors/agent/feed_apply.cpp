#include "actors/agent/feed_apply.hpp"

#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>

#include "topology/closure.hpp"
#include "topology/codec.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

using topology::ClosureChanges;
using topology::FeedBatch;
using topology::FeedItem;
using topology::Kind;
using topology::Object;
using topology::ObjectRef;
using topology::Ref;
using topology::Snapshot;
using topology::StateEntry;

namespace {

// The items of a batch, read.
struct Read {
  ClosureChanges objects;
  std::vector<std::variant<StateEntry, std::string>> states;  // puts, and keys that are deleted
};

std::string read_object(const FeedItem& item, const ObjectRef& ref, Read& out) {
  if (!item.value) {
    out.objects.emplace_back(ref);
    return {};
  }
  auto object = topology::decode_object(topology::store::as_bytes(*item.value));
  if (!object) return item.key + ": " + object.error();
  std::visit([&](auto& value) { value.revision = item.revision; }, *object);
  out.objects.emplace_back(std::make_shared<const Object>(std::move(*object)));
  return {};
}

std::string read_state(const FeedItem& item, Read& out) {
  if (!item.value) {
    out.states.emplace_back(item.key);
    return {};
  }
  auto state = topology::decode_state(topology::store::as_bytes(*item.value));
  if (!state) return item.key + ": " + state.error();
  state->revision = item.revision;
  out.states.emplace_back(std::move(*state));
  return {};
}

std::string read_item(const FeedItem& item, Read& out) {
  if (auto ref = topology::parse_key(item.key)) return read_object(item, *ref, out);
  if (topology::is_known_state(item.key)) return read_state(item, out);
  return {};  // of a kind that a later version has added
}

// Of what the agent has under this key; 0: nothing.
uint64_t known_revision(const std::string& key, const Snapshot& base, const topology::StateIndex& states) {
  if (auto ref = topology::parse_key(key)) {
    auto object = base.find(*ref);
    return object == nullptr ? 0 : topology::revision_of(*object);
  }
  auto state = states.find(key);
  return state == nullptr ? 0 : state->revision;
}

// Items that are older than what the agent has, or than what the batch itself has under their key.
void drop_outdated(const Snapshot& base, const topology::StateIndex& states, FeedBatch& batch) {
  std::unordered_map<std::string_view, uint64_t> newest;
  for (const auto& item : batch.items) {
    if (!item->value) continue;
    uint64_t& revision = newest[item->key];
    revision = std::max(revision, item->revision);
  }
  std::vector<topology::FeedItemPtr> kept;  // `newest` refers to the keys of all
  for (const auto& item : batch.items) {
    auto put = newest.find(item->key);
    uint64_t in_batch = put == newest.end() ? 0 : put->second;
    if (item->revision >= std::max(in_batch, known_revision(item->key, base, states))) kept.push_back(item);
  }
  batch.items = std::move(kept);
}

using Names = std::unordered_set<std::string_view>;

// Of a batch that is everything: what it does not name goes.
void add_unnamed(const Snapshot& base, const Names& named, ClosureChanges& changes) {
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    base.for_each(static_cast<Kind>(kind), [&](const Object& object) {
      const ObjectRef ref = topology::ref_of(object);
      if (!named.contains(topology::key_of(ref))) changes.emplace_back(ref);
    });
  }
}

class StateApplier {
 public:
  StateApplier(topology::StateIndex& states, FeedEffect& out) : states_(states), out_(out) {}

  void operator()(StateEntry& state) {
    auto known = states_.find(topology::state_key(state));
    if (known != nullptr && known->revision == state.revision) return;
    add(states_.put(std::move(state)));
  }
  void operator()(const std::string& key) { add(states_.erase(key)); }

  void drop_unnamed(const Names& named) {
    std::vector<std::string> keys;
    states_.for_each([&](const std::string& key, const topology::StatePtr&) {
      if (!named.contains(key)) keys.push_back(key);
    });
    for (const std::string& key : keys) drop(key);
  }
  void forget(const Uuid& device) {
    states_.for_each_of_device(device, [&](const std::string& key, const topology::StatePtr&) {
      drop(std::string(key));  // `key` goes with its entry
    });
  }
  void note_gone() const {
    for (const std::string& key : dropped_) {
      if (states_.find(key) == nullptr) out_.gone.push_back(key);
    }
  }

 private:
  void drop(const std::string& key) {
    dropped_.insert(key);
    add(states_.erase(key));
  }
  void add(topology::StateChange change) {
    if (change.before != nullptr || change.after != nullptr) out_.states.push_back(std::move(change));
  }

  topology::StateIndex& states_;
  FeedEffect& out_;
  std::set<std::string> dropped_;
};

void apply_states(const FeedBatch& batch, const Names& named, Read& read, topology::StateIndex& states,
                  FeedEffect& out) {
  StateApplier applier(states, out);
  if (batch.complete) applier.drop_unnamed(named);
  for (const Uuid& device : batch.forget) applier.forget(device);
  for (auto& state : read.states) std::visit(applier, state);
  applier.note_gone();
}

// Objects that went without a word, and hosts that came though nothing names them.
void note_gone_objects(const ClosureChanges& put, FeedEffect& out) {
  for (const auto& [ref, change] : out.delta.changes) {
    if (change.after == nullptr) out.gone.push_back(topology::key_of(ref));
  }
  for (const auto& change : put) {
    const auto* object = std::get_if<Ref<Object>>(&change);
    if (object == nullptr || topology::kind_of(**object) != Kind::host) continue;
    const ObjectRef ref = topology::ref_of(**object);
    if (out.snapshot.find(ref) == nullptr) out.gone.push_back(topology::key_of(ref));
  }
}

}  // namespace

std::string apply_feed(FeedBatch& batch, const Snapshot& base, HostId self, topology::StateIndex& states,
                       FeedEffect& out) {
  if (!batch.complete) drop_outdated(base, states, batch);
  Read read;
  read.objects.reserve(batch.items.size());
  for (const auto& item : batch.items) {
    if (std::string wrong = read_item(*item, read); !wrong.empty()) return wrong;
  }
  Names named;
  if (batch.complete) {
    for (const auto& item : batch.items) named.insert(item->key);
  }
  ClosureChanges changes;
  if (batch.complete) add_unnamed(base, named, changes);
  for (const Uuid& owner : batch.forget) changes.emplace_back(topology::Forget{owner});
  changes.insert(changes.end(), read.objects.begin(), read.objects.end());
  out.delta = topology::delta_of(base, self, changes, batch.revision);
  out.snapshot = out.delta.apply_to(base);
  apply_states(batch, named, read, states, out);
  note_gone_objects(read.objects, out);
  return {};
}

}  // namespace viaduct::actors
