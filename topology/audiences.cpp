#include "topology/audiences.hpp"

#include <algorithm>

namespace viaduct::topology {

Audiences::Key Audiences::create() {
  audiences_.try_emplace(++last_);
  return last_;
}

void Audiences::dissolve(Key key) {
  const auto at = audiences_.find(key);
  if (at == audiences_.end()) return;
  while (!at->second.hosts.empty()) {
    const HostId host = at->second.hosts.back();
    remove(key, host, at->second.places.at(host).times);
  }
  audiences_.erase(at);
}

void Audiences::add(Key key, HostId host, uint32_t times) {
  Audience& audience = audiences_.at(key);
  const auto [at, is_new] = audience.places.try_emplace(host, Place{audience.hosts.size(), 0});
  at->second.times += times;
  if (!is_new) return;
  audience.hosts.push_back(host);
  of_[host].insert(key);
  remember(key, host, false);
}

void Audiences::remove(Key key, HostId host, uint32_t times) {
  const auto found = audiences_.find(key);
  if (found == audiences_.end()) return;
  Audience& audience = found->second;
  const auto at = audience.places.find(host);
  if (at == audience.places.end()) return;
  at->second.times -= std::min(times, at->second.times);
  if (at->second.times > 0) return;
  const size_t hole = at->second.at;
  audience.hosts[hole] = audience.hosts.back();
  audience.places.at(audience.hosts[hole]).at = hole;
  audience.hosts.pop_back();
  audience.places.erase(at);
  const auto keys = of_.find(host);
  keys->second.erase(key);
  if (keys->second.empty()) of_.erase(keys);
  remember(key, host, true);
}

void Audiences::merge(Key from, Key to) {
  for (const auto& [host, place] : audiences_.at(from).places) add(to, host, place.times);
  dissolve(from);
}

const std::vector<HostId>& Audiences::hosts(Key key) const {
  static const std::vector<HostId> kNobody;
  const auto at = audiences_.find(key);
  return at == audiences_.end() ? kNobody : at->second.hosts;
}

bool Audiences::has(Key key, HostId host) const {
  const auto at = audiences_.find(key);
  return at != audiences_.end() && at->second.places.contains(host);
}

const std::set<Audiences::Key>& Audiences::of(HostId host) const {
  static const std::set<Key> kNone;
  const auto at = of_.find(host);
  return at == of_.end() ? kNone : at->second;
}

bool Audiences::had(Key key, HostId host) const {
  const auto at = before_.find(key);
  if (at == before_.end()) return has(key, host);
  const auto was_in = at->second.find(host);
  return was_in == at->second.end() ? has(key, host) : was_in->second;
}

bool Audiences::changed(Key key) const {
  const auto at = before_.find(key);
  return at != before_.end() && std::any_of(at->second.begin(), at->second.end(),
                                            [&](const auto& entry) { return entry.second != has(key, entry.first); });
}

std::vector<Audiences::Key> Audiences::changed() const {
  std::vector<Key> keys;
  for (const auto& [key, hosts] : before_) {
    if (changed(key)) keys.push_back(key);
  }
  return keys;
}

}  // namespace viaduct::topology
