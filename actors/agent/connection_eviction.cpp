#include "actors/agent/connection_eviction.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace viaduct::actors {

using flows::ConnectionEntry;
using flows::ConnectionState;
using flows::Time;

namespace {

// The time of the last of the `count` oldest; count is not 0.
Time last_of_oldest(std::vector<Time>& times, size_t count) {
  const auto at = times.begin() + static_cast<ptrdiff_t>(count - 1);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

}  // namespace

std::string_view to_string(Shortage shortage) {
  switch (shortage) {
    case Shortage::table:
      return "table_full";
    case Shortage::tenant:
      return "tenant_share";
    case Shortage::port:
      return "port_share";
  }
  return "unknown";
}

size_t fair_level(std::vector<size_t> wants, size_t room) {
  std::sort(wants.begin(), wants.end());
  for (size_t i = 0; i < wants.size(); ++i) {
    const size_t left = wants.size() - i;
    if (wants[i] > room / left) return room / left;
    room -= wants[i];
  }
  return std::numeric_limits<size_t>::max();
}

const EvictionPlan::Cut* EvictionPlan::takes(const ConnectionEntry& entry) const {
  const auto found = cuts_.find(account_of(entry));
  if (found == cuts_.end()) return nullptr;
  const Cut& cut = found->second;
  const bool opening = entry.state() == ConnectionState::opening;
  const bool goes = opening ? cut.opening > 0 && entry.last_seen <= cut.last_opening
                            : cut.others > 0 && entry.last_seen <= cut.last_other;
  return goes ? &cut : nullptr;
}

void EvictionPlan::gone(const ConnectionEntry& entry, size_t entries) {
  const auto found = cuts_.find(account_of(entry));
  if (found == cuts_.end()) return;
  size_t& left = entry.state() == ConnectionState::opening ? found->second.opening : found->second.others;
  left -= std::min(left, entries);
}

void EvictionPlanner::add(const ConnectionEntry& entry, size_t entries) {
  Held& held = held_[account_of(entry)];
  auto& times = entry.state() == ConnectionState::opening ? held.opening : held.others;
  times.insert(times.end(), entries, entry.last_seen);
  held.keeps += entries;
}

void EvictionPlanner::Held::keep(size_t most, Shortage reason) {
  if (keeps <= most) return;
  keeps = most;
  why = reason;
}

void EvictionPlanner::relieve_ports(size_t limit) {
  for (auto& [account, held] : held_) {
    if (held.keeps > crowded_above(limit)) held.keep(relieved_at(limit), Shortage::port);
  }
}

void EvictionPlanner::relieve_tenants(size_t limit) {
  std::map<uint32_t, std::vector<size_t>> wants;
  for (const auto& [account, held] : held_) wants[account.tenant].push_back(held.keeps);
  for (auto& [tenant, sizes] : wants) {
    size_t sum = 0;
    for (size_t size : sizes) sum += size;
    if (sum <= crowded_above(limit)) continue;
    const size_t level = fair_level(std::move(sizes), relieved_at(limit));
    for (auto& [account, held] : held_) {
      if (account.tenant == tenant) held.keep(level, Shortage::tenant);
    }
  }
}

void EvictionPlanner::relieve_table(size_t limit) {
  std::vector<size_t> wants;
  size_t sum = 0;
  for (const auto& [account, held] : held_) {
    wants.push_back(held.keeps);
    sum += held.size();
  }
  if (sum <= crowded_above(limit)) return;
  const size_t level = fair_level(std::move(wants), relieved_at(limit));
  for (auto& [account, held] : held_) held.keep(level, Shortage::table);
}

EvictionPlan::Cut EvictionPlanner::cut(Held& held) {
  EvictionPlan::Cut out;
  const size_t excess = held.size() - held.keeps;
  out.opening = std::min(excess, held.opening.size());
  out.others = excess - out.opening;
  if (out.opening > 0) out.last_opening = last_of_oldest(held.opening, out.opening);
  if (out.others > 0) out.last_other = last_of_oldest(held.others, out.others);
  out.why = held.why;
  return out;
}

EvictionPlan EvictionPlanner::plan(const flows::ConnectionLimits& limits) {
  relieve_ports(limits.per_port);
  relieve_tenants(limits.per_tenant);
  relieve_table(limits.capacity);
  EvictionPlan out;
  for (auto& [account, held] : held_) {
    if (held.size() > held.keeps) out.add(account, cut(held));
  }
  return out;
}

}  // namespace viaduct::actors
