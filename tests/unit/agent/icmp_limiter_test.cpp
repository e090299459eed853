#include "actors/agent/icmp_limiter.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
const flows::Time kStart = flows::Time{} + 1h;

Uuid router(uint64_t number) { return Uuid::from_words(1, number); }

int allowed(IcmpLimiter& limiter, const Uuid& id, flows::Time now, int wanted) {
  int count = 0;
  for (int i = 0; i < wanted; ++i) count += limiter.allow(id, now) ? 1 : 0;
  return count;
}

TEST(IcmpLimiter, GivesABurstAndThenARate) {
  IcmpLimiter limiter({.per_second = 10, .burst = 5});
  EXPECT_EQ(allowed(limiter, router(1), kStart, 20), 5);
  EXPECT_EQ(limiter.refused(), 15U);
  EXPECT_EQ(allowed(limiter, router(1), kStart + 99ms, 20), 0);
  EXPECT_EQ(allowed(limiter, router(1), kStart + 100ms, 20), 1);
  EXPECT_EQ(allowed(limiter, router(1), kStart + 400ms, 20), 3);
  EXPECT_EQ(allowed(limiter, router(1), kStart + 1h, 20), 5);  // never more than a burst is saved
}

TEST(IcmpLimiter, RoutersDoNotShare) {
  IcmpLimiter limiter({.per_second = 10, .burst = 5});
  EXPECT_EQ(allowed(limiter, router(1), kStart, 20), 5);
  EXPECT_EQ(allowed(limiter, router(2), kStart, 20), 5);
  limiter.forget(router(1));
  EXPECT_EQ(allowed(limiter, router(1), kStart, 20), 5);
}

TEST(IcmpLimiter, RoutersBeyondTheLimitShareOneBucket) {
  IcmpLimiter limiter({.per_second = 10, .burst = 5, .max_devices = 2});
  for (uint64_t i = 0; i < 2; ++i) EXPECT_EQ(allowed(limiter, router(i), kStart, 9), 5);
  EXPECT_EQ(allowed(limiter, router(7), kStart, 3), 3);
  EXPECT_EQ(allowed(limiter, router(8), kStart, 9), 2);
}

TEST(IcmpLimiter, WorkersTogetherGetNoMore) {
  IcmpLimiter limiter({.per_second = 1, .burst = 100});
  std::atomic<int> total{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] { total += allowed(limiter, router(1), kStart, 1000); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total, 100);
}

}  // namespace
}  // namespace viaduct::actors
