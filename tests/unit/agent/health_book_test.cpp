#include "actors/agent/health_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using flows::simulation::Locations;
using flows::simulation::Moved;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using topology::CheckResult;
using topology::HealthReport;

const PoolId kWatched = id<PoolId>(31);
PoolMemberId member(uint64_t n) { return id<PoolMemberId>(n); }

HealthReport down(std::vector<uint64_t> members) {
  HealthReport out{kWatched};
  for (const uint64_t n : {41U, 42U}) {
    const bool up = std::find(members.begin(), members.end(), n) == members.end();
    out.members.push_back({member(n), up, up ? CheckResult::healthy : CheckResult::refused, 0, 7});
  }
  return out;
}

class HealthBookTest : public testing::Test {
 protected:
  std::vector<PoolMemberId> follow(const topology::StateChange& change) {
    Moved moved;
    book.follow(change, locations, moved);
    return moved.members;
  }
  std::vector<PoolMemberId> judge(const OwnHealth& own) {
    Moved moved;
    book.judge(own, locations, moved);
    return moved.members;
  }
  bool is_down(uint64_t n) const { return locations.unhealthy.contains(member(n)); }

  HealthBook book{kHere};
  Locations locations;
};

TEST_F(HealthBookTest, WhatTheCheckerSaysIsSo) {
  EXPECT_THAT(follow(came(of(kThere, down({41})))), ElementsAre(member(41)));
  EXPECT_TRUE(is_down(41));
  EXPECT_FALSE(is_down(42));
  EXPECT_EQ(*locations.checkers.find(kWatched), kThere);
  EXPECT_EQ(**locations.health.find(kWatched), down({41}));
  EXPECT_THAT(follow(became(of(kThere, down({41})), of(kThere, down({42})))),
              UnorderedElementsAre(member(41), member(42)));
  EXPECT_FALSE(is_down(41));
  EXPECT_TRUE(is_down(42));
}

TEST_F(HealthBookTest, WhatACheckerFoundOutlivesIt) {
  follow(came(of(kThere, down({41}))));
  EXPECT_THAT(follow(went(of(kThere, down({41})))), IsEmpty());
  EXPECT_TRUE(is_down(41));
  EXPECT_FALSE(locations.checkers.contains(kWatched)) << "but it is not asked";
  EXPECT_THAT(follow(came(of(kElsewhere, down({41})))), IsEmpty());
  EXPECT_EQ(*locations.checkers.find(kWatched), kElsewhere);
}

TEST_F(HealthBookTest, WhatThisHostFindsIsNewerThanWhatTheTablesSayOfIt) {
  EXPECT_THAT(judge({{{kWatched, down({41})}}}), ElementsAre(member(41)));
  EXPECT_TRUE(locations.checkers.find(kWatched)->is_nil()) << "here";
  EXPECT_THAT(follow(came(of(kHere, down({})))), IsEmpty());
  EXPECT_TRUE(is_down(41));
  EXPECT_THAT(judge({{{kWatched, down({})}}}), ElementsAre(member(41)));
  EXPECT_THAT(judge({}), IsEmpty());
  EXPECT_FALSE(locations.checkers.contains(kWatched));
}

TEST_F(HealthBookTest, MembersThatLeaveArePassedOverAndPoolsWithoutAMonitorForgotten) {
  follow(came(of(kThere, down({41, 42}))));
  HealthReport one{kWatched, {{member(41), false, CheckResult::refused, 0, 7}}};
  EXPECT_THAT(follow(came(of(kThere, one))), ElementsAre(member(42)));
  Moved moved;
  const auto monitored = snapshot_of(pool(31, 30, 50), health_monitor(50));
  book.forget_unmonitored(monitored, locations, moved);
  EXPECT_TRUE(is_down(41));
  book.forget_unmonitored(snapshot_of(pool(31, 30)), locations, moved);
  EXPECT_THAT(moved.members, ElementsAre(member(41)));
  EXPECT_FALSE(is_down(41));
  EXPECT_FALSE(locations.health.contains(kWatched));
  EXPECT_FALSE(locations.checkers.contains(kWatched));
}

}  // namespace
}  // namespace viaduct::actors
