// What workers and the flow keeper tell the flow log.
#include "actors/agent/flow_log.hpp"

#include <type_traits>

#include "agent_bench.hpp"
#include "observability/flow_log/writer.hpp"
#include "tests/scenario/rules.hpp"

namespace viaduct::actors {
namespace {

using observability::flow_log::EndReason;
using observability::flow_log::Outcome;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

static_assert(std::is_trivially_copyable_v<FlowLogTap::Record>, "a worker copies it without an allocation");

class FlowLogTest : public testing::Test {
 protected:
  explicit FlowLogTest(const FlowLogSettings& settings = {}) : bench(two_subnets(), 1, {}, settings) {
    bench.announce({1, 2, 3, 4});
    bench.keeper->take_news();
    bench.logged();
  }
  Uuid port(const std::string& name) { return bench.net.port(name).uuid(); }
  AgentBench bench;
};

TEST_F(FlowLogTest, AFlowThroughARouter) {
  const Frame frame = udp(1, 3);
  bench.send("p1", frame);
  const auto records = bench.logged();
  ASSERT_THAT(records, SizeIs(1));
  const auto& record = records[0];
  EXPECT_NE(record.serial, 0U);
  EXPECT_FALSE(record.alone);
  EXPECT_EQ(record.outcome, Outcome::forwarded);
  EXPECT_EQ(record.forwarding_status, 64);
  EXPECT_EQ(record.ingress, port("p1"));
  EXPECT_EQ(record.ingress_number, bench.net.number("p1").value);
  ASSERT_EQ(record.egress_count, 1);
  EXPECT_EQ(record.egress[0].port, port("p3"));
  ASSERT_EQ(record.device_count, 3);
  EXPECT_EQ(record.devices[0], bench.net.id("green"));
  EXPECT_EQ(record.devices[1], bench.net.id("r1"));
  EXPECT_EQ(record.devices[2], bench.net.id("blue"));
  EXPECT_EQ(record.before.src, ip_of(1));
  EXPECT_EQ(record.before.dst, ip_of(3));
  EXPECT_EQ(record.before, record.after);
  EXPECT_EQ(record.protocol, 17);
  EXPECT_EQ(record.frame_bytes, frame.size());
  const auto flows = bench.dump();
  ASSERT_THAT(flows, SizeIs(1));
  EXPECT_EQ(flows[0].id.low, record.flow_low);
  EXPECT_EQ(flows[0].mask.bits(), record.matched);
}

TEST_F(FlowLogTest, WhatAFlowCarriedIsToldWhenItIsIdle) {
  bench.send("p1", udp(1, 3));
  const auto serial = bench.logged().at(0).serial;
  bench.keeper->take_news();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  bench.keeper->statistics();
  EXPECT_THAT(bench.ended(), IsEmpty());
  bench.advance(seconds(11));
  bench.keeper->statistics();
  const auto ends = bench.ended();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].serial, serial);
  EXPECT_EQ(ends[0].packets, 5U);
  EXPECT_EQ(ends[0].bytes, 5 * udp(1, 3).size());
  EXPECT_EQ(ends[0].reason, EndReason::idle);
}

TEST_F(FlowLogTest, PacketsSinceTheLastLookCount) {
  bench.send("p1", udp(1, 3));
  bench.keeper->take_news();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  auto net = bench.net;
  net.change<topology::Bridge>("green", [](topology::Bridge& bridge) { bridge.admin_up = false; });
  EXPECT_EQ(bench.apply(net), 1U);
  const auto ends = bench.ended();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].packets, 3U);
  EXPECT_EQ(ends[0].reason, EndReason::changed);
}

TEST_F(FlowLogTest, ADropNamesItsRule) {
  auto net = bench.net;
  net.chain("wall").rule("wall", scenario::when().to("10.0.2.0/24").drop());
  net.change<topology::Bridge>("green",
                               [&](topology::Bridge& bridge) { bridge.inbound_filter = ChainId(net.id("wall")); });
  bench.apply(net);
  bench.send("p1", udp(1, 3));
  const auto records = bench.logged();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].outcome, Outcome::dropped);
  EXPECT_EQ(records[0].reason, "dropped_by_rule");
  EXPECT_EQ(records[0].forwarding_status, 130);
  EXPECT_EQ(records[0].chain, net.id("wall"));
  EXPECT_FALSE(records[0].rule.is_nil());
  EXPECT_EQ(records[0].place, net.id("green"));
  EXPECT_FALSE(records[0].alone);
}

TEST_F(FlowLogTest, QuestionsForAddressesAreNotToldUnlessDropped) {
  bench.send("p1", announcement(1));
  EXPECT_THAT(bench.logged(), IsEmpty());
  auto net = bench.net;
  net.change<topology::Port>("p1", [](topology::Port& port) { port.admin_up = false; });
  bench.apply(net);
  bench.send("p1", announcement(1));
  const auto records = bench.logged();
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].reason, "port_down");
  EXPECT_EQ(records[0].ip_version, 0);
}

TEST_F(FlowLogTest, AFullRingIsCountedAndItsFlowHasNoEnd) {
  constexpr size_t kRing = observability::flow_log::Writer::kRecordsOfASource;
  for (size_t i = 0; i < kRing + 10; ++i) {
    bench.send("p1", udp(1, MacAddress::from_uint64(0x0200'0000'5000ULL + i), ip_of(2)));
    bench.keeper->take_news();
  }
  EXPECT_EQ(bench.metric("viaduct_flow_log_lost_records_total", "ring_full"), 10);
  EXPECT_THAT(bench.logged(), SizeIs(kRing));
  bench.advance(seconds(3'600));
  bench.keeper->statistics();
  EXPECT_THAT(bench.ended(), SizeIs(1'000)) << "as many as there is room for";
}

class SampledFlowLogTest : public FlowLogTest {
 protected:
  SampledFlowLogTest() : FlowLogTest({1'000'000, 1, false}) {}
};

TEST_F(SampledFlowLogTest, OthersAreLeftOutAndDropsHaveARateOfTheirOwn) {
  bench.send("p1", udp(1, 3));
  EXPECT_THAT(bench.logged(), IsEmpty());
  EXPECT_EQ(bench.metric("viaduct_flow_log_sampled_out_total"), 1);
  bench.keeper->take_news();
  auto net = bench.net;
  net.change<topology::Bridge>("green", [](topology::Bridge& bridge) { bridge.admin_up = false; });
  bench.apply(net);
  EXPECT_THAT(bench.ended(), IsEmpty());
  bench.send("p1", udp(1, 3));
  EXPECT_THAT(bench.logged(), SizeIs(1));
}

TEST_F(FlowLogTest, OneFlowForManyConnectionsUnlessAskedFor) {
  for (uint16_t source : {5001, 5002}) bench.send("p1", udp(1, mac_of(2), ip_of(2), source));
  EXPECT_EQ(bench.flows(), 1U);
}

class ExactFlowLogTest : public FlowLogTest {
 protected:
  ExactFlowLogTest() : FlowLogTest({1, 1, true}) {}
};

TEST_F(ExactFlowLogTest, EachConnectionIsAFlow) {
  for (uint16_t source : {5001, 5002}) bench.send("p1", udp(1, mac_of(2), ip_of(2), source));
  EXPECT_EQ(bench.flows(), 2U);
  const auto records = bench.logged();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_EQ(records[0].before.src_port, 5001);
  EXPECT_EQ(records[1].before.src_port, 5002);
}

TEST_F(ExactFlowLogTest, WhatIsDroppedIsNotSplit) {
  auto net = bench.net;
  net.change<topology::Bridge>("green", [](topology::Bridge& bridge) { bridge.admin_up = false; });
  bench.apply(net);
  for (uint16_t source : {5001, 5002}) bench.send("p1", udp(1, mac_of(2), ip_of(2), source));
  EXPECT_EQ(bench.flows(), 1U);
}

}  // namespace
}  // namespace viaduct::actors
