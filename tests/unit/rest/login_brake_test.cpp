#include "api/rest/login_brake.hpp"

#include <gtest/gtest.h>

#include "tests/unit/rest/support.hpp"

namespace viaduct::api::rest {
namespace {

using std::chrono::seconds;

struct Brake : ::testing::Test {
  void fail(LoginBrake& brake, const std::string& user, const std::string& address, int times = 1) {
    for (int i = 0; i < times; ++i) brake.failed(user, address, clock.now());
  }
  testing::FakeClock clock;
};

TEST_F(Brake, PausesDoubleUpToTheLongest) {
  LoginBrake brake;
  fail(brake, "carol", "10.0.0.1", 2);
  EXPECT_FALSE(brake.pause("carol", "10.0.0.1", clock.now()));
  for (int expected : {1, 2, 4, 8, 16, 32, 60, 60}) {
    fail(brake, "carol", "10.0.0.1");
    ASSERT_EQ(brake.pause("carol", "10.0.0.1", clock.now()), seconds(expected));
    clock.advance(seconds(expected));
    ASSERT_FALSE(brake.pause("carol", "10.0.0.1", clock.now())) << expected;
  }
  clock.advance(seconds(901));
  fail(brake, "carol", "10.0.0.1");
  EXPECT_FALSE(brake.pause("carol", "10.0.0.1", clock.now())) << "all is forgotten";
}

TEST_F(Brake, NobodyElseHasToWait) {
  LoginBrake brake;
  fail(brake, "carol", "10.0.0.1", 9);
  EXPECT_TRUE(brake.pause("carol", "10.0.0.1", clock.now()));
  EXPECT_FALSE(brake.pause("carol", "10.0.0.2", clock.now()));
  EXPECT_FALSE(brake.pause("dave", "10.0.0.1", clock.now()));
}

TEST_F(Brake, ALoginThatWorksForgetsTheFailures) {
  LoginBrake brake;
  fail(brake, "carol", "10.0.0.1", 2);
  brake.succeeded("carol", "10.0.0.1");
  fail(brake, "carol", "10.0.0.1", 2);
  EXPECT_FALSE(brake.pause("carol", "10.0.0.1", clock.now()));
}

TEST_F(Brake, WhoTriesManyNamesWaitsToo) {
  LoginBrake brake;
  for (int i = 0; i < 99; ++i) fail(brake, "user" + std::to_string(i), "10.0.0.1");
  EXPECT_FALSE(brake.pause("another", "10.0.0.1", clock.now()));
  fail(brake, "user99", "10.0.0.1");
  EXPECT_EQ(brake.pause("another", "10.0.0.1", clock.now()), seconds(1));
  EXPECT_FALSE(brake.pause("another", "10.0.0.2", clock.now()));
}

TEST_F(Brake, RemembersABoundedNumber) {
  BrakeOptions options;
  options.most = 10;
  LoginBrake brake(options);
  fail(brake, "carol", "10.0.0.1", 3);
  EXPECT_TRUE(brake.pause("carol", "10.0.0.1", clock.now()));
  for (int i = 0; i < 10; ++i) fail(brake, "x", "10.1.0." + std::to_string(i));
  EXPECT_FALSE(brake.pause("carol", "10.0.0.1", clock.now()));
}

}  // namespace
}  // namespace viaduct::api::rest
