#include "agent_bench.hpp"
#include "flows/match/tag.hpp"

namespace viaduct::actors {
namespace {

using flows::InstallResult;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

Frame scan(int vm, int i) {
  return udp(vm, MacAddress::from_uint64(0x0200'0000'5000ULL + static_cast<uint64_t>(i)), ip_of(2));
}

class FlowKeeperTest : public testing::Test {
 protected:
  FlowKeeperTest() {
    bench.announce({1, 2, 3, 4});
    bench.keeper->take_news();
  }
  // A flow for each, installed and indexed.
  void send(int from, int to) {
    bench.send(port_of(from), udp(from, to));
    bench.keeper->take_news();
  }
  bool has_flow(int from, int to) {
    Frame frame = udp(from, to);
    auto packet = flows::parse(frame, bench.net.number(port_of(from)));
    for (const auto& flow : bench.dump()) {
      if (flow.matches(packet.key)) return true;
    }
    return false;
  }
  AgentBench bench;
};

TEST_F(FlowKeeperTest, NewFlowsAreIndexedWithWhatTheyDependOn) {
  send(1, 2);
  send(1, 3);
  EXPECT_EQ(bench.keeper->report().flows, 2);
  auto reply = bench.keeper->list({{}, 1000});
  ASSERT_THAT(reply.flows, SizeIs(2));
  for (const auto& line : reply.flows) EXPECT_GT(line.tags, 2);
  EXPECT_EQ(bench.metric("viaduct_flows"), 2);
}

TEST_F(FlowKeeperTest, AListIsOfOnePortAndHasALimit) {
  send(1, 2);
  send(1, 3);
  send(2, 1);
  EXPECT_EQ(bench.keeper->list({bench.net.number("p1"), 1000}).total, 2);
  auto one = bench.keeper->list({{}, 1});
  EXPECT_EQ(one.total, 3);
  EXPECT_THAT(one.flows, SizeIs(1));
}

TEST_F(FlowKeeperTest, ATagTakesExactlyItsFlows) {
  send(1, 2);
  send(1, 3);
  flows::simulation::Invalidation what;
  what.tags = {flows::tag::device(RouterId(bench.net.id("r1")))};
  EXPECT_EQ(bench.keeper->invalidate(what), 1);
  EXPECT_TRUE(has_flow(1, 2));
  EXPECT_FALSE(has_flow(1, 3));
  EXPECT_EQ(bench.metric("viaduct_flows_invalidated_total"), 1);
}

TEST_F(FlowKeeperTest, ANewRouteTakesTheFlowsThatItCovers) {
  send(1, 3);
  send(1, 4);
  send(3, 1);
  auto changed = bench.net;
  changed.route("more specific", "r1", "10.0.2.4/32", "r1-green", "10.0.1.2");
  EXPECT_EQ(bench.apply(changed), 1);
  EXPECT_TRUE(has_flow(1, 3));
  EXPECT_FALSE(has_flow(1, 4));
  EXPECT_TRUE(has_flow(3, 1));
}

TEST_F(FlowKeeperTest, AFlowWhoseFactsChangedOnTheWayToTheIndexGoesAtOnce) {
  bench.send("p1", udp(1, 2));
  ASSERT_TRUE(has_flow(1, 2));
  bench.state.epochs.bump(std::array{flows::tag::device(BridgeId(bench.net.id("green")))});
  bench.keeper->take_news();
  EXPECT_FALSE(has_flow(1, 2));
  EXPECT_EQ(bench.keeper->report().flows, 0);
}

TEST_F(FlowKeeperTest, WhatTablesChangeReachesTheFlowsAsNews) {
  send(2, 1);
  flows::MacKey key{BridgeId(bench.net.id("green")), 0, mac_of(1)};
  ASSERT_TRUE(bench.state.macs.erase(key));
  bench.state.changed(flows::simulation::invalidated_by_expiry(key, bench.net.port("p1")));
  bench.keeper->take_news();
  EXPECT_FALSE(has_flow(2, 1));
}

TEST_F(FlowKeeperTest, IdleFlowsEndByStatistics) {
  send(1, 2);
  send(2, 1);
  for (int i = 0; i < 4; ++i) {
    bench.advance(seconds(4));
    bench.inject("p1", udp(1, 2));
    bench.keeper->statistics();
  }
  EXPECT_TRUE(has_flow(1, 2)) << "it carried packets";
  EXPECT_FALSE(has_flow(2, 1));
  EXPECT_EQ(bench.keeper->report().flows, 1);
  EXPECT_EQ(bench.metric("viaduct_flows_expired_total"), 1);
}

TEST_F(FlowKeeperTest, ALiveFlowKeepsTheMacThatItUses) {
  send(1, 2);
  flows::MacKey target{BridgeId(bench.net.id("green")), 0, mac_of(2)}, source{target.bridge, 0, mac_of(1)};
  bench.advance(seconds(5));
  bench.inject("p1", udp(1, 2));
  bench.keeper->statistics();
  EXPECT_EQ(bench.state.macs.find(source)->last_seen, *bench.now);
  EXPECT_LT(bench.state.macs.find(target)->last_seen, *bench.now) << "vm2 has not spoken";
}

TEST_F(FlowKeeperTest, WhatAFlowDropsIsCountedByItsReason) {
  auto dropped = [&] { return bench.metric("viaduct_flow_dropped_packets_total", "hairpin"); };
  const Frame lost = udp(1, 1);
  bench.send("p1", lost);
  bench.keeper->take_news();
  bench.keeper->statistics();
  EXPECT_EQ(dropped(), 0) << "the first one was the worker's";
  for (int i = 0; i < 5; ++i) bench.inject("p1", lost);
  bench.keeper->statistics();
  EXPECT_EQ(dropped(), 5);
  bench.keeper->statistics();
  EXPECT_EQ(dropped(), 5);
  // Of an adopted flow what came in this life.
  bench.inject("p1", lost);
  bench.keeper->statistics();
  bench.restart_keeper();
  bench.keeper->adopt();
  EXPECT_FALSE(bench.keeper->prove_some());
  for (int i = 0; i < 3; ++i) bench.inject("p1", lost);
  bench.keeper->statistics();
  EXPECT_EQ(dropped(), 9);
  // And what came after the last look, when the flow goes.
  for (int i = 0; i < 2; ++i) bench.inject("p1", lost);
  flows::simulation::Invalidation what;
  what.tags = {flows::tag::device(BridgeId(bench.net.id("green")))};
  EXPECT_EQ(bench.keeper->invalidate(what), 1);
  EXPECT_EQ(dropped(), 11);
}

TEST_F(FlowKeeperTest, AFullTableTakesFromThePortThatHasTheMost) {
  FlowControllerOptions few;
  few.max_flows = 10;
  bench.options = few;
  bench.restart_keeper();
  send(2, 1);
  for (int i = 0; i < 9; ++i) bench.send("p1", scan(1, i));
  bench.keeper->take_news();
  ASSERT_EQ(bench.keeper->report().flows, 10);
  send(3, 4);
  EXPECT_EQ(bench.keeper->report().flows, 10);
  EXPECT_EQ(bench.flows(), 10) << "the kernel too";
  EXPECT_TRUE(has_flow(2, 1)) << "the oldest, but vm2 has no other";
  EXPECT_TRUE(has_flow(3, 4));
  EXPECT_EQ(bench.keeper->list({bench.net.number("p1"), 100}).total, 8);
  EXPECT_EQ(bench.metric("viaduct_flows_evicted_total", "table_full"), 1);
}

TEST_F(FlowKeeperTest, APortThatFillsTheTableGetsNoMoreThanTheKeeperCanEvict) {
  constexpr int kBacklog = static_cast<int>(PacketWorker::kEvictionBacklog);
  FlowControllerOptions few;
  few.max_flows = 10;
  bench.options = few;
  bench.restart_keeper();
  for (int i = 0; i < 10; ++i) bench.send("p1", scan(1, i));
  bench.keeper->take_news();
  ASSERT_EQ(bench.keeper->report().flows, 10);
  for (int i = 10; i < 10 + 2 * kBacklog; ++i) bench.send("p1", scan(1, i));
  EXPECT_EQ(bench.flows(), 10 + kBacklog) << "the rest is carried, each packet by itself";
  EXPECT_EQ(bench.metric("viaduct_worker_anomalies_total", "install_deferred"), kBacklog);
  bench.send("p2", udp(2, 1));
  EXPECT_EQ(bench.flows(), 11 + kBacklog) << "another port is not kept waiting";
  bench.keeper->take_news();
  EXPECT_EQ(bench.flows(), 10);
  EXPECT_TRUE(has_flow(2, 1));
  bench.send("p1", scan(1, 1'000));
  EXPECT_EQ(bench.flows(), 11) << "and the port goes on";
}

TEST_F(FlowKeeperTest, AFlowOfWhichNoRecordArrivedIsFoundAndProven) {
  constexpr int kMore = static_cast<int>(PacketWorker::kRingCapacity) + 100;
  for (int i = 0; i < kMore; ++i) {
    ASSERT_TRUE(bench.inject("p1", scan(1, i)));
    if (i % 64 == 63) bench.pool->worker(0).round(std::chrono::milliseconds(0));
  }
  bench.work();
  ASSERT_EQ(bench.flows(), kMore);
  EXPECT_EQ(bench.metric("viaduct_worker_anomalies_total", "record_lost"), 100);
  bench.keeper->statistics();
  EXPECT_EQ(bench.keeper->report().flows, PacketWorker::kRingCapacity);
  bench.keeper->statistics();
  while (bench.keeper->prove_some()) {
  }
  EXPECT_EQ(bench.keeper->report().flows, kMore);
  EXPECT_EQ(bench.flows(), kMore);
}

// --- the flows of an earlier life ----------------------------------------------------------------

TEST_F(FlowKeeperTest, ARestartKeepsTheFlowsThatItWouldMakeAgain) {
  for (int to : {2, 3, 4}) send(1, to);
  send(4, 1);
  bench.send("p1", scan(1, 1));
  size_t before = bench.flows();
  bench.restart_keeper();
  bench.keeper->adopt();
  EXPECT_FALSE(bench.keeper->prove_some());
  EXPECT_EQ(bench.keeper->report().adopted, before);
  EXPECT_EQ(bench.flows(), before);
  // And they are as good as new ones.
  flows::simulation::Invalidation what;
  what.tags = {flows::tag::device(RouterId(bench.net.id("r1")))};
  EXPECT_EQ(bench.keeper->invalidate(what), 3);
}

TEST_F(FlowKeeperTest, ARestartRemovesTheFlowsThatAreWrongByNow) {
  send(1, 2);
  send(1, 3);
  bench.restart_keeper();
  auto changed = bench.net;
  bench.apply(changed.set("r1", ScenarioNetwork::Admin::down));
  bench.keeper->adopt();
  EXPECT_FALSE(bench.keeper->prove_some());
  EXPECT_TRUE(has_flow(1, 2));
  EXPECT_FALSE(has_flow(1, 3));
  EXPECT_EQ(bench.keeper->report().adopted, 1);
}

TEST_F(FlowKeeperTest, AFlowThatLacksANeighbourWaitsForIt) {
  send(1, 3);
  send(1, 4);
  bench.restart_keeper();
  for (int vm : {3, 4}) {
    ASSERT_TRUE(bench.state.neighbours.erase({bench.net.id("blue"), PortId{}, ip_of(vm)}));
  }
  bench.keeper->adopt();
  bench.state.device_news.take();
  EXPECT_TRUE(bench.keeper->prove_some());
  EXPECT_THAT(bench.state.device_news.take().wanted, SizeIs(2)) << "the router's actor is asked";
  EXPECT_TRUE(has_flow(1, 3)) << "it forwards meanwhile";
  bench.send("p3", announcement(3));
  EXPECT_TRUE(bench.keeper->prove_some());
  EXPECT_EQ(bench.keeper->report().adopted, 1);
  bench.advance(seconds(6));
  EXPECT_FALSE(bench.keeper->prove_some());
  EXPECT_TRUE(has_flow(1, 3));
  EXPECT_FALSE(has_flow(1, 4)) << "nobody answered for vm4";
}

TEST_F(FlowKeeperTest, ProofsAreDoneInSlices) {
  for (int i = 0; i < 600; ++i) {
    bench.inject("p1", scan(1, i));
    if (i % 64 == 63) bench.work();
  }
  bench.work();
  bench.restart_keeper();
  bench.keeper->adopt();
  EXPECT_TRUE(bench.keeper->prove_some());
  EXPECT_EQ(bench.keeper->report().adopted, 256);
  EXPECT_TRUE(bench.keeper->prove_some());
  EXPECT_FALSE(bench.keeper->prove_some());
  EXPECT_EQ(bench.keeper->report().adopted, 600);
}

}  // namespace
}  // namespace viaduct::actors
