#include "flows/state/nat_blocks.hpp"

#include <atomic>
#include <bit>

#include "flows/state/concurrent_table.hpp"

namespace viaduct::flows {

namespace {

// Not blocks: the range that is spent, the first block above the last.
constexpr uint32_t kSpentWord = kNatBlocks / 64;

// 64 blocks of an address.
struct WordKey {
  Uuid device;
  IpAddress::Bytes address;
  uint32_t family;
  uint32_t word;
};

WordKey key_of(const Uuid& device, const IpAddress& address, unsigned word) {
  return {device, address.storage(), static_cast<uint32_t>(address.family()), word};
}
uint64_t bit_of(const NatBlock& block) { return uint64_t{1} << block.block % 64; }

}  // namespace

struct NatBlocks::Impl {
  Impl(size_t addresses, uint64_t seed) : table(addresses * 2, seed) {}
  ConcurrentTable<WordKey, uint64_t> table;
  std::atomic<size_t> blocks{0};
};

NatBlocks::NatBlocks(size_t addresses, uint64_t seed) : impl_(std::make_shared<Impl>(addresses, seed)) {}

uint64_t NatBlocks::leased(const Uuid& device, const IpAddress& address, unsigned word) const {
  return impl_->table.find(key_of(device, address, word)).value_or(0);
}

bool NatBlocks::add(const NatBlock& block) {
  bool added = false;
  const auto outcome =
      impl_->table.modify(key_of(block.device, block.address, block.block / 64U), [&](std::optional<uint64_t>& word) {
        added = (word.value_or(0) & bit_of(block)) == 0;
        word = word.value_or(0) | bit_of(block);
        return TableChange::store;
      });
  if (outcome == TableOutcome::full) return false;
  if (added) impl_->blocks.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void NatBlocks::remove(const NatBlock& block) {
  bool removed = false;
  impl_->table.modify(key_of(block.device, block.address, block.block / 64U), [&](std::optional<uint64_t>& word) {
    removed = word && (*word & bit_of(block)) != 0;
    if (!removed) return TableChange::keep;
    *word &= ~bit_of(block);
    return *word == 0 ? TableChange::erase : TableChange::store;
  });
  if (removed) impl_->blocks.fetch_sub(1, std::memory_order_relaxed);
}

bool NatBlocks::spent(const Uuid& device, const IpAddress& address, uint16_t first, uint16_t last) const {
  const auto range = impl_->table.find(key_of(device, address, kSpentWord));
  return range && (*range >> 16) <= first && last <= (*range & 0xffff);
}

void NatBlocks::set_spent(const Uuid& device, const IpAddress& address, uint16_t first, uint16_t last) {
  impl_->table.modify(key_of(device, address, kSpentWord), [&](std::optional<uint64_t>& range) {
    range = uint64_t{first} << 16 | last;
    return TableChange::store;
  });
}

void NatBlocks::clear_spent(const Uuid& device, const IpAddress& address) {
  impl_->table.modify(key_of(device, address, kSpentWord), [](std::optional<uint64_t>&) { return TableChange::erase; });
}

void NatBlocks::for_each(const std::function<void(const NatBlock&)>& visit) const {
  impl_->table.for_each([&](const WordKey& key, uint64_t word) {
    const auto address = IpAddress::from_network(static_cast<IpFamily>(key.family), key.address.data());
    for (; key.word != kSpentWord && word != 0; word &= word - 1) {
      visit(
          {key.device, address, static_cast<uint16_t>(key.word * 64 + static_cast<unsigned>(std::countr_zero(word)))});
    }
  });
}

size_t NatBlocks::size() const { return impl_->blocks.load(std::memory_order_relaxed); }

}  // namespace viaduct::flows
