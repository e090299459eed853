#include "actors/agent/neighbour_resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using flows::NeighbourState;
using flows::Time;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Ask = ResolverActions::Ask;

const Time kStart = Time{} + 1h;
const RouterId kRouter(Uuid::from_words(1, 1));
const PortId kPort(Uuid::from_words(2, 1)), kPort2(Uuid::from_words(2, 2));
const IpAddress kAddress = IpAddress::v4(0x0a000001);
const MacAddress kMac = MacAddress::from_uint64(0x020000000001);
const flows::NeighbourKey kKey{kRouter.uuid(), kPort, kAddress};
const flows::simulation::NeighbourWanted kWanted{kRouter, kPort, kAddress};

// The resolver and a table that its actions are applied to, as the router's actor does.
class NeighbourResolverTest : public ::testing::Test {
 protected:
  ResolverActions apply(ResolverActions actions, Time now) {
    for (const auto& mark : actions.mark) table.set_state_if_older(mark.key, mark.state, now, mark.deadline);
    for (const auto& expire : actions.expire) table.erase_if_older(expire.key, expire.deadline);
    return actions;
  }
  ResolverActions want(Time now, PortId port = kPort, IpAddress address = kAddress) {
    ResolverActions out;
    resolver.wanted(port, address, now, table, out);
    return apply(out, now);
  }
  ResolverActions tick(Time now) {
    ResolverActions out;
    resolver.tick(now, table, out);
    return apply(out, now);
  }
  void answer(Time now) {
    table.learn(kKey, kMac, now);
    resolver.learned(kPort, kAddress, now);
  }
  // All requests until `end`, ticking whenever something is due.
  std::vector<std::pair<Time, Ask>> asks_until(Time end) {
    std::vector<std::pair<Time, Ask>> out;
    while (resolver.next_deadline() && *resolver.next_deadline() <= end) {
      const Time now = *resolver.next_deadline();
      for (const Ask& ask : tick(now).ask) out.emplace_back(now, ask);
    }
    return out;
  }

  flows::NeighbourTable table;
  NeighbourResolver resolver{kRouter, 1};
};

TEST_F(NeighbourResolverTest, AsksAtOnceAndOnlyOnce) {
  EXPECT_THAT(want(kStart).ask, ElementsAre(Ask{kPort, kAddress, std::nullopt}));
  EXPECT_TRUE(want(kStart + 10ms).empty());
  EXPECT_EQ(resolver.pending(), 1U);
  answer(kStart + 20ms);
  EXPECT_EQ(resolver.pending(), 0U);
  EXPECT_THAT(asks_until(kStart + 59s), IsEmpty());
}

TEST_F(NeighbourResolverTest, ThreeRequestsThenFailedAfterThreeSeconds) {
  want(kStart);
  const Time second = *resolver.next_deadline();
  EXPECT_GE(second, kStart + 750ms);
  EXPECT_LE(second, kStart + 1250ms);
  EXPECT_EQ(tick(second).ask.size(), 1U);
  const Time third = *resolver.next_deadline();
  EXPECT_GE(third, second + 750ms);
  EXPECT_LE(third, second + 1250ms);
  EXPECT_EQ(tick(third).ask.size(), 1U);
  EXPECT_EQ(resolver.next_deadline(), kStart + 3s);
  const auto failed = tick(kStart + 3s);
  EXPECT_THAT(failed.failed, ElementsAre(kWanted));
  EXPECT_THAT(failed.ask, IsEmpty());
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::failed);
  EXPECT_EQ(resolver.pending(), 0U);
}

TEST_F(NeighbourResolverTest, FailureIsHeldForFiveSecondsThenPacketsAskAnew) {
  want(kStart);
  asks_until(kStart + 3s);
  EXPECT_THAT(want(kStart + 4s).failed, ElementsAre(kWanted));  // parked just before
  EXPECT_EQ(tick(kStart + 8s).expire.size(), 1U);
  EXPECT_FALSE(table.find(kKey));
  EXPECT_EQ(want(kStart + 9s).ask.size(), 1U);
  EXPECT_EQ(resolver.pending(), 1U);
}

TEST_F(NeighbourResolverTest, AsksInTheBackgroundWithBackoffWhileWanted) {
  want(kStart);
  asks_until(kStart + 3s);
  const auto asks = asks_until(kStart + 5min);
  ASSERT_EQ(asks.size(), 2U);  // the next would be more than 60 s after the last packet
  EXPECT_EQ(asks[0].first, kStart + 13s);
  EXPECT_NEAR((asks[1].first - asks[0].first) / 1ms, 20000, 5000);
  EXPECT_EQ(resolver.tracked(), 0U);
}

TEST_F(NeighbourResolverTest, AnAnswerAfterFailingIsTaken) {
  want(kStart);
  asks_until(kStart + 3s);
  answer(kStart + 4s);
  EXPECT_THAT(asks_until(kStart + 60s), IsEmpty());
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::reachable);
}

TEST_F(NeighbourResolverTest, WhatWasLearnedMeanwhileIsNeverMarkedFailed) {
  want(kStart);
  asks_until(kStart + 2800ms);
  table.learn(kKey, kMac, kStart + 2900ms);  // and the news of it is still on its way
  EXPECT_THAT(asks_until(kStart + 10s), IsEmpty());
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::reachable);
  EXPECT_EQ(resolver.pending(), 0U);
}

TEST_F(NeighbourResolverTest, AFailureThatCrossesAnAnswerDoesNotUndoIt) {
  want(kStart);
  asks_until(kStart + 2900ms);
  ResolverActions out;
  resolver.tick(kStart + 3s, table, out);  // decided …
  answer(kStart + 3s);                     // … a worker learns …
  apply(out, kStart + 3s);                 // … and now it is applied
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::reachable);
}

TEST_F(NeighbourResolverTest, WantedThoughInTheTableIsReady) {
  table.learn(kKey, kMac, kStart);
  const auto actions = want(kStart + 1ms);
  EXPECT_THAT(actions.ready, ElementsAre(kWanted));
  EXPECT_THAT(actions.ask, IsEmpty());
}

TEST_F(NeighbourResolverTest, UnusedGoesStaleAfter60SecondsAndEndsAfter90) {
  answer(kStart);
  const Time stale = *resolver.next_deadline();
  EXPECT_GE(stale, kStart + 60s);
  EXPECT_LE(stale, kStart + 72s);
  EXPECT_THAT(asks_until(stale), IsEmpty());
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::stale);
  EXPECT_THAT(asks_until(kStart + 89999ms), IsEmpty());
  EXPECT_TRUE(table.find(kKey));
  EXPECT_EQ(tick(kStart + 90s).expire.size(), 1U);
  EXPECT_FALSE(table.find(kKey));
  EXPECT_EQ(resolver.tracked(), 0U);
}

TEST_F(NeighbourResolverTest, UsedIsAskedWhenStaleFirstItsMacThenAll) {
  answer(kStart);
  table.touch(kKey, kStart + 30s);
  const auto asks = asks_until(kStart + 89s);
  ASSERT_GE(asks.size(), 3U);
  EXPECT_EQ(asks[0].second, (Ask{kPort, kAddress, kMac}));
  EXPECT_EQ(asks[1].second, (Ask{kPort, kAddress, kMac}));
  EXPECT_EQ(asks[2].second, (Ask{kPort, kAddress, std::nullopt}));
  EXPECT_TRUE(table.find(kKey));
  asks_until(kStart + 90s);
  EXPECT_FALSE(table.find(kKey));
}

TEST_F(NeighbourResolverTest, AConfirmationWhileStaleStartsOver) {
  answer(kStart);
  table.touch(kKey, kStart + 30s);
  EXPECT_EQ(asks_until(kStart + 72s).empty(), false);
  answer(kStart + 73s);
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::reachable);
  EXPECT_THAT(asks_until(kStart + 132s), IsEmpty());
  EXPECT_TRUE(table.find(kKey));
}

TEST_F(NeighbourResolverTest, AConfirmationWhoseNewsWereLostCounts) {
  answer(kStart);
  table.learn(kKey, kMac, kStart + 50s);
  asks_until(kStart + 109s);
  EXPECT_EQ(table.find(kKey)->state, NeighbourState::reachable);
}

TEST_F(NeighbourResolverTest, UseOfAStaleEntryAsksAtOnce) {
  answer(kStart);
  asks_until(kStart + 73s);
  ResolverActions out;
  resolver.refresh(kPort, kAddress, kStart + 74s, table, out);
  EXPECT_THAT(out.ask, ElementsAre(Ask{kPort, kAddress, kMac}));
  out = {};
  resolver.refresh(kPort, kAddress, kStart + 74s, table, out);
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(asks_until(kStart + 75400ms).size(), 1U);  // the second, about a second later
}

TEST_F(NeighbourResolverTest, PortGoneForgetsItsNeighboursOnly) {
  answer(kStart);
  want(kStart, kPort, IpAddress::v4(7));
  want(kStart, kPort2);
  ResolverActions out;
  resolver.port_gone(kPort, out);
  apply(out, kStart);
  EXPECT_EQ(out.expire.size(), 2U);
  EXPECT_EQ(out.failed.size(), 1U);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(resolver.tracked(), 1U);
  EXPECT_EQ(resolver.pending(), 1U);
}

TEST_F(NeighbourResolverTest, AScanIsBoundedAndCounted) {
  NeighbourResolver small(kRouter, 1, {.max_pending = 10});
  ResolverActions out;
  for (uint32_t i = 0; i < 100; ++i) small.wanted(kPort, IpAddress::v4(i), kStart, table, out);
  EXPECT_EQ(out.ask.size(), 10U);
  EXPECT_EQ(small.refused(), 90U);
  out = {};
  while (small.pending() > 0) small.tick(*small.next_deadline(), table, out);
  small.wanted(kPort, IpAddress::v4(50), kStart + 4s, table, out);
  EXPECT_EQ(small.pending(), 1U);
}

TEST_F(NeighbourResolverTest, AdoptsWhatAnEarlierLifeLeft) {
  table.learn(kKey, kMac, kStart);
  table.set_state({kRouter.uuid(), kPort, IpAddress::v4(9)}, NeighbourState::failed, kStart);
  table.learn({Uuid::from_words(8, 8), kPort, kAddress}, kMac, kStart);
  resolver.adopt(table, kStart + 10s);
  EXPECT_EQ(resolver.tracked(), 2U);
  asks_until(kStart + 16s);
  EXPECT_EQ(table.size(), 2U);  // the failed one is over
  asks_until(kStart + 90s);
  EXPECT_EQ(table.size(), 1U);  // another router's
}

TEST_F(NeighbourResolverTest, FlushForgetsAll) {
  answer(kStart);
  want(kStart, kPort, IpAddress::v4(7));
  ResolverActions out;
  resolver.flush(table, out);
  apply(out, kStart);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_THAT(out.failed.size(), 1U);
  EXPECT_EQ(resolver.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace viaduct::actors
