#include "flows/simulation/maglev.hpp"

#include <algorithm>
#include <array>

namespace viaduct::flows::simulation {

namespace {

// At least a hundred slots a member keep shares within about a percent of what weights say (section 5.3 there).
constexpr std::array<uint32_t, 6> kPrimes{1'021, 8'191, 65'537, 131'071, 524'287, 2'097'143};
constexpr size_t kSlotsForMember = 100;

uint32_t size_for(size_t members) {
  for (uint32_t prime : kPrimes) {
    if (prime >= members * kSlotsForMember) return prime;
  }
  return kPrimes.back();
}

uint64_t mix(uint64_t value) {
  value = (value ^ value >> 33) * 0xff51'afd7'ed55'8ccdULL;
  value = (value ^ value >> 33) * 0xc4ce'b9fe'1a85'ec53ULL;
  return value ^ value >> 33;
}

// A member's way through the slots: its permutation, and how much of its weight it has used.
struct Turn {
  uint32_t index;
  uint32_t weight;
  uint64_t name;
  uint32_t next, step;
  uint64_t used = 0;
};

}  // namespace

MaglevTable::MaglevTable(const std::vector<Member>& members) {
  std::vector<Turn> turns;
  uint32_t heaviest = 0;
  const uint32_t size = size_for(members.size());
  for (uint32_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    if (member.weight == 0) continue;
    const uint64_t first = mix(member.name), second = mix(member.name ^ 0x9e37'79b9'7f4a'7c15ULL);
    turns.push_back({i, member.weight, member.name, static_cast<uint32_t>(first % size),
                     static_cast<uint32_t>(second % (size - 1) + 1)});
    heaviest = std::max(heaviest, member.weight);
  }
  if (turns.empty()) return;
  std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.name < b.name; });
  slots_.assign(size, kNone);
  for (uint32_t filled = 0; filled < size;) {
    for (Turn& turn : turns) {
      // The heaviest takes a slot in every round, the others in their share of the rounds.
      turn.used += turn.weight;
      if (turn.used < heaviest) continue;
      turn.used -= heaviest;
      while (slots_[turn.next] != kNone) turn.next = (turn.next + turn.step) % size;
      slots_[turn.next] = turn.index;
      if (++filled == size) break;
    }
  }
}

}  // namespace viaduct::flows::simulation
