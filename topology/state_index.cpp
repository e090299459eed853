#include "topology/state_index.hpp"

#include <utility>
#include <vector>

namespace viaduct::topology {

namespace {

template <class Map, class Key>
void drop(Map& map, const Key& owner, std::string_view key) {
  auto at = map.find(owner);
  if (at == map.end()) return;
  at->second.erase(key);
  if (at->second.empty()) map.erase(at);
}

template <class Map, class Key>
auto* keys_of(Map& map, const Key& owner) {
  auto at = map.find(owner);
  return at == map.end() ? nullptr : &at->second;
}

}  // namespace

StateChange StateIndex::put(StateEntry entry) {
  auto after = std::make_shared<const StateEntry>(std::move(entry));
  auto [at, added] = entries_.try_emplace(state_key(*after));
  StateChange out{at->second, after};
  const std::string_view key = at->first;
  if (out.before != nullptr) {
    if (out.before->device != after->device) drop(by_device_, out.before->device, key);
    if (out.before->host != after->host) drop(by_host_, out.before->host, key);
  }
  at->second = after;
  if (!after->device.is_nil()) by_device_[after->device].insert(key);
  by_host_[after->host].insert(key);
  return out;
}

StateChange StateIndex::erase(const std::string& key) {
  auto at = entries_.find(key);
  if (at == entries_.end()) return {};
  StateChange out{at->second, nullptr};
  drop(by_device_, out.before->device, at->first);
  drop(by_host_, out.before->host, at->first);
  entries_.erase(at);
  return out;
}

StatePtr StateIndex::find(const std::string& key) const {
  auto at = entries_.find(key);
  return at == entries_.end() ? nullptr : at->second;
}

void StateIndex::for_each(const Visit& visit) const {
  for (const auto& [key, entry] : entries_) visit(key, entry);
}

// `visit` may put and erase.
void StateIndex::visit_keys(const Keys* keys, const Visit& visit) const {
  if (keys == nullptr) return;
  std::vector<std::string> all(keys->begin(), keys->end());
  for (const std::string& key : all) {
    if (StatePtr entry = find(key)) visit(key, entry);
  }
}

void StateIndex::for_each_of_device(const Uuid& device, const Visit& visit) const {
  visit_keys(keys_of(by_device_, device), visit);
}

void StateIndex::for_each_of_host(HostId host, const Visit& visit) const { visit_keys(keys_of(by_host_, host), visit); }

}  // namespace viaduct::topology
