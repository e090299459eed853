// What goes back, what is over with time, and what operators are told.
#include <utility>

#include "actors/agent/nat_leaser.hpp"

namespace viaduct::actors {

using flows::NatBlock;
using flows::Time;

namespace {

// The feed says when a block that was given back is gone; should it not, it is asked for as any other.
constexpr std::chrono::seconds kReleaseTime{60};

}  // namespace

void NatLeaser::looked(const std::set<NatBlock>& in_use, Time now, NatLeaserActions& out) {
  for (auto& [key, address] : addresses_) {
    for (auto& [number, own] : address.own) {
      const NatBlock block = block_of(key, number);
      const bool used = in_use.contains(block);
      if (own.state == State::held && used) own.since = now;
      if (own.state != State::retiring) continue;
      own = {used ? State::held : State::releasing, false, now, false};
      (used ? out.use : out.release).push_back(block);
    }
    retire(key, address, now, out);
  }
}

// What is idle; but one stays, for the next connection.
void NatLeaser::retire(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  auto is_idle = [&](const Own& own) { return own.state == State::held && now - own.since >= options_.idle; };
  bool keep = std::none_of(address.own.begin(), address.own.end(),
                           [&](const auto& own) { return own.second.state == State::held && !is_idle(own.second); });
  for (auto& [block, own] : address.own) {
    if (!is_idle(own) || std::exchange(keep, false)) continue;
    own = {State::retiring, false, now, false};
    out.stop.push_back(block_of(key, block));
  }
}

void NatLeaser::forget(const std::function<bool(const Uuid&)>& is_there, Time now, NatLeaserActions& out) {
  for (auto& [key, address] : addresses_) {
    if (!address.own.empty() && !is_there(key.device)) give_back(key, address, now, out);
  }
}

void NatLeaser::check(const std::function<bool(const NatAddress&)>& is_named, Time now, NatLeaserActions& out) {
  for (auto& [key, address] : addresses_) {
    if (address.own.empty()) continue;
    const bool unnamed = !is_named(key);
    if (unnamed && address.unnamed) give_back(key, address, now, out);
    address.unnamed = unnamed;
  }
  std::erase_if(addresses_, [](const auto& entry) { return entry.second.empty(); });
}

void NatLeaser::give_back(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  for (auto& [number, own] : address.own) {
    if (own.state == State::releasing) continue;
    const NatBlock block = block_of(key, number);
    out.stop.push_back(block);
    out.end.push_back(block);
    out.release.push_back(block);
    own = {State::releasing, false, now, false};
  }
  address.want.reset();
}

// --- time --------------------------------------------------------------------------------------------

void NatLeaser::tick(Time now, NatLeaserActions& out) {
  for (auto& [key, address] : addresses_) due(key, address, now, out);
}

void NatLeaser::due(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  std::vector<uint16_t> free;
  auto expire = [&](auto& map, auto is_over) {
    std::erase_if(map, [&](const auto& entry) {
      const bool over = is_over(entry.second);
      if (over) free.push_back(entry.first);
      return over;
    });
  };
  expire(address.resting, [&](const Resting& rest) { return now >= rest.until; });
  expire(address.avoided, [&](Time until) { return now >= until; });
  expire(address.own, [&](const Own& own) { return own.state == State::releasing && now - own.since >= kReleaseTime; });
  if (claims_from_ == kNever) believe(key, address, now, out);
  for (uint16_t block : free) is_free(key, address, block, out);
  if (address.spent && now >= address.spent->until) is_free(key, address, address.spent->first, out);
  if (address.want && address.want->retry && now >= *address.want->retry) {
    address.want->retry.reset();
    begin(key, address, now, out);
  }
}

// Nobody is there to ask.
void NatLeaser::believe(const NatAddress& key, Address& address, Time now, NatLeaserActions& out) {
  for (auto& [block, own] : address.own) {
    const bool alone = own.state == State::claiming && own.had && own.alone;
    if (!alone || now - own.since < options_.patience) continue;
    own = {State::held, false, now, false};
    out.use.push_back(block_of(key, block));
    if (address.want) address.want->got |= in_range(block, address.want->first, address.want->last);
  }
  answered(key, address, now, out);
}

std::optional<Time> NatLeaser::next_retry() const {
  std::optional<Time> out;
  for (const auto& [key, address] : addresses_) {
    if (!address.want || !address.want->retry || *address.want->retry == kNever) continue;
    out = out ? std::min(*out, *address.want->retry) : *address.want->retry;
  }
  return out;
}

// --- for operators -----------------------------------------------------------------------------------

NatLeaser::Occupancy NatLeaser::occupancy(const NatAddress& key, uint16_t first, uint16_t last) const {
  Occupancy out;
  const auto found = addresses_.find(key);
  static const Address kUnknown;
  const Address& address = found == addresses_.end() ? kUnknown : found->second;
  for (const auto& [block, own] : address.own) out.held += in_range(block, first, last) ? 1 : 0;
  for (const auto& [block, owner] : address.others) {
    out.others += in_range(block, first, last) && !address.own.contains(block) ? 1 : 0;
  }
  for (const auto& [block, rest] : address.resting) {
    const bool counted = address.own.contains(block) || address.others.contains(block);
    out.resting += in_range(block, first, last) && !counted ? 1 : 0;
  }
  out.free = last - first + 1U - out.held - out.others - out.resting;
  return out;
}

std::vector<NatAddress> NatLeaser::addresses() const {
  std::vector<NatAddress> out;
  for (const auto& [key, address] : addresses_) out.push_back(key);
  return out;
}

size_t NatLeaser::held() const {
  size_t out = 0;
  for (const auto& [key, address] : addresses_) {
    for (const auto& [block, own] : address.own) out += own.state == State::held ? 1 : 0;
  }
  return out;
}

size_t NatLeaser::resting() const {
  size_t out = 0;
  for (const auto& [key, address] : addresses_) out += address.resting.size();
  return out;
}

std::vector<NatLeaserActions::Spent> NatLeaser::spent() const {
  std::vector<NatLeaserActions::Spent> out;
  for (const auto& [key, address] : addresses_) {
    if (address.spent) out.push_back({key, address.spent->first, address.spent->last, true});
  }
  return out;
}

bool NatLeaser::owns(const NatBlock& block) const {
  auto found = addresses_.find(address_of(block));
  return found != addresses_.end() && found->second.own.contains(block.block);
}

}  // namespace viaduct::actors
