#include <algorithm>
#include <atomic>

#include "flows/state/device_quota.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::flows {

struct NeighbourTable::Impl {
  Impl(size_t capacity, size_t per_device, uint64_t seed)
      : table(capacity, seed), quota(capacity, per_device, seed + 1) {}

  // Runs `change(NeighbourEntry&, bool is_new)` on the entry, or on a new one where none is and the quota allows it.
  // False when there was no room.
  bool change_or_add(const NeighbourKey& key, const auto& change) {
    bool reserved = false;
    const TableOutcome outcome = table.modify(key, [&](std::optional<NeighbourEntry>& entry) {
      const bool is_new = !entry;
      if (is_new) {
        reserved = quota.take(key.device);
        if (!reserved) return TableChange::keep;
        entry.emplace();
      }
      return change(*entry, is_new);
    });
    if (outcome == TableOutcome::full) quota.give_back(key.device);
    const bool refused_now = outcome == TableOutcome::full || outcome == TableOutcome::absent;
    if (refused_now) refused.fetch_add(1, std::memory_order_relaxed);
    return !refused_now;
  }
  bool erase_when(const NeighbourKey& key, const auto& condition) {
    const TableOutcome outcome = table.modify(key, [&](std::optional<NeighbourEntry>& entry) {
      return entry && condition(*entry) ? TableChange::erase : TableChange::keep;
    });
    if (outcome != TableOutcome::erased) return false;
    quota.give_back(key.device);
    return true;
  }

  ConcurrentTable<NeighbourKey, NeighbourEntry> table;
  DeviceQuota quota;
  std::atomic<uint64_t> refused{0};
};

NeighbourTable::NeighbourTable(size_t capacity, size_t per_device, uint64_t seed)
    : impl_(std::make_shared<Impl>(capacity, per_device, seed)) {}

std::optional<NeighbourEntry> NeighbourTable::find(const NeighbourKey& key) const { return impl_->table.find(key); }

LearnResult NeighbourTable::learn(const NeighbourKey& key, MacAddress mac, Time now) {
  if (auto known = impl_->table.find(key); known && known->mac == mac && known->state == NeighbourState::reachable &&
                                           now - known->confirmed < kTouchInterval) {
    return LearnResult::unchanged;
  }
  LearnResult result = LearnResult::refused;
  const bool done = impl_->change_or_add(key, [&](NeighbourEntry& entry, bool is_new) {
    const bool same = !is_new && entry.mac == mac && entry.state != NeighbourState::failed;
    result = is_new ? LearnResult::added : same ? LearnResult::unchanged : LearnResult::moved;
    entry.mac = mac;
    entry.state = NeighbourState::reachable;
    entry.confirmed = is_new ? now : std::max(now, entry.confirmed);
    if (is_new) entry.last_used = now;
    return TableChange::store;
  });
  return done ? result : LearnResult::refused;
}

void NeighbourTable::touch(const NeighbourKey& key, Time now) {
  const auto known = impl_->table.find(key);
  if (!known || now - known->last_used < kTouchInterval) return;
  impl_->table.modify(key, [&](std::optional<NeighbourEntry>& entry) {
    if (!entry || entry->last_used >= now) return TableChange::keep;
    entry->last_used = now;
    return TableChange::store;
  });
}

bool NeighbourTable::set_state(const NeighbourKey& key, NeighbourState state, Time now) {
  return set_state_if_older(key, state, now, Time::max());
}

bool NeighbourTable::set_state_if_older(const NeighbourKey& key, NeighbourState state, Time now, Time deadline) {
  bool changed = false;
  const auto change = [&](NeighbourEntry& entry, bool is_new) {
    changed = is_new || entry.confirmed < deadline;
    if (is_new) entry.confirmed = entry.last_used = now;
    if (changed) entry.state = state;
    return changed ? TableChange::store : TableChange::keep;
  };
  if (state == NeighbourState::failed) return impl_->change_or_add(key, change) && changed;
  impl_->table.modify(
      key, [&](std::optional<NeighbourEntry>& entry) { return entry ? change(*entry, false) : TableChange::keep; });
  return changed;
}

bool NeighbourTable::erase(const NeighbourKey& key) {
  return impl_->erase_when(key, [](const NeighbourEntry&) { return true; });
}
bool NeighbourTable::erase_if_older(const NeighbourKey& key, Time deadline) {
  return impl_->erase_when(key, [&](const NeighbourEntry& entry) { return entry.confirmed < deadline; });
}

void NeighbourTable::for_each(const std::function<void(const NeighbourKey&, const NeighbourEntry&)>& visit) const {
  impl_->table.for_each(visit);
}
size_t NeighbourTable::size() const { return impl_->table.size(); }
size_t NeighbourTable::capacity() const { return impl_->table.capacity(); }
uint64_t NeighbourTable::refused() const { return impl_->refused.load(std::memory_order_relaxed); }

}  // namespace viaduct::flows
