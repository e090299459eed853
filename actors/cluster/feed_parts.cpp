#include "actors/cluster/feed_parts.hpp"

#include <map>
#include <unordered_map>
#include <utility>
#include <variant>

#include "topology/codec.hpp"

namespace viaduct::actors {

using topology::FeedBatch;
using topology::FeedItemPtr;

void FeedParts::add(const topology::ClosureDelta& told) {
  for (const topology::ClosureGroup& group : told) {
    Chunk chunk{group.hosts, {}, {}};
    for (const topology::ClosureChange& change : *group.changes) add(change, chunk);
    for (const Uuid& device : group.gained) {
      states_.for_each_of_device(device, [&](const std::string&, const topology::StatePtr& entry) {
        chunk.items.push_back(items_.of(entry));
      });
    }
    chunks_.push_back(std::move(chunk));
  }
}

void FeedParts::add(const topology::ClosureChange& change, Chunk& chunk) const {
  if (const auto* forget = std::get_if<topology::Forget>(&change)) {
    chunk.forget.push_back(forget->owner);
  } else if (const auto* ref = std::get_if<topology::ObjectRef>(&change)) {
    chunk.items.push_back(FeedItems::deleted(topology::key_of(*ref), revision_));
  } else {
    chunk.items.push_back(items_.of(std::get<topology::Ref<topology::Object>>(change)));
  }
}

// What goes comes first: an entry may have moved from one device to the other.
void FeedParts::add(const std::vector<topology::StateChange>& changes) {
  std::map<Uuid, std::vector<FeedItemPtr>> gone, put;
  for (const topology::StateChange& change : changes) {
    if (change.after != nullptr) put[change.after->device].push_back(items_.of(change.after));
    const bool left =
        change.before != nullptr && (change.after == nullptr || change.after->device != change.before->device);
    if (!left) continue;
    gone[change.before->device].push_back(FeedItems::deleted(topology::state_key(*change.before), revision_));
  }
  for (auto& [device, items] : gone) add(device, std::move(items));
  for (auto& [device, items] : put) add(device, std::move(items));
}

void FeedParts::add(const Uuid& device, std::vector<FeedItemPtr> items) {
  const auto& hosts = interest_.hosts_of(device);
  if (!hosts.empty()) chunks_.push_back({hosts, {}, std::move(items)});
}

FeedBatch FeedParts::batch_of(const ChunkList& list) const {
  FeedBatch batch;
  batch.revision = revision_;
  for (size_t at : list) {
    const Chunk& chunk = chunks_[at];
    batch.forget.insert(batch.forget.end(), chunk.forget.begin(), chunk.forget.end());
    batch.items.insert(batch.items.end(), chunk.items.begin(), chunk.items.end());
  }
  return batch;
}

std::vector<FeedPart> FeedParts::make(uint64_t committed_at, const std::string& request) const {
  std::map<ChunkList, std::vector<HostId>> groups;
  if (chunks_.size() == 1) {  // the common case: one device
    groups[{0}] = chunks_[0].hosts;
  } else {
    std::unordered_map<HostId, ChunkList> of_host;
    for (size_t i = 0; i < chunks_.size(); ++i) {
      for (HostId host : chunks_[i].hosts) of_host[host].push_back(i);
    }
    for (auto& [host, list] : of_host) groups[std::move(list)].push_back(host);
  }
  std::vector<FeedPart> parts;
  for (auto& [list, hosts] : groups) {
    auto batch = std::make_shared<FeedBatch>(batch_of(list));
    batch->committed_at = committed_at;
    if (!request.empty()) batch->requests.push_back({revision_, request});
    parts.push_back({std::move(hosts), std::move(batch)});
  }
  return parts;
}

}  // namespace viaduct::actors
