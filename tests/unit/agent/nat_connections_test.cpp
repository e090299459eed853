#include "actors/agent/nat_connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/agent/nat_rules.hpp"
#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::NatBlock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using topology::testing::id;
using topology::testing::ip;

const Uuid kRouter = Uuid::from_words(0, 12);
const IpAddress kOutside = ip("203.0.113.9");

class NatConnectionsTest : public testing::Test {
 protected:
  static NatBlock block(uint16_t number) { return {kRouter, kOutside, number}; }
  // A guest's connection that leaves from this port of the outside address.
  ConnectionKey open(uint16_t port, bool owned = true) {
    ConnectionEntry entry;
    entry.address = kOutside;
    entry.port = port;
    entry.owned = owned;
    const ConnectionKey key{ConnectionKind::snat, 6, port, 80, ip("10.0.0.1"), ip("198.51.100.1"), kRouter};
    const ConnectionKey back = *flows::partner_of(key, entry);
    EXPECT_EQ(state.connections.open(back, flows::partner_entry(key, entry)), flows::OpenResult::added);
    EXPECT_EQ(state.connections.open(key, entry), flows::OpenResult::added);
    return key;
  }
  std::set<NatBlock> look(bool copies_only = false) {
    NatLook all;
    while (all.step(state.connections, copies_only)) {
    }
    return all.found();
  }

  AgentState state;
};

TEST_F(NatConnectionsTest, TheBlocksOfConnectionsAreFound) {
  open(1024);
  open(1087);
  open(1088, false);
  EXPECT_THAT(look(), ElementsAre(block(16), block(17)));
  EXPECT_THAT(look(true), ElementsAre(block(17))) << "another host's";
}

TEST_F(NatConnectionsTest, WithItsBlockAConnectionEndsAndItsFlowsGo) {
  const ConnectionKey lost = open(1024), copy = open(1025, false), other = open(1088);
  state.flow_news.take();
  const uint64_t epoch = state.epochs.now();
  EXPECT_EQ(end_connections({block(16)}, state), 1);
  EXPECT_FALSE(state.connections.find(lost));
  EXPECT_TRUE(state.connections.find(copy)) << "its owner says when it is over";
  EXPECT_TRUE(state.connections.find(other));
  EXPECT_THAT(look(), ElementsAre(block(16), block(17)));
  EXPECT_THAT(state.flow_news.take().tags, SizeIs(2)) << "of both directions";
  const flows::Tag tag = flows::tag_of(lost);
  EXPECT_FALSE(state.epochs.unchanged_since({&tag, 1}, epoch));
  EXPECT_EQ(end_connections({block(16)}, state), 0);
}

TEST_F(NatConnectionsTest, WhatIsYieldedStaysUntilTheReplicatorHasCopies) {
  const ConnectionKey lost = open(1024), copy = open(1025, false), other = open(1088);
  state.flow_news.take();
  EXPECT_EQ(yield_connections({block(16)}, state), 1);
  const auto news = state.replication_news.take();
  ASSERT_THAT(news, SizeIs(1));
  const auto* yielded = std::get_if<YieldedState>(&news.front());
  ASSERT_NE(yielded, nullptr);
  EXPECT_THAT(yielded->keys, ElementsAre(*flows::partner_of(lost, *state.connections.find(lost))));
  for (const auto& key : {lost, copy, other}) EXPECT_TRUE(state.connections.find(key));
  EXPECT_TRUE(state.flow_news.take().tags.empty()) << "its packets go on";
  EXPECT_EQ(yield_connections({block(18)}, state), 0);
  EXPECT_THAT(state.replication_news.take(), IsEmpty());
}

TEST_F(NatConnectionsTest, WhatIsYieldedIsLetInWhateverWaits) {
  open(1024);
  std::vector<SharedState> many(ReplicationNews::kCapacity);
  state.replication_news.share(many);
  yield_connections({block(16)}, state);
  EXPECT_THAT(state.replication_news.take(), SizeIs(ReplicationNews::kCapacity + 1));
  EXPECT_EQ(state.replication_news.lost(), 0);
}

// --- rules -----------------------------------------------------------------------------------------

TEST(NatRules, AnAddressIsNamedByAChainOfTheDeviceOfItsPortsOrThatTheseJumpTo) {
  using namespace topology;
  auto rule_of = [](uint64_t number, uint64_t chain) {
    Rule rule;
    rule.id = id<RuleId>(number);
    rule.chain = id<ChainId>(chain);
    return rule;
  };
  Rule jump = rule_of(50, 40);
  jump.action = RuleAction::jump;
  jump.jump = id<ChainId>(41);
  Rule translate = rule_of(51, 41);
  translate.nat = NatKind::snat;
  translate.targets = {{ip("203.0.113.8"), ip("203.0.113.9"), 1024, 2047, 0}};
  Rule fixed = rule_of(52, 41);
  fixed.nat = NatKind::snat;
  fixed.targets = {{ip("203.0.113.10"), ip("203.0.113.10"), 0, 0, 0}};
  Router edge = topology::testing::router(12);
  edge.outbound_filter = id<ChainId>(40);
  Router other = topology::testing::router(13);
  Port uplink = topology::testing::router_port(20, 13, "192.0.2.1/24");
  uplink.outbound_filter = id<ChainId>(41);
  Snapshot snapshot;
  auto put = [&](Object object) { snapshot.put(std::make_shared<const Object>(std::move(object))); };
  for (const Rule& rule : {jump, translate, fixed}) put(rule);
  put(Chain{id<ChainId>(40), 0, "outbound", ""});
  put(Chain{id<ChainId>(41), 0, "translate", ""});
  put(edge);
  put(other);
  put(uplink);
  put(topology::testing::router(14));

  EXPECT_EQ(chain_that_names(snapshot, {kRouter, kOutside}), id<ChainId>(41));
  EXPECT_EQ(chain_that_names(snapshot, {id<RouterId>(13).uuid(), kOutside}), id<ChainId>(41)) << "by its port";
  EXPECT_EQ(chain_that_names(snapshot, {id<RouterId>(14).uuid(), kOutside}), std::nullopt);
  EXPECT_EQ(chain_that_names(snapshot, {kRouter, ip("203.0.113.7")}), std::nullopt);
  EXPECT_EQ(chain_that_names(snapshot, {kRouter, ip("203.0.113.10")}), std::nullopt) << "static: no ports";
  const auto blocks = blocks_named(snapshot, {kRouter, kOutside});
  ASSERT_TRUE(blocks);
  EXPECT_EQ(blocks->first, 1024 / 64);
  EXPECT_EQ(blocks->last, 2047 / 64);
  EXPECT_FALSE(blocks_named(snapshot, {kRouter, ip("203.0.113.10")})) << "static: no ports";
  EXPECT_THAT(describe(snapshot, {kRouter, kOutside}), ::testing::EndsWith(", 203.0.113.9 (chain translate)"));
}

}  // namespace
}  // namespace viaduct::actors
