#include "actors/agent/state_outbox.hpp"

#include "state_outbox_fixture.hpp"

namespace viaduct::actors::outbox_test {
namespace {

TEST_F(StateOutboxTest, WhatIsSeenIsClaimedOnce) {
  EXPECT_FALSE(next()) << "nothing to say";
  see(7);
  hear("10.0.0.9", 9);
  auto write = must_next();
  EXPECT_FALSE(write.complete);
  EXPECT_THAT(write.puts, UnorderedElementsAre(Puts(mac_claim(10, 7, 20), Mode::claim),
                                               Puts(neighbour_claim(12, 22, "10.0.0.9", 9, kNow), Mode::claim)));
  EXPECT_EQ(write.puts[0].entry.host, kHere);
  done();
  EXPECT_EQ(outbox.published(), 2);
  EXPECT_FALSE(outbox.waiting());
  EXPECT_FALSE(next());
}

TEST_F(StateOutboxTest, OneWriteIsOutAtATime) {
  see(7);
  must_next();
  EXPECT_TRUE(outbox.out());
  see(8);
  EXPECT_TRUE(outbox.waiting());
  EXPECT_FALSE(next());
  done();
  EXPECT_THAT(must_next().puts, ElementsAre(Puts(mac_claim(10, 8, 20), Mode::claim)));
}

TEST_F(StateOutboxTest, AWriteThatFailsIsRepeatedWhole) {
  see(7);
  outbox.located({of(kHere, active(20, 5), 0)});
  must_next();
  outbox.written(nullptr);
  see(8);
  EXPECT_THAT(must_next().puts, SizeIs(3)) << "with what came meanwhile";
  done({false, {}, "the database is full"});
  EXPECT_EQ(outbox.published(), 0);
  EXPECT_THAT(must_next().puts, SizeIs(3));
  done();
  EXPECT_EQ(outbox.published(), 3);
  outbox.joined();
  EXPECT_TRUE(must_next().complete);
  done({true, {}, ""});
  EXPECT_TRUE(must_next().complete) << "and a complete one stays complete";
}

TEST_F(StateOutboxTest, AFailedDeletionIsRepeated) {
  see(7);
  outbox.located({of(kHere, active(20, 5), 0)});
  settle();
  state.macs.erase(mac(7));
  state.state_news.changed(mac(7));
  tell();
  outbox.located({});
  auto both = UnorderedElementsAre(key_of(mac_claim(10, 7, 20)), key_of(active(20, 5)));
  EXPECT_THAT(must_next().deletes, both);
  outbox.written(nullptr);
  EXPECT_THAT(must_next().deletes, both);
  done();
  EXPECT_EQ(outbox.published(), 0);
}

TEST_F(StateOutboxTest, InterfacesAndLocationsAreSaidEachByItself) {
  const auto interface = [](const char* name, uint32_t mtu) {
    return topology::StateEntry{kHere, kHere.uuid(), 0, topology::HostInterface{name, {}, mtu}};
  };
  const auto key = [](const topology::StateEntry& entry) { return topology::state_key(entry); };
  outbox.described({interface("eth0", 1'500), interface("tap1", 1'500)});
  outbox.located({of(kHere, active(20, 5), 0)});
  settle();
  EXPECT_EQ(outbox.published(), 3);
  outbox.described({interface("eth0", 9'000)});
  auto write = must_next();
  ASSERT_THAT(write.puts, SizeIs(1));
  EXPECT_EQ(write.puts[0].entry, interface("eth0", 9'000));
  EXPECT_THAT(write.deletes, ElementsAre(key(interface("tap1", 0))));
  done();
  outbox.described({interface("eth0", 9'000)});
  EXPECT_FALSE(next()) << "nothing has changed";
  outbox.located({});
  EXPECT_THAT(must_next().deletes, ElementsAre(key_of(active(20, 5))));
}

TEST_F(StateOutboxTest, AfterAJoinEverythingIsSaid) {
  see(7);
  settle();
  state.macs.learn(mac(8), id<PortId>(20), {});  // known from an earlier life: no news of it
  state.macs.learn(mac(9), id<PortId>(99), {});
  state.remote_claims.insert(state_key_of(mac(9)));  // another host's
  outbox.located({of(kHere, active(20, 5), 0)});
  settle();
  see(6);
  outbox.joined();
  auto write = must_next();
  EXPECT_TRUE(write.complete);
  EXPECT_THAT(write.puts,
              UnorderedElementsAre(Puts(mac_claim(10, 6, 20), Mode::claim), Puts(mac_claim(10, 7, 20), Mode::restore),
                                   Puts(mac_claim(10, 8, 20), Mode::restore), Puts(active(20, 5), Mode::claim)));
  done();
  EXPECT_EQ(outbox.published(), 4);
  outbox.joined();
  state.macs.erase(mac(7));
  EXPECT_THAT(must_next().puts, SizeIs(3));
  done();
  EXPECT_EQ(outbox.published(), 3) << "what it does not name is gone";
}

TEST_F(StateOutboxTest, AnEmptyHostSaysThatItHasNothing) {
  outbox.joined();
  auto write = must_next();
  EXPECT_TRUE(write.complete);
  EXPECT_THAT(write.puts, IsEmpty());
}

TEST_F(StateOutboxTest, WhatAnotherHostOwnsByNowIsLostAndCounted) {
  state.macs.learn(mac(7), id<PortId>(20), {});
  outbox.joined();
  must_next();
  done({false, {key_of(mac_claim(10, 7, 20))}, ""});
  EXPECT_EQ(outbox.lost(), 1);
  EXPECT_EQ(outbox.published(), 0);
  state.macs.erase(mac(7));
  state.state_news.changed(mac(7));
  tell();
  EXPECT_FALSE(next()) << "nor is it this host's to delete";
}

TEST_F(StateOutboxTest, WhatEndedBeforeItWasSaidIsNotSaid) {
  see(7);
  state.macs.erase(mac(7));
  EXPECT_FALSE(next());
  EXPECT_FALSE(outbox.out());
}

TEST_F(StateOutboxTest, AFailedNeighbourIsNoClaim) {
  hear("10.0.0.9", 9);
  settle();
  state.neighbours.set_state(hop("10.0.0.9"), flows::NeighbourState::failed, {});
  state.state_news.changed(hop("10.0.0.9"));
  tell();
  EXPECT_THAT(must_next().deletes, ElementsAre(key_of(neighbour_claim(12, 22, "10.0.0.9", 9))));
}

TEST_F(StateOutboxTest, AConfirmationIsPublishedEvery30Seconds) {
  hear("10.0.0.9", 9);
  settle();
  for (now = kNow + 1; now < kNow + 30; ++now) {
    hear("10.0.0.9", 9);
    ASSERT_FALSE(next()) << now;
  }
  hear("10.0.0.9", 9);
  EXPECT_THAT(must_next().puts, ElementsAre(Puts(neighbour_claim(12, 22, "10.0.0.9", 9, kNow + 30), Mode::claim)));
  done();
  hear("10.0.0.9", 10);
  EXPECT_THAT(must_next().puts, SizeIs(1)) << "another MAC is no confirmation";
}

TEST_F(StateOutboxTest, AGuestThatComesBackIsClaimedBack) {
  see(7);
  hear("10.0.0.9", 9);
  settle();
  state.macs.learn(mac(7), id<PortId>(99), {});  // it has moved, another host says
  state.remote_claims.insert(state_key_of(mac(7)));
  state.remote_claims.insert(state_key_of(hop("10.0.0.9")));
  see(7);
  hear("10.0.0.9", 9);
  EXPECT_THAT(must_next().puts, SizeIs(2)) << "although this host has said the same before";
  EXPECT_FALSE(state.remote_claims.has(mac(7)));
}

TEST_F(StateOutboxTest, WhatWasTakenFromThisHostIsNotThoughtPublished) {
  hear("10.0.0.9", 9);
  outbox.located({of(kHere, active(20, 5), 0)});
  settle();
  state.remote_claims.taken(state_key_of(hop("10.0.0.9")));
  state.remote_claims.taken(key_of(active(20, 5)));
  hear("10.0.0.9", 9);
  outbox.located({of(kHere, active(20, 5), 0)});
  EXPECT_THAT(must_next().puts, SizeIs(2));
}

TEST_F(StateOutboxTest, OfLocationsOnlyWhatDiffersIsWritten) {
  outbox.located({of(kHere, active(20, 5), 0), of(kHere, floods(10, 6), 0)});
  EXPECT_THAT(must_next().puts,
              UnorderedElementsAre(Puts(active(20, 5), Mode::claim), Puts(floods(10, 6), Mode::claim)));
  done();
  outbox.located({of(kHere, active(20, 7), 0), of(kHere, active(21, 8), 0), of(kHere, floods(10, 6), 0)});
  EXPECT_THAT(must_next().puts,
              UnorderedElementsAre(Puts(active(20, 7), Mode::claim), Puts(active(21, 8), Mode::claim)));
  done();
  outbox.located({of(kHere, active(21, 8), 0)});
  auto write = must_next();
  EXPECT_THAT(write.puts, IsEmpty());
  EXPECT_THAT(write.deletes, UnorderedElementsAre(key_of(active(20, 7)), key_of(floods(10, 6))));
  done();
  outbox.located({of(kHere, active(21, 8), 0)});
  EXPECT_FALSE(next());
}

TEST_F(StateOutboxTest, ManyNewsGoInSeveralWrites) {
  see_many(StateOutbox::kMaxEntries + 5);
  EXPECT_THAT(must_next().puts, SizeIs(StateOutbox::kMaxEntries));
  done();
  EXPECT_THAT(must_next().puts, SizeIs(5));
  done();
  for (uint64_t i = 1; i <= StateOutbox::kMaxEntries + 5; ++i) {
    state.macs.erase(mac(i));
    state.state_news.changed(mac(i));
  }
  tell();
  EXPECT_THAT(must_next().deletes, SizeIs(StateOutbox::kMaxEntries));
  done();
  EXPECT_THAT(must_next().deletes, SizeIs(5));
}

TEST_F(StateOutboxTest, ManyPortsGoInSeveralWrites) {
  std::vector<StateEntry> ports;
  for (uint64_t i = 0; i < StateOutbox::kMaxEntries + 5; ++i) ports.push_back(of(kHere, active(100 + i, 5), 0));
  outbox.located(ports);
  EXPECT_THAT(must_next().puts, SizeIs(StateOutbox::kMaxEntries));
  done();
  EXPECT_THAT(must_next().puts, SizeIs(5));
  done();
  outbox.located({});
  EXPECT_THAT(must_next().deletes, SizeIs(StateOutbox::kMaxEntries));
  done();
  EXPECT_THAT(must_next().deletes, SizeIs(5));
  done();
  EXPECT_FALSE(outbox.waiting());
}

TEST_F(StateOutboxTest, NewsThatDidNotFitAreMadeGoodByACompleteWrite) {
  state.macs.learn(mac(7), id<PortId>(20), {});
  StateNews::Taken news;
  news.overflow = true;
  outbox.learned(std::move(news));
  auto write = must_next();
  EXPECT_TRUE(write.complete);
  EXPECT_THAT(write.puts, ElementsAre(Puts(mac_claim(10, 7, 20), Mode::restore)));
}

TEST_F(StateOutboxTest, AnAnswerToNothingIsNothing) {
  done();
  outbox.written(nullptr);
  EXPECT_EQ(outbox.published(), 0);
  EXPECT_FALSE(outbox.waiting());
}

// --- NAT blocks ------------------------------------------------------------------------------------

const topology::NatBlockClaim kNext{Uuid::from_words(0, 12), ip("203.0.113.9"), 8};

TEST_F(StateOutboxTest, BlocksAreClaimedTogetherAndNeverTakenFromOthers) {
  EXPECT_FALSE(outbox.primed());
  outbox.lease({});
  EXPECT_TRUE(outbox.primed());
  EXPECT_FALSE(next());
  outbox.lease({{lease_of(kBlock), true}, {lease_of(kNext), true}});
  EXPECT_THAT(must_next().puts, UnorderedElementsAre(Puts(kBlock, Mode::restore), Puts(kNext, Mode::restore)));
  EXPECT_THAT(outbox.take_answered().won, IsEmpty());
  done({false, {key_of(kNext)}, ""});
  auto answered = outbox.take_answered();
  EXPECT_THAT(answered.won, ElementsAre(lease_of(kBlock)));
  EXPECT_THAT(answered.lost, ElementsAre(lease_of(kNext)));
  EXPECT_FALSE(outbox.waiting());
}

TEST_F(StateOutboxTest, AfterAJoinEveryBlockIsClaimedAgain) {
  outbox.lease({{lease_of(kBlock), true}, {lease_of(kNext), true}});
  settle();
  outbox.take_answered();
  outbox.joined();
  EXPECT_THAT(must_next().puts, SizeIs(2));
  done({false, {key_of(kBlock)}, ""});
  EXPECT_THAT(outbox.take_answered().lost, ElementsAre(lease_of(kBlock)));
  outbox.joined();
  EXPECT_THAT(must_next().puts, ElementsAre(Puts(kNext, Mode::restore))) << "what was lost is not fought for";
}

TEST_F(StateOutboxTest, AClaimThatIsNotAnsweredIsRepeated) {
  outbox.lease({{lease_of(kBlock), true}});
  must_next();
  outbox.written(nullptr);
  EXPECT_THAT(outbox.take_answered().won, IsEmpty());
  EXPECT_THAT(must_next().puts, SizeIs(1));
  done();
  EXPECT_THAT(outbox.take_answered().won, SizeIs(1));
}

TEST_F(StateOutboxTest, ABlockThatIsGivenBackIsDeleted) {
  outbox.lease({{lease_of(kBlock), true}});
  must_next();
  outbox.lease({{lease_of(kBlock), false}});  // while the claim is out
  done();
  EXPECT_THAT(must_next().deletes, ElementsAre(key_of(kBlock)));
  outbox.written(nullptr);
  EXPECT_THAT(must_next().deletes, ElementsAre(key_of(kBlock)));
  done();
  EXPECT_EQ(outbox.published(), 0);
  outbox.lease({{lease_of(kBlock), true}, {lease_of(kBlock), false}});
  EXPECT_THAT(must_next().puts, IsEmpty()) << "the last word counts";
  done();
  outbox.joined();
  EXPECT_THAT(must_next().puts, IsEmpty());
}

// --- health of pools -------------------------------------------------------------------------------

TEST_F(StateOutboxTest, PoolsAreClaimedWithWhatIsFoundAndAnsweredApart) {
  topology::HealthReport one{id<PoolId>(31)}, two{id<PoolId>(32)};
  outbox.lease({{lease_of(kBlock), true}});
  outbox.report({{one, true}, {two, true}});
  EXPECT_THAT(must_next().puts, SizeIs(3));
  done({false, {key_of(two)}, ""});
  auto answered = outbox.take_answered();
  EXPECT_THAT(answered.won, SizeIs(1));
  EXPECT_THAT(answered.pools_won, ElementsAre(one.pool));
  EXPECT_THAT(answered.pools_lost, ElementsAre(two.pool));
  one.members.push_back({id<PoolMemberId>(33), false, topology::CheckResult::refused, 0, 1});
  outbox.report({{one, true}});
  EXPECT_THAT(must_next().puts, ElementsAre(Puts(one, Mode::restore)));
  done();
  outbox.joined();
  EXPECT_THAT(must_next().puts, UnorderedElementsAre(Puts(one, Mode::restore), Puts(kBlock, Mode::restore)))
      << "as it was found last";
  done();
  outbox.report({{one, false}});
  EXPECT_THAT(must_next().deletes, ElementsAre(key_of(one)));
}

// --- what was said, but not answered ---------------------------------------------------------------

TEST_F(StateOutboxTest, WhatMayHaveBeenWrittenIsEndedWhenItIsNoMore) {
  see(7);
  outbox.located({of(kHere, active(20, 5), 0)});
  must_next();
  outbox.written(nullptr);
  state.macs.erase(mac(7));
  outbox.located({});
  const auto write = must_next();
  EXPECT_THAT(write.puts, IsEmpty());
  EXPECT_THAT(write.deletes, UnorderedElementsAre(key_of(mac_claim(10, 7, 20)), key_of(active(20, 5))));
  done();
  EXPECT_FALSE(outbox.waiting());
}

}  // namespace
}  // namespace viaduct::actors::outbox_test
