#include <algorithm>
#include <atomic>

#include "flows/state/device_quota.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::flows {

struct MacTable::Impl {
  Impl(size_t capacity, size_t per_bridge, uint64_t seed)
      : table(capacity, seed), quota(capacity, per_bridge, seed + 1) {}
  bool erase_when(const MacKey& key, const auto& condition) {
    const TableOutcome outcome = table.modify(key, [&](std::optional<MacEntry>& entry) {
      return entry && condition(*entry) ? TableChange::erase : TableChange::keep;
    });
    if (outcome != TableOutcome::erased) return false;
    quota.give_back(key.bridge.uuid());
    return true;
  }

  ConcurrentTable<MacKey, MacEntry> table;
  DeviceQuota quota;
  std::atomic<uint64_t> refused{0};
};

MacTable::MacTable(size_t capacity, size_t per_bridge, uint64_t seed)
    : impl_(std::make_shared<Impl>(capacity, per_bridge, seed)) {}

std::optional<MacEntry> MacTable::find(const MacKey& key) const { return impl_->table.find(key); }

LearnResult MacTable::learn(const MacKey& key, PortId port, Time now, PortId* previous) {
  if (auto known = impl_->table.find(key); known && known->port == port && now - known->last_seen < kTouchInterval) {
    return LearnResult::unchanged;
  }
  LearnResult result = LearnResult::refused;
  bool reserved = false;
  const TableOutcome outcome = impl_->table.modify(key, [&](std::optional<MacEntry>& entry) {
    if (!entry) {
      reserved = impl_->quota.take(key.bridge.uuid());
      if (!reserved) return TableChange::keep;
      entry = MacEntry{port, now};
      result = LearnResult::added;
      return TableChange::store;
    }
    result = entry->port == port ? LearnResult::unchanged : LearnResult::moved;
    if (result == LearnResult::moved && previous != nullptr) *previous = entry->port;
    *entry = MacEntry{port, std::max(now, entry->last_seen)};
    return TableChange::store;
  });
  if (outcome == TableOutcome::full) {
    if (reserved) impl_->quota.give_back(key.bridge.uuid());
    result = LearnResult::refused;
  }
  if (result == LearnResult::refused) impl_->refused.fetch_add(1, std::memory_order_relaxed);
  return result;
}

void MacTable::touch(const MacKey& key, Time now) {
  const auto known = impl_->table.find(key);
  if (!known || now - known->last_seen < kTouchInterval) return;
  impl_->table.modify(key, [&](std::optional<MacEntry>& entry) {
    if (!entry || entry->last_seen >= now) return TableChange::keep;
    entry->last_seen = now;
    return TableChange::store;
  });
}

bool MacTable::erase(const MacKey& key) {
  return impl_->erase_when(key, [](const MacEntry&) { return true; });
}
bool MacTable::erase_if_older(const MacKey& key, Time deadline) {
  return impl_->erase_when(key, [&](const MacEntry& entry) { return entry.last_seen < deadline; });
}

void MacTable::for_each(const std::function<void(const MacKey&, const MacEntry&)>& visit) const {
  impl_->table.for_each(visit);
}
size_t MacTable::size() const { return impl_->table.size(); }
size_t MacTable::capacity() const { return impl_->table.capacity(); }
uint64_t MacTable::refused() const { return impl_->refused.load(std::memory_order_relaxed); }

}  // namespace viaduct::flows
