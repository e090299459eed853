#include "actors/agent/spsc_ring.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace viaduct::actors {
namespace {

TEST(SpscRing, IsBoundedAndInOrder) {
  SpscRing<int> ring(4);
  EXPECT_EQ(ring.capacity(), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.try_push(i));
  EXPECT_FALSE(ring.try_push(4));
  EXPECT_EQ(ring.size(), 4U);
  int out = -1;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ring.try_pop(out));
    EXPECT_EQ(out, i);
  }
  EXPECT_FALSE(ring.try_pop(out));
}

TEST(SpscRing, ARefusedItemIsUntouched) {
  SpscRing<std::string> ring(2);
  ring.try_push(std::string("a"));
  ring.try_push(std::string("b"));
  std::string item = "long enough to live on the heap, and still here";
  EXPECT_FALSE(ring.try_push(std::move(item)));
  EXPECT_EQ(item, "long enough to live on the heap, and still here");
}

TEST(SpscRing, BatchesTakeWhatFits) {
  SpscRing<int> ring(8);
  std::vector<int> items = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(ring.try_push(std::span<int>(items)), 6U);
  EXPECT_EQ(ring.try_push(std::span<int>(items)), 2U);
  std::vector<int> out(5);
  EXPECT_EQ(ring.try_pop(std::span<int>(out)), 5U);
  EXPECT_EQ(out, (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(ring.try_pop(std::span<int>(out)), 3U);
  EXPECT_EQ(out[2], 2);
}

TEST(SpscRing, CarriesMoveOnlyItems) {
  SpscRing<std::unique_ptr<int>> ring(2);
  EXPECT_TRUE(ring.try_push(std::make_unique<int>(7)));
  std::unique_ptr<int> out;
  ASSERT_TRUE(ring.try_pop(out));
  EXPECT_EQ(*out, 7);
}

TEST(SpscRing, TwoThreadsLoseAndReorderNothing) {
  constexpr uint64_t kItems = 50'000;
  SpscRing<std::vector<uint64_t>> ring(64);
  std::thread producer([&] {
    for (uint64_t i = 0; i < kItems;) {
      std::vector<uint64_t> item = {i, i * 3};
      if (ring.try_push(std::move(item))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::vector<std::vector<uint64_t>> batch(16);
  uint64_t expected = 0, wrong = 0;
  while (expected < kItems) {
    const size_t count = ring.try_pop(std::span<std::vector<uint64_t>>(batch));
    for (size_t i = 0; i < count; ++i, ++expected) {
      if (batch[i] != std::vector<uint64_t>{expected, expected * 3}) ++wrong;
    }
    if (count == 0) std::this_thread::yield();
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(ring.size(), 0U);
}

}  // namespace
}  // namespace viaduct::actors
