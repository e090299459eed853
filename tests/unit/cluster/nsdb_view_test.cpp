#include "actors/cluster/nsdb_view.hpp"

#include "nsdb.hpp"

namespace viaduct::actors::cluster_test {
namespace {

using namespace topology::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using topology::Kind;
using topology::ObjectRef;

const HostId kHost = id<HostId>(1);
ObjectRef bridge_ref(uint64_t number) { return {Kind::bridge, id<BridgeId>(number).uuid()}; }
std::string bridge_key(uint64_t number) { return topology::key_of(bridge_ref(number)); }

// A port of the bridge on kHost, which therefore needs the bridge.
topology::Port bound(uint64_t number, uint64_t on_bridge) {
  auto out = bridge_port(number, on_bridge);
  out.host = kHost;
  out.interface = "tap" + std::to_string(number);
  return out;
}
std::string port_key(uint64_t number) { return topology::key_of({Kind::port, id<PortId>(number).uuid()}); }

class NsdbViewTest : public ::testing::Test {
 protected:
  std::vector<NsdbView::Step> follow(NsdbView& view, store::Revision from) {
    std::vector<NsdbView::Step> steps;
    for (const auto& batch : changes_of(*nsdb, from)) steps.push_back(view.follow(batch, {}));
    return steps;
  }
  std::vector<NsdbView::Step> follow(NsdbView& view) { return follow(view, view.revision() + 1); }
  store::Revision put_raw(const std::string& key, const std::string& value) {
    store::Transaction transaction;
    transaction.puts.push_back({key, value});
    auto committed = nsdb->commit(transaction);
    EXPECT_TRUE(committed);
    return *committed;
  }
  store::Revision put_state(uint64_t port, uint32_t key, store::LeaseId lease = store::LeaseId::none,
                            uint64_t bridge = 1) {
    topology::StateEntry entry{kHost, id<BridgeId>(bridge).uuid(), 0, topology::PortActive{id<PortId>(port), key}};
    store::Transaction transaction;
    transaction.puts.push_back(
        {topology::state_key(entry), store::to_value(topology::encode_state(entry).bytes), lease});
    auto committed = nsdb->commit(transaction);
    EXPECT_TRUE(committed);
    return *committed;
  }
  // "key" for what is put, "-key" for what is deleted.
  static std::vector<std::string> items(const topology::FeedBatch& batch) {
    std::vector<std::string> out;
    for (const auto& item : batch.items) out.push_back((item->value ? "" : "-") + item->key);
    return out;
  }

  MemoryNsdb nsdb;
};

TEST_F(NsdbViewTest, ALoadTakesEverythingAsOfOneRevision) {
  write(*nsdb, {bridge(1), bound(11, 1), bridge(2)});
  put_raw(std::string(kTopologyHeadKey), "");
  put_state(11, 7);
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  EXPECT_EQ(view.revision(), 3);
  EXPECT_EQ(view.head(), 2);
  EXPECT_EQ(view.snapshot()->revision(), 3);
  EXPECT_EQ(view.snapshot()->find(id<BridgeId>(1))->revision, 1) << "an object's revision is its key's";
  EXPECT_EQ(view.states().size(), 1);
  EXPECT_THAT(view.whole(kHost).items, SizeIs(3)) << "not the other bridge";
  EXPECT_TRUE(view.whole(kHost).complete);
}

TEST_F(NsdbViewTest, AChangeSaysWhatItIsAndWhatAgentsGet) {
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  write(*nsdb, {bridge(1), bound(11, 1)});
  put_state(11, 7);
  write(*nsdb, {}, {bridge_ref(1), {Kind::port, id<PortId>(11).uuid()}});
  auto steps = follow(view);
  ASSERT_THAT(steps, SizeIs(3));
  EXPECT_THAT(steps[0].delta->changes, SizeIs(2));
  EXPECT_EQ(steps[0].delta->to_revision, 1);
  EXPECT_THAT(steps[0].states, IsEmpty());
  EXPECT_THAT(steps[1].delta->changes, IsEmpty());
  ASSERT_THAT(steps[1].states, SizeIs(1));
  EXPECT_EQ(steps[1].states[0].before, nullptr);
  ASSERT_THAT(steps[2].parts, SizeIs(1));
  EXPECT_THAT(steps[2].parts[0].hosts, ::testing::ElementsAre(kHost));
  EXPECT_THAT(steps[2].parts[0].batch->forget, ::testing::ElementsAre(id<BridgeId>(1).uuid()));
  EXPECT_EQ(steps[2].delta->changes.at(bridge_ref(1)).after, nullptr);
  EXPECT_NE(steps[2].delta->changes.at(bridge_ref(1)).before, nullptr);
  EXPECT_EQ(view.snapshot()->find(id<BridgeId>(1)), nullptr);
  EXPECT_NE(steps[0].snapshot->find(id<BridgeId>(1)), nullptr) << "snapshots do not change";
}

TEST_F(NsdbViewTest, TheEndOfALeaseIsOneChange) {
  auto lease = nsdb->grant(std::chrono::seconds(5));
  ASSERT_TRUE(lease);
  for (uint64_t port = 1; port <= 3; ++port) put_state(port, 7, *lease);
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  nsdb.pass(std::chrono::seconds(6));
  auto steps = follow(view);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_THAT(steps[0].states, SizeIs(3));
  for (const auto& change : steps[0].states) EXPECT_EQ(change.after, nullptr);
  EXPECT_EQ(view.states().size(), 0);
}

// An agent that was away is told of what vanished before this node started.
TEST_F(NsdbViewTest, HistoryBeforeTheLoadTellsWhatVanished) {
  write(*nsdb, {bridge(1)});
  auto seen = write(*nsdb, {bridge(2)});
  write(*nsdb, {}, {bridge_ref(1)});
  write(*nsdb, {bridge(3), bound(13, 3)});
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  EXPECT_EQ(view.since(kHost, seen, {}), std::nullopt) << "not known yet";
  view.expect_history_from(0);
  for (const auto& step : follow(view, 1)) EXPECT_EQ(step.delta, nullptr) << "nothing of it is new";
  auto since = view.since(kHost, seen, {});
  ASSERT_TRUE(since);
  EXPECT_FALSE(since->complete);
  EXPECT_EQ(since->revision, view.revision());
  EXPECT_THAT(items(*since), ::testing::IsSupersetOf({"-" + bridge_key(1), bridge_key(3), port_key(13)}));
}

// An agent that comes back is not told of every port that has become active meanwhile.
TEST_F(NsdbViewTest, OfPortsHistoryTellsOnlyOfThoseThatWent) {
  auto seen = write(*nsdb, {bridge(1), bound(11, 1), bound(12, 1)});
  put_state(11, 7);
  write(*nsdb, {}, {{topology::Kind::port, id<PortId>(12).uuid()}});
  put_state(12, 7, store::LeaseId::none, 2);  // come again, on another bridge
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  view.expect_history_from(0);
  follow(view, 1);
  auto since = view.since(kHost, seen, {});
  ASSERT_TRUE(since);
  auto entry = [](uint64_t port) { return "-/state/port/" + id<PortId>(port).to_string(); };
  EXPECT_THAT(items(*since), ::testing::Not(::testing::Contains(entry(11))));
  EXPECT_THAT(items(*since), ::testing::Contains(entry(12)));
}

// What was learned behind a port goes with it, also when the port comes again on another router.
TEST_F(NsdbViewTest, OfLearnedRoutesHistoryTellsOnlyOfThoseWhosePortWent) {
  const auto uplink = [](uint64_t number, uint64_t on_router) {
    auto out = router_port(number, on_router, "10.0.0.1/24");
    out.host = kHost;
    out.interface = "tap" + std::to_string(number);
    return out;
  };
  const auto put = [&](const topology::HostFact& fact, uint64_t on_router) {
    topology::StateEntry entry{kHost, id<RouterId>(on_router).uuid(), 0, fact};
    put_raw(topology::state_key(entry), store::to_value(topology::encode_state(entry).bytes));
    return topology::state_key(entry);
  };
  const auto routes = [](uint64_t port) { return topology::LearnedRoutes{id<PortId>(port), ip("10.0.0.9"), 3}; };
  const auto lost = [](uint64_t port) { return topology::GatewayLost{id<PortId>(port), ip("10.0.0.9")}; };
  auto seen = write(*nsdb, {router(1), router(2), uplink(11, 1), uplink(12, 1)});
  const std::vector<std::string> stay = {put(routes(11), 1), put(lost(11), 1)};
  write(*nsdb, {}, {{topology::Kind::port, id<PortId>(12).uuid()}});
  write(*nsdb, {uplink(12, 2)});
  const std::vector<std::string> went = {put(routes(12), 2), put(lost(12), 2)};
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  view.expect_history_from(0);
  follow(view, 1);
  const auto since = view.since(kHost, seen, {});
  ASSERT_TRUE(since);
  for (const auto& key : stay) EXPECT_THAT(items(*since), ::testing::Not(::testing::Contains("-" + key)));
  for (const auto& key : went) EXPECT_THAT(items(*since), ::testing::Contains("-" + key));
}

TEST_F(NsdbViewTest, HistoryThatBeginsLaterTellsOnlyOfWhatFollows) {
  for (uint64_t number = 1; number <= 4; ++number) write(*nsdb, {bridge(number)});
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  view.expect_history_from(2);
  follow(view, 3);
  EXPECT_EQ(view.forgotten(), 2);
  EXPECT_FALSE(view.since(kHost, 1, {}));
  EXPECT_TRUE(view.since(kHost, 2, {}));
}

TEST_F(NsdbViewTest, MoreDeletionsThanItKeepsMakeAnAgentGetEverything) {
  write(*nsdb, {bridge(1), bridge(2), bridge(3)});
  NsdbView view(2);
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  for (uint64_t number = 1; number <= 3; ++number) write(*nsdb, {}, {bridge_ref(number)});
  follow(view);
  EXPECT_EQ(view.forgotten(), 2) << "the deletion of the first one";
  EXPECT_FALSE(view.since(kHost, 1, {}));
  auto since = view.since(kHost, 2, {id<BridgeId>(2).uuid(), id<BridgeId>(3).uuid()});
  ASSERT_TRUE(since);
  EXPECT_THAT(since->forget, UnorderedElementsAre(id<BridgeId>(2).uuid(), id<BridgeId>(3).uuid()));
}

TEST_F(NsdbViewTest, AnAgentThatIsAheadGetsEverything) {
  write(*nsdb, {bridge(1)});
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  EXPECT_FALSE(view.since(kHost, view.revision() + 1, {})) << "of a database that was put back to an older state";
  EXPECT_TRUE(view.since(kHost, view.revision(), {}));
}

// Created anew after it was deleted: it is there, whatever the order in the batch.
TEST_F(NsdbViewTest, WhatCameBackIsNotReportedAsGoneLast) {
  write(*nsdb, {bridge(1), bound(11, 1)});
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  write(*nsdb, {}, {bridge_ref(1), {Kind::port, id<PortId>(11).uuid()}});
  write(*nsdb, {bridge(1), bound(11, 1)});
  follow(view);
  auto since = view.since(kHost, 1, {id<BridgeId>(1).uuid()});
  ASSERT_TRUE(since);
  uint64_t newest = 0;
  bool there = false;
  for (const auto& item : since->items) {
    if (item->key != bridge_key(1) || item->revision < newest) continue;
    newest = item->revision;
    there = item->value.has_value();
  }
  EXPECT_TRUE(there) << ::testing::PrintToString(items(*since));
  auto last = std::find_if(since->items.rbegin(), since->items.rend(),
                           [](const auto& item) { return item->key == bridge_key(1); });
  EXPECT_TRUE((*last)->value.has_value()) << "a reader who takes them in order ends with what is";
}

TEST_F(NsdbViewTest, WhatANewerVersionWroteKeepsTheOldObjectAndIsCounted) {
  write(*nsdb, {bridge(1)});
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  put_raw(bridge_key(1), "of another world");
  put_raw("/state/port/x", "of another world");
  put_raw("/state/health/7", "of a table that a later version has added");
  auto steps = follow(view);
  ASSERT_THAT(steps, SizeIs(3));
  EXPECT_EQ(view.unreadable(), 2);
  EXPECT_NE(view.snapshot()->find(id<BridgeId>(1)), nullptr);
  EXPECT_THAT(steps[0].delta->changes, IsEmpty());
  EXPECT_THAT(steps[1].states, IsEmpty());
  EXPECT_THAT(steps[2].states, IsEmpty());
  EXPECT_EQ(view.revision(), 4);
  NsdbView fresh;
  EXPECT_THAT(fresh.load(*nsdb), testing::Optional(HasSubstr("/state/port/x"))) << "and not the later version's table";
}

TEST_F(NsdbViewTest, WhatCannotBeReadAtAStartIsNamed) {
  put_raw(bridge_key(1), "garbage");
  NsdbView view;
  auto wrong = view.load(*nsdb);
  ASSERT_TRUE(wrong);
  EXPECT_THAT(*wrong, HasSubstr(bridge_key(1)));
}

TEST_F(NsdbViewTest, KeysOfOthersChangeNothing) {
  NsdbView view;
  ASSERT_EQ(view.load(*nsdb), std::nullopt);
  put_raw("/foreign/key", "value");
  auto steps = follow(view);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_THAT(steps[0].delta->changes, IsEmpty());
  EXPECT_EQ(view.revision(), 1);
  EXPECT_THAT(view.whole(kHost).items, IsEmpty());
}

}  // namespace
}  // namespace viaduct::actors::cluster_test
