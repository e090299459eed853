#include "topology/resume.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace viaduct::topology {

std::vector<Tombstone> tombstones_of(const Delta& delta) {
  std::vector<Tombstone> out;
  for (const auto& [ref, change] : delta.changes) {
    const auto before = change.before ? owner_of(*change.before) : std::nullopt;
    const auto after = change.after ? owner_of(*change.after) : std::nullopt;
    if (before && before != after) out.push_back({ref, delta.to_revision, *before});
  }
  return out;
}

Resumption::Resumption(const Interest& interest, const Snapshot& snapshot, const std::vector<Tombstone>& tombstones)
    : interest_(interest), snapshot_(snapshot) {
  for (const Tombstone& tombstone : tombstones) tombstones_[tombstone.owner].push_back(tombstone);
}

SharedChanges Resumption::gone_since(const Uuid& owner, uint64_t revision) {
  SharedChanges& known = gone_[{owner, revision}];
  if (known) return known;
  ClosureChanges changes;
  if (const auto at = tombstones_.find(owner); at != tombstones_.end()) {
    for (const Tombstone& tombstone : at->second) {
      if (tombstone.revision > revision) changes.emplace_back(tombstone.object);
    }
  }
  return known = std::make_shared<const ClosureChanges>(std::move(changes));
}

SharedChanges Resumption::put_since(const Uuid& owner, uint64_t revision) {
  SharedChanges& known = put_[{owner, revision}];
  if (known) return known;
  ClosureChanges changes;
  for_each_belonging(snapshot_, owner, [&](const Object& object) {
    const bool is_new = revision == 0 || revision_of(object) > revision;
    if (is_new) changes.emplace_back(snapshot_.find(ref_of(object)));
    const auto* member = std::get_if<TunnelZoneHost>(&object);
    if (member == nullptr) return;
    const auto host = snapshot_.find(ObjectRef{Kind::host, member->host.uuid()});
    if (host && (is_new || revision_of(*host) > revision)) changes.emplace_back(host);
  });
  return known = std::make_shared<const ClosureChanges>(std::move(changes));
}

SharedChanges Resumption::own_of(HostId host, std::span<const Uuid> forgotten) const {
  ClosureChanges changes;
  for (const Uuid& owner : forgotten) changes.emplace_back(Forget{owner});
  if (auto object = snapshot_.find(ObjectRef{Kind::host, host.uuid()})) {
    changes.emplace_back(std::move(object));
  } else {
    changes.emplace_back(ObjectRef{Kind::host, host.uuid()});
  }
  return std::make_shared<const ClosureChanges>(std::move(changes));
}

std::vector<SharedChanges> Resumption::resume(HostId host, std::span<const Uuid> has, uint64_t revision) {
  const std::unordered_set<Uuid> known(has.begin(), has.end());
  std::vector<Uuid> forgotten;
  std::copy_if(has.begin(), has.end(), std::back_inserter(forgotten),
               [&](const Uuid& owner) { return !interest_.needs(host, owner); });
  const std::vector<Uuid> needed = interest_.owners_of(host);
  std::vector<SharedChanges> parts{own_of(host, forgotten)};
  // All that goes before all that comes: an object may have moved from one device to the other.
  for (const Uuid& owner : needed) {
    if (known.contains(owner)) parts.push_back(gone_since(owner, revision));
  }
  for (const Uuid& owner : needed) parts.push_back(put_since(owner, known.contains(owner) ? revision : 0));
  std::erase_if(parts, [](const SharedChanges& part) { return part->empty(); });
  return parts;
}

}  // namespace viaduct::topology
