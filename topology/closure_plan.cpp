#include "topology/closure_plan.hpp"

#include <algorithm>
#include <iterator>

namespace viaduct::topology {

// What is made for one group.
struct ClosurePlan::Making {
  explicit Making(const Relations& of) : relations(of) {}
  bool had(size_t circle) const { return circle != kNone && (relations[circle] & kHad) != 0; }
  bool has(size_t circle) const { return circle != kNone && (relations[circle] & kHas) != 0; }

  const Relations& relations;
  std::vector<Uuid> gained, lost;
  std::unordered_set<Uuid> is_gained, is_lost;
  ClosureChanges deletes, puts;
  std::set<HostId> hosts_put;
};

// --- what the step is about ------------------------------------------------------------------------

ClosurePlan::ClosurePlan(const Interest& interest, const Snapshot& after, const Delta& delta)
    : interest_(interest), after_(after) {
  for (const auto& [ref, change] : delta.changes) {
    ref.kind == Kind::host ? add_host(ref, change) : add_item(ref, change);
  }
  add_moved();
  for (const Audiences::Key key : interest_.audiences_.changed()) circle_of(key);
}

size_t ClosurePlan::circle_of(Audiences::Key key) {
  if (key == 0) return kNone;
  const auto [at, is_new] = index_.try_emplace(key, circles_.size());
  if (is_new) circles_.push_back({key, {}, false, false});
  return at->second;
}

void ClosurePlan::add_item(const ObjectRef& ref, const ObjectChange& change) {
  Item item{&ref, &change};
  if (change.before) item.before = circle_of(interest_.audience_before(*owner_of(*change.before)));
  if (change.after) item.after = circle_of(interest_.audience_of(*owner_of(*change.after)));
  items_.push_back(item);
}

// A host object concerns the host itself, and whoever shares a zone with it.
void ClosurePlan::add_host(const ObjectRef& ref, const ObjectChange& change) {
  const HostId host(ref.id);
  HostItem item{&ref, &change, {circles_.size()}};
  circles_.push_back({0, host, change.before != nullptr, change.after != nullptr});
  for (const Audiences::Key key : interest_.audiences_.of(host)) {
    if (interest_.zone_of_.contains(key)) item.circles.push_back(circle_of(key));
  }
  hosts_.push_back(std::move(item));
}

void ClosurePlan::add_moved() {
  for (const auto& [owner, before] : interest_.components_.moved()) {
    const Audiences::Key now = interest_.components_.component_of(owner);
    if (now != before) moved_[{circle_of(before), circle_of(now)}].push_back(owner);
  }
}

// --- for whom it is the same -----------------------------------------------------------------------

// The common case: one owner's circle, in which nobody came or went.
bool ClosurePlan::alike_for_all() const {
  return circles_.size() == 1 && circles_[0].key != 0 && !interest_.audiences_.changed(circles_[0].key);
}

std::map<ClosurePlan::Relations, std::vector<HostId>> ClosurePlan::groups() const {
  std::unordered_map<HostId, Relations> relations;
  const auto note = [&](HostId host, size_t circle, bool had, bool has) {
    Relations& of_host = relations[host];
    of_host.resize(circles_.size());
    of_host[circle] = static_cast<uint8_t>((had ? kHad : 0) | (has ? kHas : 0));
  };
  for (size_t i = 0; i < circles_.size(); ++i) {
    const Circle& circle = circles_[i];
    if (circle.key == 0) {
      note(circle.alone, i, circle.had, circle.has);
    } else {
      interest_.audiences_.for_each_involved(circle.key,
                                             [&](HostId host, bool had, bool has) { note(host, i, had, has); });
    }
  }
  std::map<Relations, std::vector<HostId>> groups;
  for (auto& [host, of_host] : relations) groups[std::move(of_host)].push_back(host);
  return groups;
}

ClosureDelta ClosurePlan::make() const {
  ClosureDelta out;
  const auto add = [&](ClosureGroup group) {
    if (!group.hosts.empty() && !group.changes->empty()) out.push_back(std::move(group));
  };
  if (alike_for_all()) {
    add(make_group(interest_.audiences_.hosts(circles_[0].key), {kHad | kHas}));
    return out;
  }
  for (auto& [relations, hosts] : groups()) add(make_group(hosts, relations));
  return out;
}

// --- what they are told ----------------------------------------------------------------------------

ClosureGroup ClosurePlan::make_group(std::vector<HostId> hosts, const Relations& relations) const {
  Making making(relations);
  find_owners(making);
  making.is_gained.insert(making.gained.begin(), making.gained.end());
  making.is_lost.insert(making.lost.begin(), making.lost.end());
  add_changes(making);
  for (const Uuid& owner : making.gained) add_whole(owner, making);
  ClosureChanges changes;
  changes.reserve(making.lost.size() + making.deletes.size() + making.puts.size());
  for (const Uuid& owner : making.lost) changes.emplace_back(Forget{owner});
  std::move(making.deletes.begin(), making.deletes.end(), std::back_inserter(changes));
  std::move(making.puts.begin(), making.puts.end(), std::back_inserter(changes));
  return {std::move(hosts), std::move(making.gained), std::move(making.lost),
          std::make_shared<const ClosureChanges>(std::move(changes))};
}

// What stayed in its circle is gained and lost with the circle; what moved, if it moved out of or into those the group
// is in.
void ClosurePlan::find_owners(Making& making) const {
  for (const auto& [way, moved] : moved_) {
    const bool had = making.had(way.first), has = making.has(way.second);
    if (had == has) continue;
    std::vector<Uuid>& owners = has ? making.gained : making.lost;
    owners.insert(owners.end(), moved.begin(), moved.end());
  }
  for (size_t i = 0; i < circles_.size(); ++i) {
    if (circles_[i].key == 0 || making.had(i) == making.has(i)) continue;
    find_unmoved(i, making.has(i) ? making.gained : making.lost);
  }
}

void ClosurePlan::find_unmoved(size_t circle, std::vector<Uuid>& owners) const {
  const Audiences::Key key = circles_[circle].key;
  if (const auto zone = interest_.zone_of_.find(key); zone != interest_.zone_of_.end()) owners.push_back(zone->second);
  for (const Uuid& owner : interest_.components_.owners(key)) {
    if (interest_.components_.component_before(owner) == key) owners.push_back(owner);
  }
}

void ClosurePlan::add_changes(Making& making) const {
  for (const Item& item : items_) {
    const ObjectChange& change = *item.change;
    if (making.has(item.after)) {
      if (making.is_gained.contains(*owner_of(*change.after))) continue;  // as a whole
      making.puts.emplace_back(change.after);
      const auto* member = std::get_if<TunnelZoneHost>(change.after.get());
      const auto* before = change.before ? std::get_if<TunnelZoneHost>(change.before.get()) : nullptr;
      const bool named = before != nullptr && member != nullptr && before->host == member->host;
      if (member != nullptr && !(named && making.had(item.before))) put_host(member->host, making);
    } else if (making.had(item.before) && !making.is_lost.contains(*owner_of(*change.before))) {
      making.deletes.emplace_back(*item.ref);
    }
  }
  for (const HostItem& item : hosts_) {
    const bool needed = std::any_of(item.circles.begin(), item.circles.end(), [&](size_t i) { return making.has(i); });
    if (needed) {
      put_host(HostId(item.ref->id), making);
    } else if (making.had(item.circles.front())) {
      making.deletes.emplace_back(*item.ref);  // for others it goes with its memberships
    }
  }
}

void ClosurePlan::add_whole(const Uuid& owner, Making& making) const {
  for_each_belonging(after_, owner, [&](const Object& object) {
    making.puts.emplace_back(after_.find(ref_of(object)));
    if (const auto* member = std::get_if<TunnelZoneHost>(&object)) put_host(member->host, making);
  });
}

void ClosurePlan::put_host(HostId host, Making& making) const {
  if (!making.hosts_put.insert(host).second) return;
  if (auto object = after_.find(ObjectRef{Kind::host, host.uuid()})) making.puts.emplace_back(std::move(object));
}

}  // namespace viaduct::topology
