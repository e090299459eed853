#include "actors/agent/mirror_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows/simulation/network_views.hpp"
#include "tests/unit/agent/host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology::testing;
using flows::PortNumber;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using topology::Delta;
using topology::Snapshot;

topology::Port bound(uint64_t number, const std::string& interface, HostId host = kHere) {
  auto port = bridge_port(number, 10);
  port.host = host;
  port.interface = interface;
  return port;
}

MATCHER_P2(Binds, port, interface, "") { return arg.port == id<PortId>(port) && arg.interface == interface; }

// Plays the cluster: snapshots here, frames to the mirror; and the datapath, which grants every wish.
class MirrorStateTest : public testing::Test {
 protected:
  void commit(std::vector<topology::Object> objects, std::vector<topology::ObjectRef> gone = {}) {
    before_ = now_;
    for (auto& object : objects) {
      std::visit([&](auto& value) { value.revision = before_.revision() + 1; }, object);
      now_ = now_.with(share(std::move(object)));
    }
    for (const auto& ref : gone) now_ = now_.without(ref);
    now_ = now_.at_revision(before_.revision() + 1);
  }
  schema::Frame delta(std::vector<topology::FeedItemPtr> states = {}) const {
    topology::FeedBatch batch{now_.revision(), false, {}, std::move(states), 5};
    for (const auto& [ref, change] : Delta::between(before_, now_).changes) {
      batch.items.push_back(change.after != nullptr ? topology::feed_item(*change.after) : gone(topology::key_of(ref)));
    }
    return topology::encode_feed(batch);
  }
  schema::Frame whole(std::vector<topology::FeedItemPtr> states = {}) const {
    topology::FeedBatch batch{now_.revision(), true, {}, std::move(states), 0};
    for (const auto& [ref, change] : Delta::between({}, now_).changes)
      batch.items.push_back(topology::feed_item(*change.after));
    return topology::encode_feed(batch);
  }
  // As of now.
  topology::FeedItemPtr item(StateEntry entry) const {
    entry.revision = now_.revision();
    return topology::feed_item(entry);
  }
  topology::FeedItemPtr gone(const std::string& key) const {
    return std::make_shared<const topology::FeedItem>(topology::FeedItem{key, now_.revision(), {}});
  }
  MirrorState::Published take(const schema::Frame& frame, const std::optional<HostPaths>& paths = std::nullopt) {
    auto pending = mirror.prepare(frame, error);
    EXPECT_TRUE(pending.has_value()) << error;
    if (!pending) return {};
    BindingsChanged active{bindings(), {}};
    for (const auto& binding : pending->bindings.bind) {
      active.bindings = active.bindings.insert(binding.port, PortNumber{7});
      active.rebound.push_back(binding.port);
    }
    for (PortId port : pending->bindings.unbind) {
      active.bindings = active.bindings.erase(port);
      active.rebound.push_back(port);
    }
    if (pending->needs_reconcile()) mirror.bound(*pending, active);
    auto published = mirror.finish(std::move(*pending), paths);
    if (published.network != nullptr) last_ = published.network;
    return published;
  }
  flows::simulation::Bindings bindings() const {
    return last_ == nullptr ? flows::simulation::Bindings{} : last_->locations().bindings;
  }
  ReconcileBindings wishes() {
    auto pending = mirror.prepare(delta(), error);
    EXPECT_TRUE(pending.has_value()) << error;
    return pending ? pending->bindings : ReconcileBindings{};
  }

  MirrorState mirror{kHere};
  Snapshot before_, now_;
  std::shared_ptr<const flows::simulation::Network> last_;
  std::string error;
};

TEST_F(MirrorStateTest, TheFirstBatchIsASnapshotAndAsksForThisHostsInterfaces) {
  commit({host(1), host(2), bridge(10), bound(20, "tap0"), bound(21, "tap1", kThere), bridge_port(22, 10)});
  auto pending = mirror.prepare(whole(), error);
  ASSERT_TRUE(pending) << error;
  EXPECT_TRUE(pending->bindings.complete);
  EXPECT_THAT(pending->bindings.bind, ElementsAre(Binds(20, "tap0")));
  EXPECT_EQ(mirror.revision(), 0) << "nothing is adopted before the datapath has answered";

  auto published = take(whole());
  EXPECT_EQ(mirror.revision(), 1);
  EXPECT_EQ(published.network->revision(), 1);
  ASSERT_NE(published.network->port(id<PortId>(20)), nullptr);
  EXPECT_EQ(published.network->port(id<PortId>(20))->number, PortNumber{7});
  EXPECT_THAT(published.devices.bridges, ElementsAre(id<BridgeId>(10)));
}

TEST_F(MirrorStateTest, ADeltaBindsUnbindsAndRenamesWhatChanged) {
  commit({host(1), host(2), bridge(10), bound(20, "tap0"), bound(21, "tap1"), bound(22, "tap2")});
  take(whole());
  auto renamed = bridge(10);
  renamed.name = "another name";
  commit({renamed, bound(21, "eth1"), bound(22, "tap2", kThere), bound(23, "tap3")}, {});
  auto wish = wishes();
  EXPECT_FALSE(wish.complete);
  EXPECT_THAT(wish.bind, ElementsAre(Binds(21, "eth1"), Binds(23, "tap3")));
  EXPECT_THAT(wish.unbind, ElementsAre(id<PortId>(22)));
  take(delta());
  commit({}, {{topology::Kind::port, id<PortId>(20).uuid()}});
  EXPECT_THAT(wishes().unbind, ElementsAre(id<PortId>(20)));
}

TEST_F(MirrorStateTest, ABatchWithoutBindingsNeedsNoDatapath) {
  commit({host(1), bridge(10)});
  take(whole());
  commit({bridge(11)});
  auto pending = mirror.prepare(delta(), error);
  ASSERT_TRUE(pending);
  EXPECT_FALSE(pending->needs_reconcile());
  EXPECT_EQ(pending->committed_at.time_since_epoch(), std::chrono::nanoseconds(5));
}

TEST_F(MirrorStateTest, TheSameBatchTwiceIsNoChange) {
  commit({host(1), bridge(10), bound(20, "tap0")});
  take(whole());
  auto again = mirror.prepare(delta(), error);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->needs_reconcile());
  EXPECT_FALSE(again->underlay);
  EXPECT_TRUE(take(delta()).invalidation.empty());
}

TEST_F(MirrorStateTest, GarbageIsRefusedAndChangesNothing) {
  commit({host(1), bridge(10)});
  take(whole());
  schema::Frame good = whole();
  for (size_t at = 0; at < good.bytes.size(); ++at) {
    schema::Frame bad = good;
    bad.bytes[at] ^= 0xff;
    (void)mirror.prepare(bad, error);
    bad.bytes.resize(at);
    EXPECT_FALSE(mirror.prepare(bad, error)) << at;
  }
  EXPECT_NE(error, "");
  EXPECT_EQ(mirror.revision(), 1);
}

TEST_F(MirrorStateTest, ASnapshotAfterAGapUndoesWhatIsGoneMeanwhile) {
  commit({host(1), bridge(10), bridge(11), router(12), bound(20, "tap0")});
  take(whole());
  commit({}, {{topology::Kind::port, id<PortId>(20).uuid()}});
  commit({bridge(13)},
         {{topology::Kind::bridge, id<BridgeId>(11).uuid()}, {topology::Kind::router, id<RouterId>(12).uuid()}});
  auto pending = mirror.prepare(whole(), error);
  ASSERT_TRUE(pending) << error;
  EXPECT_TRUE(pending->bindings.complete);
  EXPECT_THAT(pending->bindings.bind, IsEmpty());
  auto published = take(whole());
  EXPECT_THAT(published.devices.removed, SizeIs(2));
  EXPECT_THAT(published.devices.bridges, ElementsAre(id<BridgeId>(13)));
  EXPECT_EQ(published.network->bridge(id<BridgeId>(11)), nullptr);
  EXPECT_FALSE(published.invalidation.empty());
}

TEST_F(MirrorStateTest, ARoutersPortWithOtherAddressesVoidsWhatWasLearnedBehindIt) {
  commit({host(1), router(12), router_port(20, 12, "10.0.0.1/24"), router_port(21, 12, "10.0.1.1/24")});
  take(whole());
  auto same = router_port(21, 12, "10.0.1.1/24");
  same.name = "renamed";
  commit({router_port(20, 12, "10.0.9.1/24"), same});
  auto published = take(delta());
  ASSERT_THAT(published.devices.void_ports, SizeIs(1));
  EXPECT_THAT(published.devices.void_ports.at(id<RouterId>(12)), ElementsAre(id<PortId>(20)));
}

TEST_F(MirrorStateTest, AnInterfaceThatComesOrGoesMakesANewNetworkOfTheSameRevision) {
  commit({host(1), bridge(10), bound(20, "tap0")});
  take(whole());
  auto gone = mirror.rebind({{}, {id<PortId>(20)}});
  EXPECT_EQ(gone.network->revision(), 1);
  EXPECT_FALSE(gone.network->port(id<PortId>(20))->number);
  EXPECT_FALSE(gone.invalidation.empty()) << "flows by the old number go";
  EXPECT_TRUE(gone.network->locations().bindings.empty());
}

TEST_F(MirrorStateTest, ItsOwnPortsGetKeysAndOthersAreReached) {
  commit({host(1), host(2), bridge(10), bound(20, "tap0"), bound(21, "tap0", kThere)});
  const StateEntry there = of(kThere, active(21, 5));
  const flows::simulation::TunnelPath path{PortNumber{9}, ip("192.0.2.1"), ip("192.0.2.2"), 1450};
  HostPaths paths;
  paths.paths[kThere] = path;
  auto published = take(whole({item(there)}), paths);
  EXPECT_TRUE(published.own_moved);
  EXPECT_THAT(mirror.own_locations(), SizeIs(2)) << "the port, and the bridge that floods to it";
  EXPECT_THAT(published.states, SizeIs(1));
  EXPECT_EQ(published.network->port(id<PortId>(21))->remote, (flows::simulation::RemotePort{kThere, 5}));

  commit({bridge(11)});
  EXPECT_FALSE(take(delta()).own_moved);
  auto moved = mirror.reach({});
  EXPECT_FALSE(moved.invalidation.empty()) << "flows to that host go";
  EXPECT_FALSE(moved.own_moved);
  EXPECT_TRUE(mirror.reach({}).invalidation.empty());
}

TEST_F(MirrorStateTest, KeysOfAnEarlierLifeAreKept) {
  commit({host(1), bridge(10), bound(20, "tap0")});
  const StateEntry before = of(kHere, active(20, 777));
  take(whole({item(before)}));
  EXPECT_THAT(mirror.own_locations(), testing::Contains(of(kHere, active(20, 777), 0)));
}

// The datapath did not answer, say; the cluster sends the next batch.
TEST_F(MirrorStateTest, StatesOfABatchThatWasNotFinishedComeWithTheNext) {
  commit({host(1), host(2), bridge(10), bound(21, "tap0", kThere)});
  take(whole());
  const StateEntry there = of(kThere, active(21, 5));
  const StateEntry guest = of(kThere, mac_claim(10, 7, 21), 0, 10);
  commit({bridge(11)});
  ASSERT_TRUE(mirror.prepare(delta({item(there), item(guest)}), error));
  EXPECT_EQ(mirror.revision(), 1);

  auto published = take(delta({item(there), item(guest)}));
  EXPECT_EQ(mirror.revision(), 2);
  EXPECT_THAT(published.states, SizeIs(2));
  EXPECT_EQ(published.network->port(id<PortId>(21))->remote.key, 5);
  commit({bridge(12)});
  EXPECT_THAT(take(delta()).states, IsEmpty()) << "once";
}

TEST_F(MirrorStateTest, ZonesAndHostsConcernTheTunnels) {
  commit({host(1), host(2), bridge(10), tunnel_zone(60), tunnel_zone_host(61, 60, 2, "192.0.2.2")});
  auto first = mirror.prepare(whole(), error);
  ASSERT_TRUE(first && first->underlay);
  EXPECT_THAT(first->underlay->names,
              testing::UnorderedElementsAre(testing::Pair(kHere, "host1"), testing::Pair(kThere, "host2")));
  take(whole());
  commit({tunnel_zone(50), tunnel_zone_host(51, 50, 1, "192.0.2.1")});
  auto zones = mirror.prepare(delta(), error);
  ASSERT_TRUE(zones && zones->underlay);
  EXPECT_THAT(zones->underlay->zones, SizeIs(2));
  EXPECT_THAT(zones->underlay->members, SizeIs(2));
  take(delta());
  commit({bridge(11)});
  EXPECT_FALSE(mirror.prepare(delta(), error)->underlay);
}

TEST_F(MirrorStateTest, AnOwnPortThatTheTablesLoseIsSaidAgain) {
  commit({host(1), bridge(10), bound(20, "tap0")});
  take(whole());
  commit({});
  const auto own = mirror.own_locations();
  EXPECT_FALSE(take(delta({item(own.at(0)), item(own.at(1))})).own_moved) << "the echo";
  commit({});
  EXPECT_TRUE(take(delta({gone(topology::state_key(own.at(0)))})).own_moved);
}

// --- health of pools' members -----------------------------------------------------------------------

TEST_F(MirrorStateTest, WhatCheckersFindReachesTheNetworkAndWhatThisHostFindsAtOnce) {
  commit({load_balancer(30), health_monitor(50), pool(31, 30, 50), pool_member(41, 31, "10.0.0.1", 80)});
  topology::HealthReport report{id<PoolId>(31), {{id<PoolMemberId>(41), false, topology::CheckResult::refused, 0, 7}}};
  auto published = take(whole({item(of(kThere, report))}));
  EXPECT_TRUE(published.network->locations().unhealthy.contains(id<PoolMemberId>(41)));
  EXPECT_EQ(*published.network->locations().checkers.find(id<PoolId>(31)), kThere);
  report.members.front().up = true;
  published = mirror.judge({{{report.pool, report}}});
  EXPECT_FALSE(published.network->locations().unhealthy.contains(id<PoolMemberId>(41)));
  EXPECT_FALSE(published.invalidation.tags.empty()) << "flows of the pool are simulated again";
  EXPECT_TRUE(published.network->locations().checkers.find(id<PoolId>(31))->is_nil());
  commit({pool(31, 30)});
  published = take(delta());
  EXPECT_FALSE(published.network->locations().health.contains(id<PoolId>(31))) << "no monitor";
}

// --- routing protocols ------------------------------------------------------------------------------

class MirrorRouting : public MirrorStateTest {
 protected:
  MirrorRouting() {
    auto uplink = router_port(22, 12, "10.9.0.1/24");
    uplink.host = kHere;
    uplink.interface = "eth1";
    commit({host(1), router(12), uplink});
  }
  topology::LearnedRoutes routes(std::string_view prefix) {
    return {id<PortId>(22), ip("10.9.0.254"), 3, {IpPrefix::parse(prefix).value()}};
  }
  static PortId next_hop(const MirrorState::Published& published, std::string_view destination) {
    const auto* router = published.network->router(id<RouterId>(12));
    const auto match = router->fib.lookup(ip("10.9.0.1"), ip(destination), 0);
    return match.entry == nullptr ? PortId{} : match.entry->port;
  }
  // As the datapath answers.
  MirrorState::Published bound(const ReconcileBindings& wish, uint32_t number) {
    BindingsChanged active{bindings(), {}};
    for (const auto& binding : wish.bind) {
      active.bindings = active.bindings.insert(binding.port, PortNumber{number});
      active.rebound.push_back(binding.port);
    }
    for (const PortId port : wish.unbind) {
      active.bindings = active.bindings.erase(port);
      active.rebound.push_back(port);
    }
    auto published = mirror.rebind(active);
    last_ = published.network;
    return published;
  }
  const SpeakersChanged speakers{{{id<PortId>(22), {"vb0", {ip("10.9.0.254")}}}}};
};

TEST_F(MirrorRouting, WhatASpeakerLearnsCountsAtOnceAndWhatAnEarlierLifeLearnedGoesOn) {
  auto published = take(whole({item(of(kHere, routes("10.1.0.0/16")))}));
  ASSERT_TRUE(published.restored);
  EXPECT_THAT(published.restored->said, ElementsAre(topology::HostFact(routes("10.1.0.0/16"))));
  EXPECT_EQ(next_hop(published, "10.1.2.3"), id<PortId>(22));
  published = mirror.learn({{routes("10.2.0.0/16")}, {}});
  EXPECT_EQ(next_hop(published, "10.1.2.3"), PortId{});
  EXPECT_EQ(next_hop(published, "10.2.2.3"), id<PortId>(22));
  EXPECT_FALSE(published.invalidation.empty());
  published = mirror.learn({{topology::GatewayLost{id<PortId>(22), ip("10.9.0.254")}}, {}});
  EXPECT_EQ(next_hop(published, "10.2.2.3"), PortId{});
}

TEST_F(MirrorRouting, LearnedRoutesThatTheTablesLoseAreSaidAgain) {
  take(whole());
  const auto entry = of(kHere, routes("10.1.0.0/16"));
  commit({});
  mirror.learn({{entry.fact}, {}});
  EXPECT_FALSE(take(delta({item(entry)})).own_moved) << "the echo";
  commit({});
  EXPECT_TRUE(take(delta({gone(topology::state_key(entry))})).own_moved);
  commit({});
  take(delta({item(entry)}));
  mirror.learn({{}, {entry.fact}});
  commit({});
  EXPECT_FALSE(take(delta({gone(topology::state_key(entry))})).own_moved) << "it is so no more";
}

TEST_F(MirrorRouting, ASpeakersInterfaceIsBoundAndIsNoPortOfTheNetwork) {
  take(whole());
  ReconcileBindings wish;
  auto published = mirror.speak(speakers, wish);
  ASSERT_EQ(wish.bind.size(), 1);
  EXPECT_EQ(wish.bind.front().interface, "vb0");
  EXPECT_FALSE(published.network->port(id<PortId>(22))->speaker.number) << "not yet";
  published = bound(wish, 9);
  EXPECT_EQ(published.network->port(id<PortId>(22))->speaker.number, PortNumber{9});
  EXPECT_EQ(published.network->spoken_for(PortNumber{9})->id, id<PortId>(22));
  EXPECT_EQ(mirror.own_locations().size(), 1) << "it has no key: other hosts do not reach it";
  EXPECT_FALSE(published.own_moved);

  EXPECT_EQ(mirror.speak(speakers, wish).network->port(id<PortId>(22))->speaker.peers.size(), 1);
  EXPECT_TRUE(wish.bind.empty() && wish.unbind.empty()) << "nothing new";
  published = mirror.speak({}, wish);
  EXPECT_EQ(wish.unbind.size(), 1);
  EXPECT_FALSE(published.network->port(id<PortId>(22))->speaker.number);
  EXPECT_EQ(bound(wish, 0).network->spoken_for(PortNumber{9}), nullptr);
}

TEST_F(MirrorRouting, ASnapshotKeepsTheSpeakersInterfacesAlsoThoseThatComeBeforeTheDatapathIsAsked) {
  take(whole());
  auto pending = mirror.prepare(whole(), error);
  ASSERT_TRUE(pending) << error;
  ReconcileBindings wish;
  mirror.speak(speakers, wish);
  EXPECT_THAT(
      mirror.wish(*pending).bind,
      testing::UnorderedElementsAre(Binds(22, "eth1"), testing::Field(&ReconcileBindings::Binding::interface, "vb0")));
}

TEST_F(MirrorRouting, AnAnswerThatComesWhileABatchWaitsForItsTunnelsCounts) {
  take(whole());
  auto pending = mirror.prepare(whole(), error);
  ASSERT_TRUE(pending) << error;
  mirror.bound(*pending, {bindings(), {}});
  ReconcileBindings wish;
  mirror.speak(speakers, wish);
  bound(wish, 9);
  const auto published = mirror.finish(std::move(*pending), std::nullopt);
  EXPECT_EQ(published.network->port(id<PortId>(22))->speaker.number, PortNumber{9});
  ASSERT_NE(published.network->locations().bindings.find(id<PortId>(22)), nullptr);
}

TEST_F(MirrorRouting, ASpeakerThatIsWantedNoMoreIsNoPortWhenItIsBound) {
  take(whole());
  ReconcileBindings wish, none;
  mirror.speak(speakers, wish);
  mirror.speak({}, none);
  EXPECT_FALSE(bound(wish, 9).own_moved);
  EXPECT_EQ(mirror.own_locations().size(), 1);
}

}  // namespace
}  // namespace viaduct::actors
