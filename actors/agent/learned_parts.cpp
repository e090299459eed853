#include "actors/agent/learned_parts.hpp"

#include <algorithm>

namespace viaduct::actors {

using topology::GatewayLost;
using topology::LearnedRoutes;

// FNV-1a: the same in every life and version, as adopted parts are named by it.
uint16_t LearnedParts::part_of(const IpPrefix& prefix) {
  uint32_t hash = 2'166'136'261U;
  const auto add = [&](uint8_t byte) { hash = (hash ^ byte) * 16'777'619U; };
  for (const uint8_t byte : prefix.address().bytes()) add(byte);
  add(static_cast<uint8_t>(prefix.length()));
  const uint32_t part = (hash ^ hash >> 16) % kParts;
  return static_cast<uint16_t>(prefix.family() == IpFamily::v4 ? part : kParts + part);
}

void LearnedParts::put(const IpPrefix& prefix, const IpAddress& gateway) {
  const PartKey key{gateway, part_of(prefix)};
  parts_[key].insert(prefix);
  changed_.insert(key);
}

void LearnedParts::remove(const IpPrefix& prefix, const IpAddress& gateway) {
  const PartKey key{gateway, part_of(prefix)};
  const auto part = parts_.find(key);
  if (part == parts_.end()) return;
  part->second.erase(prefix);
  changed_.insert(key);
}

void LearnedParts::adopt(std::span<const topology::HostFact> said) {
  for (const topology::HostFact& fact : said) {
    if (const auto* gone = std::get_if<GatewayLost>(&fact); gone != nullptr && gone->port == port_) {
      lost_.insert(gone->gateway);
    }
    const auto* routes = std::get_if<LearnedRoutes>(&fact);
    if (routes == nullptr || routes->port != port_) continue;
    if (routes->prefixes.empty()) changed_.insert({routes->gateway, routes->part});
    for (const IpPrefix& prefix : routes->prefixes) {
      Known& known = gateways_[prefix];
      known.adopted = true;
      known.gateways.push_back(routes->gateway);
      parts_[{routes->gateway, part_of(prefix)}].insert(prefix);
      if (routes->part == part_of(prefix)) continue;
      // Another version has put it elsewhere: there it ends, and here it is said.
      changed_.insert({routes->gateway, routes->part});
      changed_.insert({routes->gateway, part_of(prefix)});
    }
  }
}

void LearnedParts::doubt() {
  for (auto& [prefix, known] : gateways_) known.adopted = true;
}

void LearnedParts::learn(const IpPrefix& prefix, std::vector<IpAddress> gateways) {
  std::sort(gateways.begin(), gateways.end());
  Known& known = gateways_[prefix];
  for (const IpAddress& gateway : known.gateways) {
    if (!std::binary_search(gateways.begin(), gateways.end(), gateway)) remove(prefix, gateway);
  }
  for (const IpAddress& gateway : gateways) {
    if (std::find(known.gateways.begin(), known.gateways.end(), gateway) == known.gateways.end()) put(prefix, gateway);
  }
  if (gateways.empty()) {
    gateways_.erase(prefix);
  } else {
    known = {std::move(gateways), false};
  }
}

void LearnedParts::set_lost(const IpAddress& gateway, bool lost) {
  const bool changed = lost ? lost_.insert(gateway).second : lost_.erase(gateway) != 0;
  if (changed) lost_changed_.insert(gateway);
}
void LearnedParts::lose(const IpAddress& gateway) { set_lost(gateway, true); }
void LearnedParts::find(const IpAddress& gateway) { set_lost(gateway, false); }

void LearnedParts::sweep() {
  std::vector<IpPrefix> gone;
  for (const auto& [prefix, known] : gateways_) {
    if (known.adopted) gone.push_back(prefix);
  }
  for (const IpPrefix& prefix : gone) learn(prefix, {});
}

void LearnedParts::clear() {
  for (const auto& [key, prefixes] : parts_) changed_.insert(key);
  parts_.clear();
  gateways_.clear();
  lost_changed_.merge(std::exchange(lost_, {}));
}

RoutesLearned LearnedParts::take_gateways() {
  RoutesLearned out;
  for (const IpAddress& gateway : std::exchange(lost_changed_, {})) {
    (lost_.contains(gateway) ? out.said : out.ended).emplace_back(GatewayLost{port_, gateway});
  }
  return out;
}

RoutesLearned LearnedParts::take() {
  RoutesLearned out = take_gateways();
  for (const PartKey& key : std::exchange(changed_, {})) {
    const auto part = parts_.find(key);
    LearnedRoutes routes{port_, key.gateway, key.part};
    if (part == parts_.end() || part->second.empty()) {
      if (part != parts_.end()) parts_.erase(part);
      out.ended.emplace_back(std::move(routes));
      continue;
    }
    routes.prefixes.assign(part->second.begin(), part->second.end());
    out.said.emplace_back(std::move(routes));
  }
  return out;
}

}  // namespace viaduct::actors
