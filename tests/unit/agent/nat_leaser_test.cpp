#include "actors/agent/nat_leaser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using flows::NatBlock;
using flows::Time;
using flows::simulation::NatBlockWanted;
using testing::AnyOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

const HostId kSelf = topology::testing::id<HostId>(1), kOther = topology::testing::id<HostId>(2);
const NatAddress kEdge{Uuid::from_words(0, 7), topology::testing::ip("203.0.113.9")};

class NatLeaserTest : public testing::Test {
 protected:
  NatLeaserTest() {
    leaser.joined(now);
    now += 1s;
  }
  static NatBlock block(uint16_t number) { return {kEdge.device, kEdge.address, number}; }
  // Runs one event; its outcome replaces `out`.
  template <class Event>
  const NatLeaserActions& on(Event event) {
    out = {};
    event();
    for (const auto& each : out.stop) used.erase(each);
    for (const auto& each : out.use) used.insert(each);
    return out;
  }
  const NatLeaserActions& want(uint16_t first, uint16_t last, bool waiting = true) {
    return on([&] { leaser.wanted({kEdge.device, kEdge.address, first, last}, waiting, now, out); });
  }
  const NatLeaserActions& win(NatBlock which) {
    return on([&] { leaser.won(which, now, out); });
  }
  const NatLeaserActions& lose(NatBlock which) {
    return on([&] { leaser.lost(which, now, out); });
  }
  const NatLeaserActions& owned(uint16_t number, HostId owner = kOther) {
    return on([&] { leaser.owned(block(number), owner, now, out); });
  }
  const NatLeaserActions& freed(uint16_t number, bool dead, HostId owner = kOther) {
    return on([&] { leaser.freed(block(number), owner, dead, now, out); });
  }
  const NatLeaserActions& tick() {
    return on([&] { leaser.tick(now, out); });
  }
  const NatLeaserActions& look(std::set<NatBlock> in_use = {}) {
    return on([&] { leaser.looked(in_use, now, out); });
  }
  const NatLeaserActions& check(bool named) {
    return on([&] { leaser.check([&](const NatAddress&) { return named; }, now, out); });
  }
  // Leases exactly this block.
  void have(uint16_t number) {
    ASSERT_THAT(want(number, number).claim, ElementsAre(block(number)));
    ASSERT_THAT(win(block(number)).use, ElementsAre(block(number)));
  }

  Time now{std::chrono::hours(1)};
  NatLeaser leaser{kSelf, 1};
  NatLeaserActions out;
  std::set<NatBlock> used;
};

TEST_F(NatLeaserTest, WhatIsWantedIsClaimedAndUsedOnceItIsWon) {
  const auto claimed = want(16, 31).claim;
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_GE(claimed[0].block, 16);
  EXPECT_LE(claimed[0].block, 31);
  EXPECT_THAT(used, IsEmpty());
  EXPECT_TRUE(want(16, 31).empty()) << "more packets wait for the same";
  win(claimed[0]);
  EXPECT_THAT(out.use, ElementsAre(claimed[0]));
  EXPECT_THAT(out.ready, ElementsAre(kEdge));
  EXPECT_EQ(leaser.held(), 1);
}

TEST_F(NatLeaserTest, OnePacketThatWaitsIsEnoughForAllToBeTold) {
  const auto claimed = want(0, 1023, false).claim;
  want(0, 1023, true);
  EXPECT_THAT(win(claimed[0]).ready, ElementsAre(kEdge));
}

TEST_F(NatLeaserTest, ASpareBlockIsNobodysNews) {
  const auto claimed = want(0, 1023, false).claim;
  EXPECT_THAT(win(claimed[0]).ready, IsEmpty());
  EXPECT_THAT(used, SizeIs(1));
}

TEST_F(NatLeaserTest, TheMoreIsHeldTheMoreIsClaimedAtOnce) {
  for (uint16_t i = 0; i < 16; ++i) have(i);
  EXPECT_THAT(want(0, 1023).claim, SizeIs(4));
  EXPECT_THAT(want(0, 1023).claim, SizeIs(0)) << "until that is answered";
}

TEST_F(NatLeaserTest, WhatOthersHaveIsNotClaimed) {
  for (uint16_t i = 0; i < 16; ++i) {
    if (i != 5) owned(i);
  }
  EXPECT_THAT(want(0, 15).claim, ElementsAre(block(5)));
}

TEST_F(NatLeaserTest, OfAnAddressEachBlockIsCountedOnce) {
  owned(1);
  owned(2);
  owned(3);
  freed(3, true);
  win(want(0, 15).claim.front());
  const auto now_there = leaser.occupancy(kEdge, 0, 15);
  EXPECT_EQ(now_there.held, 1u);
  EXPECT_EQ(now_there.others, 2u);
  EXPECT_EQ(now_there.resting, 1u);
  EXPECT_EQ(now_there.free, 12u);
  EXPECT_EQ(leaser.occupancy(kEdge, 2, 3).free, 0u);
  EXPECT_EQ(leaser.occupancy({kEdge.device, topology::testing::ip("203.0.113.10")}, 0, 15).free, 16u);
  EXPECT_THAT(leaser.addresses(), ElementsAre(kEdge));
}

TEST_F(NatLeaserTest, ALostBlockMakesWayForAnotherAfterAPause) {
  const auto first = want(0, 1023).claim;
  EXPECT_THAT(lose(first[0]).ready, IsEmpty());
  EXPECT_TRUE(tick().empty());
  ASSERT_TRUE(leaser.next_retry());
  EXPECT_LE(*leaser.next_retry() - now, 50ms);
  EXPECT_GE(*leaser.next_retry() - now, 25ms);
  now = *leaser.next_retry();
  ASSERT_THAT(tick().claim, SizeIs(1));
  EXPECT_NE(out.claim[0], first[0]);
  EXPECT_THAT(win(out.claim[0]).ready, ElementsAre(kEdge));
  EXPECT_EQ(leaser.counts().lost, 1);
}

TEST_F(NatLeaserTest, AttemptsAreBounded) {
  int rounds = 1;
  auto claimed = want(0, 1023).claim;
  while (lose(claimed[0]).ready.empty()) {
    ASSERT_TRUE(leaser.next_retry());
    now = *leaser.next_retry();
    claimed = tick().claim;
    ASSERT_LE(++rounds, 6);
  }
  EXPECT_EQ(rounds, 6);
  EXPECT_THAT(out.spent, ElementsAre(NatLeaserActions::Spent{kEdge, 0, 1023, true}));
}

TEST_F(NatLeaserTest, WhenOthersHaveAllOfTheRangeThePacketsAreTold) {
  for (uint16_t i = 10; i < 14; ++i) owned(i);
  want(10, 13);
  EXPECT_THAT(out.claim, IsEmpty());
  EXPECT_THAT(out.spent, ElementsAre(NatLeaserActions::Spent{kEdge, 10, 13, true}));
  EXPECT_THAT(out.ready, ElementsAre(kEdge));
  EXPECT_EQ(leaser.counts().exhausted, 1);
  EXPECT_THAT(want(10, 13).ready, ElementsAre(kEdge)) << "who was parked meanwhile";
  EXPECT_THAT(leaser.spent(), SizeIs(1));
  now += 9s;
  EXPECT_TRUE(tick().empty());
  now += 1s;
  EXPECT_THAT(tick().spent, ElementsAre(NatLeaserActions::Spent{kEdge, 10, 13, false}));
}

TEST_F(NatLeaserTest, APrefetchThatFindsNothingTakesNothingAway) {
  have(10);
  EXPECT_TRUE(want(10, 10, false).empty()) << "there may be ports towards other remote ends";
}

TEST_F(NatLeaserTest, ABlockThatBecomesFreeEndsTheWaiting) {
  owned(10);
  owned(11);
  want(10, 11);
  EXPECT_TRUE(freed(12, false).empty()) << "not of that range";
  EXPECT_THAT(freed(11, false).spent, ElementsAre(NatLeaserActions::Spent{kEdge, 10, 11, false}));
  EXPECT_THAT(want(10, 11).claim, ElementsAre(block(11)));
}

TEST_F(NatLeaserTest, AnEarlierLifesBlockIsUsedAgainWhenItIsStillThisHosts) {
  EXPECT_THAT(owned(10, kSelf).claim, ElementsAre(block(10)));
  EXPECT_THAT(used, IsEmpty()) << "the news, from a cache perhaps, may be old";
  EXPECT_THAT(win(block(10)).use, ElementsAre(block(10)));
  owned(11, kSelf);
  EXPECT_THAT(want(0, 1023).claim, IsEmpty()) << "a packet comes before the answer";
  EXPECT_THAT(lose(block(11)).yield, ElementsAre(block(11))) << "with the connections that were found on the disk";
}

TEST_F(NatLeaserTest, WithoutAClusterAnEarlierLifesBlockIsBelievedIn) {
  on([&] { leaser.cut(out); });
  owned(10, kSelf);
  now += 1s;
  EXPECT_TRUE(tick().empty());
  EXPECT_TRUE(want(0, 1023).empty());
  now += 1s;
  EXPECT_THAT(tick().use, ElementsAre(block(10)));
  EXPECT_THAT(out.ready, ElementsAre(kEdge)) << "the packet that came meanwhile";
  leaser.joined(now);
  EXPECT_TRUE(win(block(10)).empty());
  EXPECT_THAT(used, ElementsAre(block(10)));
}

TEST_F(NatLeaserTest, WhatAnotherGotWhileThisHostWasAwayIsThatOnesWithItsConnections) {
  have(10);
  lose(block(10));
  EXPECT_THAT(out.stop, ElementsAre(block(10)));
  EXPECT_THAT(out.yield, ElementsAre(block(10)));
  EXPECT_THAT(out.end, IsEmpty());
  EXPECT_EQ(leaser.counts().revoked, 1);
  EXPECT_EQ(leaser.held(), 0);
}

TEST_F(NatLeaserTest, AnOtherOwnerInTheFeedIsCheckedWithTheCluster) {
  have(10);
  owned(10);
  EXPECT_THAT(out.stop, ElementsAre(block(10)));
  EXPECT_THAT(out.yield, IsEmpty()) << "the news may be older than what the cluster has said";
  EXPECT_THAT(out.claim, ElementsAre(block(10)));
  EXPECT_THAT(win(block(10)).use, ElementsAre(block(10)));
  owned(10);
  EXPECT_THAT(lose(block(10)).yield, ElementsAre(block(10)));
}

TEST_F(NatLeaserTest, WhatEndedWithTheLeaseIsClaimedAgain) {
  have(10);
  EXPECT_THAT(freed(10, true, kSelf).claim, ElementsAre(block(10)));
  EXPECT_THAT(used, ElementsAre(block(10))) << "and used meanwhile";
}

TEST_F(NatLeaserTest, WithoutTheClusterWhatIsHeldIsUsedAndNothingIsAskedFor) {
  have(10);
  const auto asked = want(11, 11).claim;
  on([&] { leaser.cut(out); });
  EXPECT_THAT(out.release, ElementsAre(block(11))) << "not to be claimed by the next join, before this host has heard";
  EXPECT_THAT(used, ElementsAre(block(10)));
  EXPECT_TRUE(want(20, 21).empty());
  now += 60s;
  EXPECT_TRUE(tick().empty());
  EXPECT_FALSE(leaser.next_retry());
  leaser.joined(now);
  owned(20);
  EXPECT_THAT(out.claim, IsEmpty());
  ASSERT_TRUE(leaser.next_retry());
  now = *leaser.next_retry();
  EXPECT_THAT(tick().claim, UnorderedElementsAre(AnyOf(block(11), block(21))));
}

// --- quarantine ------------------------------------------------------------------------------------

TEST_F(NatLeaserTest, TheBlocksOfADeadHostRest) {
  owned(10);
  freed(10, true);
  EXPECT_EQ(leaser.resting(), 1);
  EXPECT_THAT(want(10, 10).claim, IsEmpty());
  now += 299s;
  tick();
  EXPECT_THAT(want(10, 10).claim, IsEmpty());
  now += 1s;
  EXPECT_THAT(tick().spent, Contains(NatLeaserActions::Spent{kEdge, 10, 10, false}));
  EXPECT_THAT(want(10, 10).claim, ElementsAre(block(10)));
}

TEST_F(NatLeaserTest, AHostThatComesBackHasItsBlocksAtOnce) {
  owned(10);
  freed(10, true);
  owned(10);
  EXPECT_EQ(leaser.resting(), 0);
  freed(10, false);
  EXPECT_THAT(want(10, 10).claim, ElementsAre(block(10))) << "given back by who lives";
}

TEST_F(NatLeaserTest, WhoHasCopiesTakesTheBlocksOver) {
  for (uint16_t i : {10, 11, 12}) owned(i);
  have(13);
  for (uint16_t i : {10, 11}) freed(i, true);
  on([&] {
    leaser.adopt(
        kOther, [](const NatBlock& each) { return each.block != 11; }, now, out);
  });
  EXPECT_THAT(out.claim, ElementsAre(block(10))) << "11 has no copies, 12 is still the other's, 13 is its own";
  EXPECT_THAT(want(10, 10).claim, IsEmpty());
  win(block(10));
  EXPECT_THAT(out.use, ElementsAre(block(10)));
  EXPECT_EQ(leaser.resting(), 1);
}

TEST_F(NatLeaserTest, WhatAnotherSurvivorAdoptedIsItsOwn) {
  owned(10);
  freed(10, true);
  on([&] {
    leaser.adopt(
        kOther, [](const NatBlock&) { return true; }, now, out);
  });
  EXPECT_TRUE(lose(block(10)).yield.empty()) << "the copies serve on";
  EXPECT_EQ(leaser.resting(), 1);
}

// --- giving back -----------------------------------------------------------------------------------

TEST_F(NatLeaserTest, WhatIsNotUsedGoesBackButOneStays) {
  have(10);
  have(11);
  have(12);
  now += 300s;
  look({block(11)});
  EXPECT_THAT(out.stop, UnorderedElementsAre(block(10), block(12))) << "no new connections first";
  EXPECT_THAT(out.release, IsEmpty());
  now += 60s;
  look({block(11), block(12)});
  EXPECT_THAT(out.release, ElementsAre(block(10)));
  EXPECT_THAT(out.use, ElementsAre(block(12))) << "a packet was under way";
  now += 300s;
  look();
  EXPECT_THAT(out.stop, ElementsAre(block(12)));
  now += 600s;
  look();
  look();
  EXPECT_THAT(used, ElementsAre(block(11))) << "for the next connection";
}

TEST_F(NatLeaserTest, WhatIsAboutToGoBackIsTakenBeforeAnythingElse) {
  have(10);
  have(11);
  now += 300s;
  ASSERT_THAT(look({block(10)}).stop, ElementsAre(block(11)));
  want(0, 1023);
  EXPECT_THAT(out.claim, IsEmpty());
  EXPECT_THAT(out.use, ElementsAre(block(11)));
  EXPECT_THAT(out.ready, ElementsAre(kEdge));
}

TEST_F(NatLeaserTest, WhatNoRuleNamesGoesBackWithItsConnections) {
  have(10);
  EXPECT_TRUE(check(false).empty()) << "a chain may be under change";
  EXPECT_TRUE(check(true).empty());
  check(false);
  check(false);
  EXPECT_THAT(out.stop, ElementsAre(block(10)));
  EXPECT_THAT(out.end, ElementsAre(block(10)));
  EXPECT_THAT(out.yield, IsEmpty()) << "they are nobody's";
  EXPECT_THAT(out.release, ElementsAre(block(10)));
  owned(10, kSelf);
  EXPECT_TRUE(out.empty()) << "an echo of before";
  freed(10, false, kSelf);
  EXPECT_THAT(want(10, 10).claim, ElementsAre(block(10)));
}

TEST_F(NatLeaserTest, BlocksOfADeviceThatIsNotNeededAnyMoreGoBackAtOnce) {
  have(10);
  auto forget = [&](bool there) {
    return on([&] { leaser.forget([&](const Uuid& device) { return there || device != kEdge.device; }, now, out); });
  };
  EXPECT_TRUE(forget(true).empty());
  EXPECT_THAT(forget(false).release, ElementsAre(block(10)));
  EXPECT_TRUE(used.empty());
  EXPECT_TRUE(forget(false).empty());
  EXPECT_TRUE(freed(10, true, kSelf).empty()) << "it is not claimed again";
}

TEST_F(NatLeaserTest, AddressesAreBounded) {
  NatLeaserOptions options;
  options.addresses = 1;
  NatLeaser small(kSelf, 1, options);
  small.joined(now - 1s);
  small.wanted({kEdge.device, kEdge.address, 0, 9}, true, now, out);
  NatLeaserActions none;
  small.wanted({kEdge.device, topology::testing::ip("203.0.113.10"), 0, 9}, true, now, none);
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(small.counts().refused, 1);
}

TEST_F(NatLeaserTest, NonsenseIsNotClaimed) {
  EXPECT_TRUE(want(9, 8).empty());
  EXPECT_TRUE(want(0, 1024).empty());
  EXPECT_TRUE(owned(1024, kSelf).empty());
}

}  // namespace
}  // namespace viaduct::actors
