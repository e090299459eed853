#include "actors/agent/nat_leaser.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::actors {

using flows::NatBlock;
using flows::Time;
using flows::simulation::NatBlockWanted;

NatLeaser::NatLeaser(HostId self, uint64_t seed, const NatLeaserOptions& options)
    : self_(self), options_(options), random_(seed) {}

NatLeaser::Address* NatLeaser::track(const NatAddress& key) {
  auto at = addresses_.find(key);
  if (at != addresses_.end()) return &at->second;
  if (addresses_.size() >= options_.addresses) {
    ++counts_.refused;
    return nullptr;
  }
  return &addresses_[key];
}

void NatLeaser::joined(Time now) {
  claims_from_ = now + options_.settle;
  for (auto& [key, address] : addresses_) {
    if (address.want && address.want->retry == kNever) address.want->retry = claims_from_;
  }
}

void NatLeaser::cut(NatLeaserActions& out) {
  claims_from_ = kNever;
  for (auto& [key, address] : addresses_) {
    std::erase_if(address.own, [&, &name = key](const auto& own) {
      const bool asked_only = own.second.state == State::claiming && !own.second.had;
      if (asked_only) out.release.push_back(block_of(name, own.first));
      return asked_only;
    });
    for (auto& [block, own] : address.own) own.alone = false;  // what was asked may be about old news
    if (address.want) address.want->retry = kNever;
  }
}

// --- claiming --------------------------------------------------------------------------------------

void NatLeaser::wanted(const NatBlockWanted& want, bool waiting, Time now, NatLeaserActions& out) {
  ++counts_.wanted;
  if (want.first > want.last || want.last >= flows::kNatBlocks) return;
  const NatAddress key{want.device, want.address};
  Address* address = track(key);
  if (address == nullptr) return;
  if (address->want) {  // what comes of that is tried before more is claimed
    address->want->waiting |= waiting;
    return;
  }
  if (address->spent && address->spent->covers(want.first) && address->spent->covers(want.last)) {
    if (waiting) out.ready.push_back(key);
    return;
  }
  address->want = Want{want.first, want.last, waiting, false, 0, {}};
  begin(key, *address, now, out);
}

std::vector<uint16_t> NatLeaser::free_blocks(const Address& address, const Want& want) const {
  std::vector<uint16_t> out;
  for (unsigned i = want.first; i <= want.last; ++i) {
    const auto block = static_cast<uint16_t>(i);
    const bool known = address.own.contains(block) || address.others.contains(block) ||
                       address.resting.contains(block) || address.avoided.contains(block);
    if (!known) out.push_back(block);
  }
  return out;
}

void NatLeaser::begin(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  const Want& want = *address.want;
  if (take_back(key, address, now, out)) {
    if (want.waiting) out.ready.push_back(key);
    return address.want.reset();
  }
  const bool asked = std::any_of(address.own.begin(), address.own.end(), [&](const auto& own) {
    return own.second.state == State::claiming && in_range(own.first, want.first, want.last);
  });
  if (asked) return;  // an earlier life's
  if (now < claims_from_) {
    address.want->retry = claims_from_;
    return;
  }
  std::vector<uint16_t> blocks = free_blocks(address, want);
  if (blocks.empty()) return give_up(key, address, now, out);
  const auto held = std::count_if(address.own.begin(), address.own.end(),
                                  [&](const auto& own) { return in_range(own.first, want.first, want.last); });
  size_t count = std::clamp<size_t>(static_cast<size_t>(held) / 4, 1, options_.batch);
  for (; count > 0 && !blocks.empty(); --count) {
    const size_t pick = std::uniform_int_distribution<size_t>(0, blocks.size() - 1)(random_);
    claim(key, address, blocks[pick], false, now, out);
    blocks.erase(blocks.begin() + static_cast<ptrdiff_t>(pick));
  }
}

void NatLeaser::claim(const NatAddress& key, Address& address, uint16_t block, bool had, Time now,
                      NatLeaserActions& out) {
  address.own[block] = {State::claiming, had, now, claims_from_ == kNever};
  out.claim.push_back(block_of(key, block));
  ++counts_.claimed;
}

// Blocks that were about to go back.
bool NatLeaser::take_back(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  bool any = false;
  for (auto& [block, own] : address.own) {
    if (own.state != State::retiring || !in_range(block, address.want->first, address.want->last)) continue;
    own = {State::held, false, now, false};
    out.use.push_back(block_of(key, block));
    any = true;
  }
  return any;
}

void NatLeaser::give_up(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  const Want want = *std::exchange(address.want, std::nullopt);
  if (!want.waiting) return;
  ++counts_.exhausted;
  address.spent = Spent{want.first, want.last, now + options_.spent_for};
  out.spent.push_back({key, want.first, want.last, true});
  out.ready.push_back(key);
}

void NatLeaser::won(const NatBlock& block, Time now, NatLeaserActions& out) {
  const NatAddress key = address_of(block);
  auto found = addresses_.find(key);
  if (found == addresses_.end()) return;
  Address& address = found->second;
  auto own = address.own.find(block.block);
  if (own == address.own.end() || own->second.state != State::claiming) return;
  own->second = {State::held, false, now, false};
  know(address, block.block);
  address.others.erase(block.block);
  out.use.push_back(block);
  if (address.spent) is_free(key, address, block.block, out);
  if (address.want) address.want->got |= in_range(block.block, address.want->first, address.want->last);
  answered(key, address, now, out);
}

void NatLeaser::lost(const NatBlock& block, Time now, NatLeaserActions& out) {
  const NatAddress key = address_of(block);
  auto found = addresses_.find(key);
  if (found == addresses_.end()) return;
  Address& address = found->second;
  auto own = address.own.find(block.block);
  if (own == address.own.end()) return;
  const Own was = own->second;
  address.own.erase(own);
  if (was.state == State::releasing) return;
  if (was.state != State::claiming || was.had) {
    ++counts_.revoked;
    out.stop.push_back(block);
    out.yield.push_back(block);
  } else {
    ++counts_.lost;
  }
  const bool known = address.others.contains(block.block) || address.resting.contains(block.block);
  if (!known) address.avoided[block.block] = now + options_.avoid_for;
  answered(key, address, now, out);
}

// One of the claims that a want has made, perhaps the last.
void NatLeaser::answered(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  if (!address.want || address.want->retry) return;
  const bool more = std::any_of(address.own.begin(), address.own.end(),
                                [](const auto& own) { return own.second.state == State::claiming; });
  if (more) return;
  Want& want = *address.want;
  if (want.got) {
    if (want.waiting) out.ready.push_back(key);
    return address.want.reset();
  }
  if (++want.lost_rounds >= options_.rounds) return give_up(key, address, now, out);
  const auto pause = options_.retry * (1 << (want.lost_rounds - 1));
  want.retry = now + std::chrono::milliseconds(
                         std::uniform_int_distribution<int64_t>(pause.count() / 2, pause.count())(random_));
}

// --- what others do ----------------------------------------------------------------------------------

// It is somebody's: what was assumed of it is over.
void NatLeaser::know(Address& address, uint16_t block) const {
  address.resting.erase(block);
  address.avoided.erase(block);
}

void NatLeaser::owned(const NatBlock& block, HostId owner, Time now, NatLeaserActions& out) {
  const NatAddress key = address_of(block);
  Address* address = block.block < flows::kNatBlocks ? track(key) : nullptr;
  if (address == nullptr) return;
  know(*address, block.block);
  auto own = address->own.find(block.block);
  if (owner == self_) {
    address->others.erase(block.block);
    if (own != address->own.end()) return;
    return claim(key, *address, block.block, true, now, out);
  }
  address->others[block.block] = owner;
  if (own == address->own.end() || own->second.state == State::claiming) return;  // the answer says whose it is
  const State was = own->second.state;
  address->own.erase(own);
  if (was == State::releasing) return;
  out.stop.push_back(block);
  if (was == State::held) {  // news may be old, the cluster's answer is not
    claim(key, *address, block.block, true, now, out);
  } else {
    out.release.push_back(block);
  }
}

void NatLeaser::freed(const NatBlock& block, HostId owner, bool dead, Time now, NatLeaserActions& out) {
  const NatAddress key = address_of(block);
  Address* address = track(key);
  if (address == nullptr) return;
  if (owner == self_) {
    auto own = address->own.find(block.block);
    if (own == address->own.end()) return;
    if (own->second.state == State::releasing) {
      address->own.erase(own);
      return is_free(key, *address, block.block, out);
    }
    out.claim.push_back(block);  // the lease has ended
    return;
  }
  address->others.erase(block.block);
  if (dead) {
    address->resting[block.block] = {owner, now + options_.quarantine};
  } else {
    is_free(key, *address, block.block, out);
  }
}

void NatLeaser::is_free(const NatAddress& key, Address& address, uint16_t block, NatLeaserActions& out) {
  if (!address.spent || !address.spent->covers(block)) return;
  out.spent.push_back({key, address.spent->first, address.spent->last, false});
  address.spent.reset();
}

void NatLeaser::adopt(HostId dead, const std::function<bool(const NatBlock&)>& has_copies, Time now,
                      NatLeaserActions& out) {
  for (auto& [key, address] : addresses_) {
    for (const auto& [block, rest] : address.resting) {
      if (rest.dead != dead || address.own.contains(block) || !has_copies(block_of(key, block))) continue;
      claim(key, address, block, false, now, out);
      ++counts_.adopted;
    }
  }
}

}  // namespace viaduct::actors
