// Flow ids to small values, in one array with linear probing. Ids are keyed hashes already (siphash.hpp), so their bits
// are the hash. Removing moves later elements forward: there are no tombstones, and a look-up ends at the first gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "flows/match/flow.hpp"

namespace viaduct::flows {

template <class Value>
class FlowIdMap {
 public:
  size_t size() const { return size_; }

  // Null when it is not there. Pointers are valid until the next change.
  Value* find(const FlowId& id) {
    if (size_ == 0) return nullptr;
    Slot& slot = slots_[place(id)];
    return slot.used ? &slot.value : nullptr;
  }
  const Value* find(const FlowId& id) const { return const_cast<FlowIdMap*>(this)->find(id); }

  // False when the id is there already; its value stays.
  bool insert(const FlowId& id, Value value) {
    if ((size_ + 1) * 4 > slots_.size() * 3) grow();
    Slot& slot = slots_[place(id)];
    if (slot.used) return false;
    slot = {id, std::move(value), true};
    ++size_;
    return true;
  }

  bool erase(const FlowId& id) {
    if (size_ == 0) return false;
    size_t gap = place(id);
    if (!slots_[gap].used) return false;
    for (size_t at = next(gap); slots_[at].used; at = next(at)) {
      // Stays when the gap lies before its home: a look-up from there would not pass the gap.
      if (distance(home(slots_[at].id), at) < distance(gap, at)) continue;
      slots_[gap] = std::move(slots_[at]);
      gap = at;
    }
    slots_[gap] = Slot{};
    --size_;
    return true;
  }

  // In no order; `visit(id, value)` must not change the map.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.used) visit(slot.id, slot.value);
    }
  }
  size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    FlowId id;
    Value value{};
    bool used = false;
  };

  size_t home(const FlowId& id) const { return id.low & (slots_.size() - 1); }
  size_t next(size_t at) const { return (at + 1) & (slots_.size() - 1); }
  size_t distance(size_t from, size_t to) const { return (to - from) & (slots_.size() - 1); }
  // Where the id is, or the gap where it belongs.
  size_t place(const FlowId& id) const {
    size_t at = home(id);
    while (slots_[at].used && slots_[at].id != id) at = next(at);
    return at;
  }
  void grow() {
    constexpr size_t kFirst = 16;
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? kFirst : slots_.size() * 2));
    for (Slot& slot : old) {
      if (slot.used) slots_[place(slot.id)] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, at most three quarters used
  size_t size_ = 0;
};

}  // namespace viaduct::flows
