// Threads against each other. Values carry a seal over the key and their own words, so that a torn one or one of
// another key shows; ThreadSanitizer judges the rest.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "flows/state/concurrent_table.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::flows {
namespace {

struct Sealed {
  uint64_t a = 0, b = 0, c = 0, seal = 0;
  static Sealed of(uint64_t key, uint64_t number) {
    return {number, ~number, number * 31, key * 0x9e37'79b9'7f4a'7c15ULL + number};
  }
  bool intact(uint64_t key) const { return b == ~a && c == a * 31 && seal == key * 0x9e37'79b9'7f4a'7c15ULL + a; }
};

TEST(ConcurrentTableTorture, ReadersNeverSeeTornOrForeignValues) {
  constexpr uint64_t kKeys = 48;  // few, so that slots change owner all the time
  ConcurrentTable<uint64_t, Sealed> table(40);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> broken{0}, hits{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937_64 random(static_cast<uint64_t>(100 + reader));
      while (!stop.load(std::memory_order_relaxed)) {
        const uint64_t key = random() % kKeys;
        if (auto value = table.find(key)) {
          hits.fetch_add(1, std::memory_order_relaxed);
          if (!value->intact(key)) broken.fetch_add(1);
        }
        if (random() % 64 == 0) {
          table.for_each([&](uint64_t k, const Sealed& value) {
            if (!value.intact(k)) broken.fetch_add(1);
          });
        }
      }
    });
  }
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      std::mt19937_64 random(static_cast<uint64_t>(writer));
      for (uint64_t i = 0; i < 30000; ++i) {
        const uint64_t key = random() % kKeys;
        table.modify(key, [&](std::optional<Sealed>& value) {
          if (random() % 3 == 0) return TableChange::erase;
          value = Sealed::of(key, i);
          return TableChange::store;
        });
      }
    });
  }
  for (auto& thread : writers) thread.join();
  stop = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(broken, 0U);
  size_t left = 0;
  table.for_each([&](uint64_t, const Sealed&) { ++left; });
  EXPECT_EQ(left, table.size());
}

TEST(ConcurrentTableTorture, NoUpdateOfAKeyIsLostAndNoKeyIsThereTwice) {
  constexpr uint64_t kKeys = 16, kRounds = 20000;
  ConcurrentTable<uint64_t, uint64_t> table(64);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (uint64_t round = 0; round < kRounds; ++round) {
        table.modify(round % kKeys, [](std::optional<uint64_t>& value) {
          value = value.value_or(0) + 1;
          return TableChange::store;
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(table.size(), kKeys);
  for (uint64_t key = 0; key < kKeys; ++key) EXPECT_EQ(table.find(key), 3 * kRounds / kKeys);
}

// A worker sees a frame (touch or learn) while the ageing actor erases what is too old: what was seen after the deadline
// is never erased.
TEST(MacTableTorture, AgeingNeverErasesWhatWasJustSeen) {
  MacTable table(64, 64);
  const MacKey key{BridgeId(Uuid::from_words(1, 1)), 0, MacAddress::from_uint64(2)};
  const PortId port(Uuid::from_words(2, 2));
  const Time start{};
  std::atomic<int64_t> seen_second{0};
  std::atomic<bool> stop{false};
  std::thread ageing([&] {
    while (!stop.load()) {
      // Everything up to one second before what has been seen for sure may go: the entry never may.
      const int64_t seen = seen_second.load(std::memory_order_acquire);
      table.erase_if_older(key, start + std::chrono::seconds(seen));
    }
  });
  int lost = 0;
  table.learn(key, port, start);
  for (int64_t second = 1; second < 20000; ++second) {
    table.touch(key, start + std::chrono::seconds(second));
    seen_second.store(second, std::memory_order_release);
    const auto entry = table.find(key);
    if (!entry || entry->last_seen != start + std::chrono::seconds(second)) ++lost;
  }
  stop = true;
  ageing.join();
  EXPECT_EQ(lost, 0);
  EXPECT_TRUE(table.erase_if_older(key, start + std::chrono::seconds(30000)));
}

TEST(NeighbourTableTorture, QuotaIsExactUnderRaces) {
  constexpr size_t kQuota = 32;
  NeighbourTable table(1024, kQuota);
  const Uuid device = Uuid::from_words(9, 9);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937_64 random(static_cast<uint64_t>(i));
      for (int round = 0; round < 10000; ++round) {
        const NeighbourKey key{device, {}, IpAddress::v4(static_cast<uint32_t>(random() % 64))};
        if (random() % 2 == 0) {
          table.learn(key, MacAddress::from_uint64(1), Time{});
        } else {
          table.erase(key);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(table.size(), kQuota);
  for (uint32_t i = 0; i < 64; ++i) table.erase({device, {}, IpAddress::v4(i)});
  EXPECT_EQ(table.size(), 0U);
  for (uint32_t i = 0; i < kQuota; ++i) {  // the whole share is there again
    EXPECT_EQ(table.learn({device, {}, IpAddress::v4(i)}, MacAddress::from_uint64(1), Time{}), LearnResult::added);
  }
  EXPECT_EQ(table.learn({device, {}, IpAddress::v4(99)}, MacAddress::from_uint64(1), Time{}), LearnResult::refused);
}

}  // namespace
}  // namespace viaduct::flows
