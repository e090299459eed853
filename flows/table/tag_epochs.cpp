#include "flows/table/tag_epochs.hpp"

#include <algorithm>

namespace viaduct::flows {

TagEpochs::TagEpochs() : slots_(std::make_unique<std::atomic<uint64_t>[]>(kSlots)) {}

uint64_t TagEpochs::now() const { return epoch_.load(std::memory_order_seq_cst); }

void TagEpochs::bump(std::span<const Tag> tags) {
  if (tags.empty()) return;
  const uint64_t epoch = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (Tag tag : tags) {
    std::atomic<uint64_t>& slot = slots_[slot_of(tag)];
    uint64_t seen = slot.load(std::memory_order_relaxed);
    // Two changers may pass each other: the later epoch stays.
    while (seen < epoch && !slot.compare_exchange_weak(seen, epoch, std::memory_order_seq_cst)) {
    }
  }
}

bool TagEpochs::unchanged_since(std::span<const Tag> tags, uint64_t epoch) const {
  return std::ranges::all_of(tags,
                             [&](Tag tag) { return slots_[slot_of(tag)].load(std::memory_order_seq_cst) <= epoch; });
}

}  // namespace viaduct::flows
