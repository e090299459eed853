#include "flows/state/concurrent_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace viaduct::flows {
namespace {

using Table = ConcurrentTable<uint64_t, uint64_t>;

TableOutcome put(Table& table, uint64_t key, uint64_t value) {
  return table.modify(key, [&](std::optional<uint64_t>& present) {
    present = value;
    return TableChange::store;
  });
}
TableOutcome erase(Table& table, uint64_t key) {
  return table.modify(key, [](std::optional<uint64_t>&) { return TableChange::erase; });
}

TEST(ConcurrentTable, OutcomesAreNamed) {
  Table table(100);
  EXPECT_EQ(erase(table, 1), TableOutcome::absent);
  EXPECT_EQ(put(table, 1, 10), TableOutcome::added);
  EXPECT_EQ(put(table, 1, 11), TableOutcome::stored);
  EXPECT_EQ(table.modify(1,
                         [](std::optional<uint64_t>& value) {
                           EXPECT_EQ(value, 11U);
                           return TableChange::keep;
                         }),
            TableOutcome::kept);
  EXPECT_EQ(table.find(1), 11U);
  EXPECT_EQ(erase(table, 1), TableOutcome::erased);
  EXPECT_EQ(table.find(1), std::nullopt);
  EXPECT_EQ(table.size(), 0U);
}

TEST(ConcurrentTable, HoldsItsCapacityAndRefusesMore) {
  constexpr size_t kCapacity = 20000;
  Table table(kCapacity, 7);
  for (uint64_t key = 0; key < kCapacity; ++key) ASSERT_EQ(put(table, key, key * 3), TableOutcome::added) << key;
  EXPECT_EQ(put(table, kCapacity, 1), TableOutcome::full);
  EXPECT_EQ(table.size(), kCapacity);
  for (uint64_t key = 0; key < kCapacity; ++key) ASSERT_EQ(table.find(key), key * 3);
  EXPECT_EQ(erase(table, 5), TableOutcome::erased);
  EXPECT_EQ(put(table, kCapacity, 1), TableOutcome::added);
}

// Tombstones would fill a table that is never more than half full but sees a hundred times its capacity go by.
TEST(ConcurrentTable, ChurnLeavesNothingBehind) {
  Table table(256);
  for (uint64_t key = 0; key < 25600; ++key) {
    ASSERT_EQ(put(table, key, key), TableOutcome::added);
    if (key >= 128) {
      ASSERT_EQ(erase(table, key - 128), TableOutcome::erased);
    }
  }
  EXPECT_EQ(table.size(), 128U);
}

TEST(ConcurrentTable, AgreesWithAMap) {
  std::mt19937_64 random(3);
  Table table(500, 11);
  std::map<uint64_t, uint64_t> model;
  for (int step = 0; step < 30000; ++step) {
    const uint64_t key = random() % 600;
    if (random() % 3 != 0) {
      if (put(table, key, static_cast<uint64_t>(step)) != TableOutcome::full) model[key] = static_cast<uint64_t>(step);
    } else {
      EXPECT_EQ(erase(table, key) == TableOutcome::erased, model.erase(key) == 1);
    }
    const uint64_t asked = random() % 600;
    const auto expected = model.find(asked);
    ASSERT_EQ(table.find(asked), expected == model.end() ? std::nullopt : std::optional(expected->second));
  }
  std::map<uint64_t, uint64_t> visited;
  table.for_each([&](uint64_t key, uint64_t value) { EXPECT_TRUE(visited.emplace(key, value).second); });
  EXPECT_EQ(visited, model);
  EXPECT_EQ(table.size(), model.size());
}

TEST(ConcurrentTable, VisitorMayErase) {
  Table table(100);
  for (uint64_t key = 0; key < 100; ++key) put(table, key, key);
  table.for_each([&](uint64_t key, uint64_t) {
    if (key % 2 == 0) erase(table, key);
  });
  EXPECT_EQ(table.size(), 50U);
}

}  // namespace
}  // namespace viaduct::flows
