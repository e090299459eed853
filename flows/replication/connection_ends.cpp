#include "flows/replication/connection_ends.hpp"

#include <algorithm>

namespace viaduct::flows {

void ConnectionEnds::note(const ConnectionKey& key, std::span<const PortId> ends) {
  std::vector<PortId> sorted(ends.begin(), ends.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.empty()) return forget(key);
  const auto [at, is_new] = members_.try_emplace(key);
  if (!is_new && at->second.set->ends == sorted) return;
  if (!is_new) leave(at->second);
  const auto [set, is_new_set] = sets_.try_emplace(sorted);
  if (is_new_set) {
    set->second.ends = std::move(sorted);
    for (PortId port : set->second.ends) by_port_[port].push_back(&set->second);
  }
  join(at->first, at->second, set->second);
}

void ConnectionEnds::forget(const ConnectionKey& key) {
  const auto at = members_.find(key);
  if (at == members_.end()) return;
  leave(at->second);
  members_.erase(at);
}

std::span<const PortId> ConnectionEnds::of(const ConnectionKey& key) const {
  const auto at = members_.find(key);
  if (at == members_.end()) return {};
  return at->second.set->ends;
}

std::vector<ConnectionEnds::Found> ConnectionEnds::at(std::span<const PortId> ports) const {
  std::vector<const Set*> sets;
  for (PortId port : ports) {
    const auto found = by_port_.find(port);
    if (found != by_port_.end()) sets.insert(sets.end(), found->second.begin(), found->second.end());
  }
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  std::vector<Found> out;
  for (const Set* set : sets) {
    Found& found = out.emplace_back();
    found.ends = set->ends;
    for (const ConnectionKey* key = set->first; key != nullptr; key = members_.find(*key)->second.next) {
      found.keys.push_back(*key);
    }
  }
  return out;
}

void ConnectionEnds::join(const ConnectionKey& key, Member& member, Set& set) {
  member = {&set, nullptr, set.first};
  if (set.first != nullptr) members_.find(*set.first)->second.previous = &key;
  set.first = &key;
}

void ConnectionEnds::leave(Member& member) {
  if (member.next != nullptr) members_.find(*member.next)->second.previous = member.previous;
  if (member.previous != nullptr) {
    members_.find(*member.previous)->second.next = member.next;
  } else {
    member.set->first = member.next;
  }
  drop_if_empty(*member.set);
}

void ConnectionEnds::drop_if_empty(Set& set) {
  if (set.first != nullptr) return;
  for (PortId port : set.ends) {
    const auto at = by_port_.find(port);
    std::erase(at->second, &set);
    if (at->second.empty()) by_port_.erase(at);
  }
  sets_.erase(std::vector<PortId>(set.ends));
}

}  // namespace viaduct::flows
