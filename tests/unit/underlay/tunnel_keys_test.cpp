#include "routing/underlay/tunnel_keys.hpp"

#include <gmock/gmock.h>

#include <array>
#include <map>
#include <random>
#include <set>

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using Time = TunnelKeys::Time;

KeyOwner port(uint64_t n) { return PortId(Uuid::from_words(1, n)); }
KeyOwner bridge(uint64_t n) { return BridgeId(Uuid::from_words(1, n)); }
RandomSource seeded(uint32_t seed) {
  return [engine = std::mt19937(seed)]() mutable { return engine(); };
}
uint32_t key(const std::variant<uint32_t, KeyError>& got) { return std::get<uint32_t>(got); }

TEST(TunnelKeys, AnOwnerKeepsItsKey) {
  TunnelKeys keys(seeded(1));
  const Time now{};
  const uint32_t first = key(keys.allocate(port(1), now));
  EXPECT_EQ(key(keys.allocate(port(1), now)), first);
  EXPECT_NE(key(keys.allocate(bridge(1), now)), first) << "a bridge with the same bits is another owner";
  EXPECT_EQ(keys.key_of(port(1)), first);
  EXPECT_EQ(keys.key_of(port(2)), std::nullopt);
  EXPECT_EQ(keys.keys().at(first), port(1));
  EXPECT_FALSE(keys.release(port(2), now));
}

TEST(TunnelKeys, TheSameChanceGivesTheSameKeys) {
  TunnelKeys one(seeded(7)), same(seeded(7)), other(seeded(8));
  EXPECT_EQ(key(one.allocate(port(1), {})), key(same.allocate(port(1), {})));
  EXPECT_NE(key(one.allocate(port(2), {})), key(other.allocate(port(2), {})));
}

TEST(TunnelKeys, AReleasedKeyRests) {
  TunnelKeys keys(seeded(1), {.quarantine = 60s, .highest = 1});
  Time now{};
  ASSERT_EQ(key(keys.allocate(port(1), now)), 1u);
  EXPECT_TRUE(keys.release(port(1), now));
  EXPECT_THAT(keys.keys(), IsEmpty());
  EXPECT_EQ(std::get<KeyError>(keys.allocate(port(2), now + 59s)), KeyError::exhausted);
  EXPECT_EQ(std::get<KeyError>(keys.allocate(port(1), now + 59s)), KeyError::exhausted) << "nor to the same owner";
  EXPECT_EQ(key(keys.allocate(port(2), now + 60s)), 1u);
  EXPECT_EQ(keys.resting(), 0u);
}

TEST(TunnelKeys, EveryKeyIsGivenBeforeThereAreNone) {
  TunnelKeys keys(seeded(3), {.highest = 300});
  for (uint64_t n = 0; n < 300; ++n) ASSERT_LE(key(keys.allocate(port(n), {})), 300u);
  EXPECT_EQ(keys.keys().size(), 300u);
  EXPECT_EQ(std::get<KeyError>(keys.allocate(port(300), {})), KeyError::exhausted);
  EXPECT_EQ(keys.keys().begin()->first, 1u);
}

TEST(TunnelKeys, KeysOfAnEarlierLife) {
  TunnelKeys keys(seeded(1));
  const std::map<uint32_t, KeyOwner> earlier{{0, port(1)},
                                             {5, port(2)},
                                             {9, bridge(3)},
                                             {12, port(2)},
                                             {kMaxTunnelKey, port(4)},
                                             {kMaxTunnelKey + 1, port(5)},
                                             {kProbeKey, port(6)}};
  const auto refused = keys.restore(earlier);
  const std::vector<std::pair<uint32_t, KeyOwner>> expected{
      {0, port(1)}, {12, port(2)}, {kMaxTunnelKey + 1, port(5)}, {kProbeKey, port(6)}};
  EXPECT_EQ(refused, expected);
  EXPECT_EQ(key(keys.allocate(port(2), {})), 5u);
  EXPECT_EQ(key(keys.allocate(bridge(3), {})), 9u);
  EXPECT_EQ(key(keys.allocate(port(4), {})), kMaxTunnelKey);
}

// Against a model that remembers who had each key until when.
TEST(TunnelKeys, NoKeyHasTwoOwnersNorComesBackTooEarly) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 chance(seed);
    const TunnelKeyOptions options{.quarantine = 30s, .highest = seed % 2 == 0 ? kMaxTunnelKey : 64};
    TunnelKeys keys(seeded(seed), options);
    std::map<KeyOwner, uint32_t> owned;
    std::map<uint32_t, Time> free_from;
    Time now{};
    for (int step = 0; step < 5'000; ++step) {
      now += std::chrono::milliseconds(chance() % 1'000);
      const KeyOwner owner = chance() % 2 == 0 ? port(chance() % 60) : bridge(chance() % 20);
      if (chance() % 3 == 0) {
        ASSERT_EQ(keys.release(owner, now), owned.contains(owner));
        if (auto had = owned.extract(owner)) free_from[had.mapped()] = now + options.quarantine;
        continue;
      }
      const auto got = keys.allocate(owner, now);
      std::erase_if(free_from, [&](const auto& entry) { return entry.second <= now; });
      if (std::holds_alternative<KeyError>(got)) {
        ASSERT_EQ(owned.size() + free_from.size(), options.highest) << "seed " << seed << " step " << step;
        continue;
      }
      ASSERT_GE(key(got), 1u);
      ASSERT_LE(key(got), options.highest);
      ASSERT_FALSE(free_from.contains(key(got))) << "seed " << seed << " step " << step;
      const auto [at, fresh] = owned.emplace(owner, key(got));
      ASSERT_EQ(at->second, key(got));
    }
    std::set<uint32_t> distinct;
    for (const auto& [owner, one] : owned) distinct.insert(one);
    EXPECT_EQ(distinct.size(), owned.size());
  }
}

TEST(TunnelKeys, KeysAreSpreadOverTheRange) {
  TunnelKeys keys(seeded(11));
  std::array<int, 15> sixteenths{};
  for (uint64_t n = 0; n < 15'000; ++n) ++sixteenths[key(keys.allocate(port(n), {})) >> 20];
  for (int count : sixteenths) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1'150);
  }
}

TEST(KernelRandom, GivesDifferentNumbers) {
  const RandomSource random = kernel_random();
  std::set<uint32_t> drawn;
  for (int i = 0; i < 64; ++i) drawn.insert(random());
  EXPECT_GT(drawn.size(), 60u);
  for (int i = 0; i < 1'000; ++i) ASSERT_LT(random_below(random, 3), 3u);
  EXPECT_EQ(random_below(random, 1), 0u);
}

}  // namespace
}  // namespace viaduct::routing::underlay
