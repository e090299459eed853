// Requests that a user may make.
#include "api/rest/rate_limit.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace viaduct::api::rest {
namespace {

using std::chrono::milliseconds;

class RestRateLimit : public ::testing::Test {
 protected:
  RateLimits limits{{.per_second = 10, .burst = 3}};
  RateLimits::Time now = RateLimits::Time(std::chrono::hours(1));
  bool take(const std::string& who = "user") { return limits.take(who, now).allowed; }
};

TEST_F(RestRateLimit, ABurstPassesAndThenTheRate) {
  EXPECT_TRUE(take() && take() && take());
  EXPECT_FALSE(take());
  now += milliseconds(99);
  EXPECT_FALSE(take());
  now += milliseconds(1);
  EXPECT_TRUE(take());
  EXPECT_FALSE(take());
  now += std::chrono::hours(1);
  EXPECT_TRUE(take() && take() && take());
  EXPECT_FALSE(take());
}

TEST_F(RestRateLimit, SaysHowMuchIsLeft) {
  const auto first = limits.take("user", now);
  EXPECT_EQ(first.limit, 3U);
  EXPECT_EQ(first.remaining, 2U);
  EXPECT_EQ(first.reset_s, 1U);
  limits.take("user", now);
  EXPECT_EQ(limits.take("user", now).remaining, 0U);
  const auto refused = limits.take("user", now);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.reset_s, 1U);
}

TEST_F(RestRateLimit, EachHasABucket) {
  EXPECT_TRUE(take("a") && take("a") && take("a"));
  EXPECT_FALSE(take("a"));
  EXPECT_TRUE(take("b"));
}

TEST_F(RestRateLimit, SlowRatesWaitLonger) {
  RateLimits slow({.per_second = 1, .burst = 60});
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(slow.take("u", now).allowed);
  EXPECT_FALSE(slow.take("u", now).allowed);
  now += std::chrono::seconds(30);
  EXPECT_EQ(slow.take("u", now).remaining, 29U);
}

TEST(RestRateLimits, WhatIsRememberedIsBounded) {
  RateLimits limits({.per_second = 1, .burst = 1, .most = 2});
  const RateLimits::Time now{};
  for (const char* who : {"a", "b", "c"}) EXPECT_TRUE(limits.take(who, now).allowed);
  EXPECT_FALSE(limits.take("c", now).allowed);
  EXPECT_TRUE(limits.take("a", now).allowed);  // the oldest has been forgotten
}

TEST(RestRateLimits, NoneIsNone) {
  RateLimits limits({.per_second = 0});
  Response response;
  for (int i = 0; i < 1'000; ++i) {
    const auto grant = limits.take("a", {});
    ASSERT_TRUE(grant.allowed);
    say_limit(grant, response);
  }
  EXPECT_TRUE(response.headers.empty());
}

TEST(RestRateLimits, ManyThreadsGetNoMoreThanTheBurst) {
  RateLimits limits({.per_second = 1, .burst = 100});
  std::atomic<int> allowed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k) allowed += limits.take("a", {}).allowed ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(allowed, 100);
}

}  // namespace
}  // namespace viaduct::api::rest
