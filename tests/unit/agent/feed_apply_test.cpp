#include "actors/agent/feed_apply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host_states_literals.hpp"
#include "topology/closure.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using topology::FeedBatch;
using topology::FeedItem;
using topology::FeedItemPtr;

template <class T>
FeedItemPtr put(uint64_t revision, T object) {
  object.revision = revision;
  return topology::feed_item(topology::Object(std::move(object)));
}
FeedItemPtr put(const StateEntry& entry) { return topology::feed_item(entry); }
FeedItemPtr gone(uint64_t revision, std::string key) {
  return std::make_shared<const FeedItem>(FeedItem{std::move(key), revision, {}});
}
template <class IdType>
FeedItemPtr gone(uint64_t revision, topology::Kind kind, IdType which) {
  return gone(revision, topology::key_of({kind, which.uuid()}));
}
topology::Bridge named(uint64_t number, const std::string& name) {
  auto out = bridge(number);
  out.name = name;
  return out;
}

class FeedApplyTest : public testing::Test {
 protected:
  // Applies it for good, and returns what is left of it.
  FeedBatch take(FeedBatch batch) {
    effect = {};
    EXPECT_EQ(apply_feed(batch, now, kHere, states, effect), "");
    now = effect.snapshot;
    return batch;
  }
  FeedBatch take(uint64_t revision, std::vector<FeedItemPtr> items) {
    return take({revision, false, {}, std::move(items), 0});
  }
  FeedBatch complete(uint64_t revision, std::vector<FeedItemPtr> items) {
    return take({revision, true, {}, std::move(items), 0});
  }
  std::string name_of(uint64_t number) const {
    const auto* found = now.find(id<BridgeId>(number));
    return found == nullptr ? "nothing" : found->name;
  }

  topology::Snapshot now;
  topology::StateIndex states;
  FeedEffect effect;
  const StateEntry mac = of(kThere, mac_claim(10, 7, 20), 5, 10);
  const std::string mac_key = topology::state_key(mac);
};

TEST_F(FeedApplyTest, PutsAndDeletesObjectsAndStates) {
  take(5, {put(3, bridge(10)), put(4, bridge_port(20, 10)), put(mac)});
  EXPECT_EQ(now.revision(), 5);
  EXPECT_EQ(now.find(id<PortId>(20))->revision, 4);
  ASSERT_NE(states.find(mac_key), nullptr);
  EXPECT_EQ(states.find(mac_key)->revision, 5);
  EXPECT_THAT(effect.delta.changes, SizeIs(2));
  EXPECT_THAT(effect.states, SizeIs(1));

  take(8, {gone(7, topology::Kind::port, id<PortId>(20)), gone(8, mac_key)});
  EXPECT_EQ(now.find(id<PortId>(20)), nullptr);
  EXPECT_EQ(states.size(), 0);
  ASSERT_THAT(effect.delta.changes, SizeIs(1));
  EXPECT_NE(effect.delta.changes.begin()->second.before, nullptr);
  EXPECT_EQ(effect.delta.changes.begin()->second.after, nullptr);
  EXPECT_EQ(effect.delta.from_revision, 5);
  EXPECT_EQ(effect.delta.to_revision, 8);
  ASSERT_THAT(effect.states, SizeIs(1));
  EXPECT_EQ(effect.states[0].after, nullptr);
}

TEST_F(FeedApplyTest, AnItemThatIsOlderThanWhatIsKnownDoesNotCount) {
  take(9, {put(9, named(10, "new")), put(of(kThere, mac_claim(10, 7, 21), 9, 10))});
  auto left = take(10, {put(8, named(10, "old")), gone(8, topology::Kind::bridge, id<BridgeId>(10)), put(mac),
                        gone(8, mac_key), put(10, bridge(11))});
  EXPECT_EQ(name_of(10), "new");
  EXPECT_EQ(std::get<MacClaim>(states.find(mac_key)->fact).port, id<PortId>(21));
  EXPECT_THAT(effect.delta.changes, SizeIs(1)) << "the new bridge";
  EXPECT_THAT(effect.states, IsEmpty());
  ASSERT_THAT(left.items, SizeIs(1)) << "nor is it for the cache";
  EXPECT_EQ(left.items[0]->revision, 10);
}

// As an agent that resumes gets it: what there is now, and then what has been deleted meanwhile.
TEST_F(FeedApplyTest, ADeletionThatWasFollowedByAnotherPutDoesNotCount) {
  take(4, {put(4, named(10, "first"))});
  auto left = take(9, {put(9, named(10, "second")), gone(7, topology::Kind::bridge, id<BridgeId>(10))});
  EXPECT_EQ(name_of(10), "second");
  EXPECT_THAT(left.items, SizeIs(1));
}

TEST_F(FeedApplyTest, WhatIsKnownAlreadyChangesNothingAndStaysInTheBatch) {
  take(5, {put(5, bridge(10)), put(mac)});
  auto left = take(6, {put(5, bridge(10)), put(mac)});
  EXPECT_THAT(effect.delta.changes, IsEmpty());
  EXPECT_THAT(effect.states, IsEmpty());
  EXPECT_THAT(left.items, SizeIs(2)) << "the cache may not have it";
}

TEST_F(FeedApplyTest, ADeletionOfWhatIsNotThereChangesNothing) {
  take(5, {gone(5, topology::Kind::bridge, id<BridgeId>(10)), gone(5, mac_key)});
  EXPECT_THAT(effect.delta.changes, IsEmpty());
  EXPECT_THAT(effect.states, IsEmpty());
}

TEST_F(FeedApplyTest, AnObjectThatIsDeletedAndMadeAgainInOneBatchIsAChange) {
  take(5, {put(5, named(10, "first"))});
  take(8, {gone(7, topology::Kind::bridge, id<BridgeId>(10)), put(8, named(10, "second"))});
  ASSERT_THAT(effect.delta.changes, SizeIs(1));
  const auto& change = effect.delta.changes.begin()->second;
  EXPECT_EQ(topology::name_of(*change.before), "first");
  EXPECT_EQ(topology::name_of(*change.after), "second");
}

TEST_F(FeedApplyTest, ACompleteBatchIsAllThatThereIs) {
  take(5, {put(5, bridge(10)), put(5, bridge(11)), put(mac)});
  complete(6, {put(5, bridge(10)), put(6, bridge(12))});
  EXPECT_EQ(now.find(id<BridgeId>(11)), nullptr);
  EXPECT_NE(now.find(id<BridgeId>(12)), nullptr);
  EXPECT_EQ(states.size(), 0);
  EXPECT_THAT(effect.delta.changes, SizeIs(2)) << "the bridge that stays is no change";
  EXPECT_THAT(effect.gone,
              UnorderedElementsAre(topology::key_of({topology::Kind::bridge, id<BridgeId>(11).uuid()}), mac_key));
}

TEST_F(FeedApplyTest, ACompleteBatchCountsAlsoWhenItIsOlder) {
  take(9, {put(9, named(10, "lost")), put(8, bridge(11)), put(of(kThere, mac_claim(10, 7, 21), 9, 10))});
  complete(5, {put(3, named(10, "restored")), put(mac)});
  EXPECT_EQ(now.revision(), 5);
  EXPECT_EQ(name_of(10), "restored");
  EXPECT_EQ(name_of(11), "nothing");
  EXPECT_EQ(std::get<MacClaim>(states.find(mac_key)->fact).port, id<PortId>(20));
  complete(9, {put(9, named(10, "another database"))});
  complete(9, {put(9, named(10, "and another"))});
  EXPECT_EQ(name_of(10), "and another") << "the same revision, but not the same";
}

TEST_F(FeedApplyTest, WhatIsForgottenGoesWithAllThatIsItsOwn) {
  take(5, {put(5, bridge(10)), put(5, bridge_port(20, 10)), put(5, static_mac(30, 10, "02:00:00:00:00:01", 20)),
           put(5, static_neighbour(31, 10, "10.0.0.1", "02:00:00:00:00:01")), put(mac), put(5, bridge(11)),
           put(5, router(12)), put(5, router_port(22, 12, "10.0.0.1/24")), put(5, route(40, 12, "0.0.0.0/0", 22)),
           put(5, tunnel_zone(50)), put(5, tunnel_zone_host(51, 50, 1, "192.0.2.1"))});
  EXPECT_THAT(topology::owners_in(now), UnorderedElementsAre(id<BridgeId>(10).uuid(), id<BridgeId>(11).uuid(),
                                                             id<RouterId>(12).uuid(), id<TunnelZoneId>(50).uuid()));
  take({6, false, {id<BridgeId>(10).uuid(), id<RouterId>(12).uuid(), id<TunnelZoneId>(50).uuid()}, {}, 0});
  EXPECT_THAT(topology::owners_in(now), ElementsAre(id<BridgeId>(11).uuid()));
  EXPECT_EQ(now.size(), 1);
  EXPECT_EQ(states.size(), 0);
  EXPECT_THAT(effect.gone, SizeIs(10)) << "each for the cache";
}

TEST_F(FeedApplyTest, WhatIsForgottenAndNamedComesBack) {
  take(5, {put(5, bridge(10)), put(5, bridge_port(20, 10))});
  take({6, false, {id<BridgeId>(10).uuid()}, {put(5, bridge(10))}, 0});
  EXPECT_NE(now.find(id<BridgeId>(10)), nullptr);
  EXPECT_EQ(now.find(id<PortId>(20)), nullptr);
}

TEST_F(FeedApplyTest, ABatchThatCannotBeReadChangesNothing) {
  take(5, {put(5, bridge(10)), put(mac)});
  auto before = now;
  for (std::string key : {topology::key_of({topology::Kind::bridge, id<BridgeId>(11).uuid()}), mac_key}) {
    auto garbage = std::make_shared<const FeedItem>(FeedItem{key, 7, "garbage"});
    FeedBatch batch{7, true, {id<BridgeId>(10).uuid()}, {put(6, bridge(12)), gone(6, mac_key), garbage}, 0};
    FeedEffect none;
    EXPECT_THAT(apply_feed(batch, now, kHere, states, none), testing::StartsWith(key));
    EXPECT_THAT(batch.items, SizeIs(3));
    EXPECT_NE(states.find(mac_key), nullptr);
    EXPECT_EQ(now.size(), before.size());
  }
}

TEST_F(FeedApplyTest, KeysOfALaterVersionAreKeptForTheCacheOnly) {
  auto later = std::make_shared<const FeedItem>(FeedItem{"/pool/7", 6, "?"});
  auto of_table = std::make_shared<const FeedItem>(FeedItem{"/state/health/7", 6, "?"});
  auto left = take(6, {later, of_table, put(6, bridge(10))});
  EXPECT_THAT(left.items, SizeIs(3));
  EXPECT_EQ(states.size(), 0);
  EXPECT_EQ(now.size(), 1);
}

}  // namespace
}  // namespace viaduct::actors
