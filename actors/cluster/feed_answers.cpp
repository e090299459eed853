#include "actors/cluster/feed_answers.hpp"

#include <unordered_set>
#include <utility>
#include <variant>

#include "topology/codec.hpp"

namespace viaduct::actors {

using topology::FeedBatch;
using topology::Object;
using topology::Ref;

FeedBatch FeedAnswers::whole(const SnapshotPtr& snapshot, HostId host) {
  FeedBatch batch;
  batch.revision = snapshot->revision();
  batch.complete = true;
  add(resumption(snapshot).whole(host), batch);
  for (const Uuid& owner : interest_.joined_to(host)) {
    const Items& items = states_since(owner, 0);
    batch.items.insert(batch.items.end(), items.begin(), items.end());
  }
  return batch;
}

FeedBatch FeedAnswers::since(const SnapshotPtr& snapshot, HostId host, uint64_t revision,
                             const std::vector<Uuid>& has) {
  FeedBatch batch;
  batch.revision = snapshot->revision();
  add_gone(host, revision, has, batch);
  add(resumption(snapshot).resume(host, has, revision), batch);
  const std::unordered_set<Uuid> known(has.begin(), has.end());
  for (const Uuid& owner : interest_.joined_to(host)) {
    const Items& items = states_since(owner, known.contains(owner) ? revision : 0);
    batch.items.insert(batch.items.end(), items.begin(), items.end());
  }
  return batch;
}

topology::Resumption& FeedAnswers::resumption(const SnapshotPtr& snapshot) {
  if (resumption_ == nullptr) {
    resumption_ = std::unique_ptr<Resuming>(
        new Resuming{snapshot, topology::Resumption(interest_, *snapshot, history_.objects())});
  }
  return resumption_->resumption;
}

void FeedAnswers::add(const std::vector<topology::SharedChanges>& parts, FeedBatch& batch) const {
  std::unordered_set<const Object*> hosts;  // several zones may name one
  for (const auto& part : parts) {
    for (const topology::ClosureChange& change : *part) {
      if (const auto* forget = std::get_if<topology::Forget>(&change)) {
        batch.forget.push_back(forget->owner);
      } else if (const auto* ref = std::get_if<topology::ObjectRef>(&change)) {
        if (!batch.complete) batch.items.push_back(FeedItems::deleted(topology::key_of(*ref), batch.revision));
      } else {
        const auto& object = std::get<Ref<Object>>(change);
        const bool is_host = topology::kind_of(*object) == topology::Kind::host;
        if (!is_host || hosts.insert(object.get()).second) batch.items.push_back(items_.of(object));
      }
    }
  }
}

// Entries, and whatever went before this node was there. An agent takes no notice of what it never had.
void FeedAnswers::add_gone(HostId host, uint64_t revision, const std::vector<Uuid>& has, FeedBatch& batch) const {
  const std::unordered_set<Uuid> known(has.begin(), has.end());
  for (const FeedHistory::Gone& gone : history_.entries()) {
    if (gone.revision <= revision) continue;
    const bool concerned = known.contains(gone.device) && interest_.needs(host, gone.device);
    if (gone.device.is_nil() || concerned) batch.items.push_back(FeedItems::deleted(gone.key, gone.revision));
  }
}

const FeedAnswers::Items& FeedAnswers::states_since(const Uuid& device, uint64_t revision) {
  auto [at, is_new] = states_since_.try_emplace({device, revision});
  if (!is_new) return at->second;
  states_.for_each_of_device(device, [&](const std::string&, const topology::StatePtr& entry) {
    if (entry->revision > revision) at->second.push_back(items_.of(entry));
  });
  return at->second;
}

void FeedAnswers::state_changed(const topology::StateChange& change) {
  if (change.before != nullptr) forget_states(change.before->device);
  if (change.after != nullptr) forget_states(change.after->device);
}

void FeedAnswers::forget_states(const Uuid& device) {
  auto first = states_since_.lower_bound({device, 0});
  auto end = first;
  while (end != states_since_.end() && end->first.first == device) ++end;
  states_since_.erase(first, end);
}

void FeedAnswers::clear() {
  resumption_.reset();
  states_since_.clear();
}

}  // namespace viaduct::actors
