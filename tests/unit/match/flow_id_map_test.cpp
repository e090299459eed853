#include "flows/match/flow_id_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "flows/match/chunked_vector.hpp"

namespace viaduct::flows {
namespace {

TEST(FlowIdMap, FindsWhatWasInserted) {
  FlowIdMap<uint32_t> map;
  EXPECT_EQ(map.find({1, 2}), nullptr);
  EXPECT_FALSE(map.erase({1, 2}));
  EXPECT_TRUE(map.insert({1, 2}, 7));
  EXPECT_FALSE(map.insert({1, 2}, 8)) << "the value stays";
  ASSERT_NE(map.find({1, 2}), nullptr);
  EXPECT_EQ(*map.find({1, 2}), 7U);
  EXPECT_EQ(map.find({2, 2}), nullptr) << "the same place, another id";
  EXPECT_TRUE(map.insert({0, 0}, 9)) << "no id is special";
  EXPECT_EQ(*map.find({0, 0}), 9U);
  EXPECT_EQ(map.size(), 2U);
}

// `spread` is the number of places that ids ask for: few make long runs that wrap around the end.
void walk(uint64_t spread, uint64_t seed) {
  std::mt19937_64 random(seed);
  FlowIdMap<uint32_t> map;
  std::map<FlowId, uint32_t> model;
  for (uint32_t step = 0; step < 4'000; ++step) {
    const FlowId id{random() % 8, random() % spread};
    const size_t wanted = step < 2'000 ? 3 : 1;  // more comes than goes, then the reverse
    if (random() % 4 < wanted) {
      ASSERT_EQ(map.insert(id, step), model.emplace(id, step).second);
    } else {
      ASSERT_EQ(map.erase(id), model.erase(id) == 1);
    }
    ASSERT_EQ(map.size(), model.size());
    const FlowId other{random() % 8, random() % spread};
    const auto known = model.find(other);
    const uint32_t* found = map.find(other);
    ASSERT_EQ(found != nullptr, known != model.end());
    if (found != nullptr) {
      ASSERT_EQ(*found, known->second);
    }
  }
  std::map<FlowId, uint32_t> all;
  map.for_each([&](const FlowId& id, uint32_t value) { all.emplace(id, value); });
  EXPECT_EQ(all, model);
}

TEST(FlowIdMap, IsAMap) {
  for (uint64_t spread : {2, 15, 64, 1'000}) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      walk(spread, seed);
      ASSERT_FALSE(::testing::Test::HasFailure()) << "spread " << spread << ", seed " << seed;
    }
  }
}

TEST(FlowIdMap, LongRunsWrapAroundTheEnd) {
  FlowIdMap<uint32_t> map;
  for (uint32_t i = 0; i < 8; ++i) ASSERT_TRUE(map.insert({i, 15}, i));
  ASSERT_TRUE(map.erase({0, 15}));
  for (uint32_t i = 1; i < 8; ++i) {
    ASSERT_NE(map.find({i, 15}), nullptr) << i;
    EXPECT_EQ(*map.find({i, 15}), i);
  }
}

TEST(ChunkedVector, ElementsStayWhereTheyAre) {
  ChunkedVector<uint64_t> vector;
  ASSERT_EQ(vector.append(), 0U);
  uint64_t* first = &vector[0];
  *first = 7;
  for (uint64_t i = 1; i < 100'000; ++i) vector[vector.append()] = i;
  EXPECT_EQ(&vector[0], first);
  EXPECT_EQ(vector[0], 7U);
  EXPECT_EQ(vector[99'999], 99'999U);
  vector.grow_to(10);
  EXPECT_EQ(vector.size(), 100'000U) << "never smaller";
  EXPECT_LT(vector.capacity(), 110'000U);
}

}  // namespace
}  // namespace viaduct::flows
