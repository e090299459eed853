// What workers and the flow keeper do for connections: open them before a packet leaves, keep them alive, see their end.
#include <set>

#include "agent_bench.hpp"
#include "tests/scenario/rules.hpp"
#include "tests/unit/eventually.hpp"

namespace viaduct::actors {
namespace {

using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::ConnectionState;
using flows::DropReason;
using scenario::when;
using std::chrono::seconds;
namespace seen = flows::seen;

constexpr uint8_t kTcp = flows::ip_proto::kTcp;

Frame tcp(int from, int to, uint16_t src, uint16_t dst, uint8_t flags) {
  return flows::PacketBuilder().eth(mac_of(from), mac_of(to)).ip(ip_of(from), ip_of(to)).tcp(src, dst, flags).build();
}

// vm1 is reached by answers only.
ScenarioNetwork guarded() {
  ScenarioNetwork net = two_subnets();
  net.chain("in").chain("out");
  net.rule("in", when().forward().accept());
  net.rule("out", when().proto(kTcp).returning().accept());
  net.rule("out", when().proto(kTcp).drop());
  net.filter("p1", "inbound", "in").filter("p1", "outbound", "out");
  return net;
}

class ConnectionsTest : public testing::Test {
 protected:
  ConnectionsTest() {
    bench.announce({1, 2});
    bench.keeper->take_news();
  }
  void send(int from, const Frame& frame) {
    bench.send(port_of(from), frame);
    bench.keeper->take_news();
  }
  // By its flow, without a worker.
  void in_kernel(int from, const Frame& frame) { ASSERT_TRUE(bench.inject(port_of(from), frame)); }
  bool has_flow(int from, const Frame& frame) {
    Frame copy = frame;
    const auto packet = flows::parse(copy, bench.net.number(port_of(from)));
    for (const auto& flow : bench.dump()) {
      if (flow.matches(packet.key)) return true;
    }
    return false;
  }
  ConnectionKey answers(uint16_t port) {
    return {ConnectionKind::track, kTcp, 80, port, ip_of(2), ip_of(1), bench.net.id("green")};
  }
  ConnectionState state_of(uint16_t port) { return bench.state.connections.find(answers(port))->state(); }
  // Both directions have flows.
  void establish(uint16_t port) {
    send(1, tcp(1, 2, port, 80, seen::kSyn));
    send(2, tcp(2, 1, 80, port, seen::kSyn | seen::kAck));
    ASSERT_EQ(bench.where(), "p1 p2");
    ASSERT_TRUE(has_flow(1, tcp(1, 2, port, 80, seen::kAck)));
    ASSERT_TRUE(has_flow(2, tcp(2, 1, 80, port, seen::kAck)));
  }
  AgentBench bench{guarded()};
};

TEST_F(ConnectionsTest, AConnectionIsOpenedOnceAndBeforeItsPacketLeaves) {
  send(2, tcp(2, 1, 80, 1000, seen::kSyn));
  EXPECT_EQ(bench.where(), "nothing");
  send(1, tcp(1, 2, 1000, 80, seen::kSyn));
  EXPECT_EQ(bench.where(), "p2");
  EXPECT_EQ(state_of(1000), ConnectionState::opening);
  EXPECT_EQ(bench.metric("viaduct_connection_entries_opened_total"), 1);
  EXPECT_TRUE(has_flow(1, tcp(1, 2, 1000, 80, seen::kAck))) << "its own opening does not keep it out of the kernel";
  EXPECT_FALSE(has_flow(2, tcp(2, 1, 80, 1000, seen::kAck))) << "what dropped its answers is gone";
  send(2, tcp(2, 1, 80, 1000, seen::kSyn | seen::kAck));
  EXPECT_EQ(bench.where(), "p1");
  EXPECT_EQ(state_of(1000), ConnectionState::established);
  send(1, tcp(1, 2, 1000, 80, seen::kSyn));
  EXPECT_EQ(bench.metric("viaduct_connection_entries_opened_total"), 1);
}

TEST_F(ConnectionsTest, FlowsInTheKernelKeepItAlive) {
  establish(1000);
  for (int i = 0; i < 5; ++i) {
    bench.advance(seconds(5));
    in_kernel(1, tcp(1, 2, 1000, 80, seen::kAck));
    bench.keeper->statistics();
    EXPECT_EQ(bench.state.connections.find(answers(1000))->last_seen, *bench.now);
  }
}

TEST_F(ConnectionsTest, AFlowThatHasSeenFinIsMadeAnew) {
  establish(1000);
  const Frame ack = tcp(1, 2, 1000, 80, seen::kAck);
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kFin | seen::kAck));
  bench.keeper->statistics();
  EXPECT_FALSE(has_flow(1, ack));
  EXPECT_FALSE(has_flow(2, tcp(2, 1, 80, 1000, seen::kAck))) << "nor the other direction's";
  EXPECT_EQ(bench.metric("viaduct_flows_renewed_total"), 2);
  EXPECT_EQ(state_of(1000), ConnectionState::established) << "half closed";
  send(2, tcp(2, 1, 80, 1000, seen::kFin | seen::kAck));
  EXPECT_EQ(state_of(1000), ConnectionState::closing);
  send(1, ack);
  EXPECT_TRUE(has_flow(1, ack));
  bench.advance(seconds(1));
  in_kernel(1, ack);
  bench.keeper->statistics();
  EXPECT_TRUE(has_flow(1, ack)) << "it has seen no FIN";
  EXPECT_EQ(state_of(1000), ConnectionState::closing);
}

TEST_F(ConnectionsTest, ANewConnectionOfTheSamePortsIsSeenToBegin) {
  establish(1000);
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kRst));
  bench.keeper->statistics();
  ASSERT_EQ(state_of(1000), ConnectionState::closed);
  send(1, tcp(1, 2, 1000, 80, seen::kSyn));
  EXPECT_EQ(state_of(1000), ConnectionState::opening);
  send(2, tcp(2, 1, 80, 1000, seen::kSyn | seen::kAck));
  EXPECT_EQ(state_of(1000), ConnectionState::established);
}

TEST_F(ConnectionsTest, ASynThatAFlowTookBeginsItAnewToo) {
  establish(1000);
  send(1, tcp(1, 2, 1000, 80, seen::kAck));
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kRst));
  bench.keeper->statistics();
  send(1, tcp(1, 2, 1000, 80, seen::kAck));  // a late one: there is a flow again
  ASSERT_EQ(state_of(1000), ConnectionState::closed);
  bench.advance(seconds(1));
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kSyn));
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kAck));
  bench.keeper->statistics();
  EXPECT_EQ(state_of(1000), ConnectionState::opening);
}

TEST_F(ConnectionsTest, AnEndThatAWorkerSeesTakesTheFlowsWithIt) {
  establish(1000);
  const Frame ack = tcp(1, 2, 1000, 80, seen::kAck);
  ASSERT_TRUE(has_flow(1, ack));
  // The other direction's flow has expired, so that this comes up.
  flows::simulation::Invalidation what;
  bench.advance(seconds(8));
  in_kernel(1, ack);
  bench.keeper->statistics();
  bench.advance(seconds(8));
  in_kernel(1, ack);
  bench.keeper->statistics();
  ASSERT_FALSE(has_flow(2, tcp(2, 1, 80, 1000, seen::kAck)));
  send(2, tcp(2, 1, 80, 1000, seen::kRst));
  EXPECT_EQ(bench.where(), "p1 p2 p2");
  EXPECT_EQ(state_of(1000), ConnectionState::closed);
  EXPECT_FALSE(has_flow(1, ack));
}

// A flow that goes between two looks at the counters, because some fact has changed, may be the only one who knows.
TEST_F(ConnectionsTest, WhatAFlowThatIsRemovedHasSeenIsHeard) {
  establish(1000);
  bench.advance(seconds(1));
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kRst));
  ASSERT_EQ(state_of(1000), ConnectionState::established);
  bench.keeper->invalidate({{flows::tag_of(answers(1000))}, {}, {}});
  EXPECT_EQ(state_of(1000), ConnectionState::closed);
  EXPECT_EQ(bench.flows(), 0U);
}

TEST_F(ConnectionsTest, AFlowThatIsRemovedSaysNothingOfAConnectionThatBeganSince) {
  establish(1000);
  bench.advance(seconds(1));
  in_kernel(1, tcp(1, 2, 1000, 80, seen::kRst));
  bench.state.connections.touch(answers(1000), flows::Direction::forward, seen::kRst, *bench.now);
  bench.state.connections.touch(answers(1000), flows::Direction::forward, seen::kSyn, *bench.now);
  ASSERT_EQ(state_of(1000), ConnectionState::opening);
  bench.keeper->invalidate({{flows::tag_of(answers(1000))}, {}, {}});
  EXPECT_EQ(state_of(1000), ConnectionState::opening);
}

TEST_F(ConnectionsTest, WithoutRoomThePacketIsDroppedAndCounted) {
  ConnectionEntry entry;
  entry.port_account = std::hash<PortId>{}(bench.net.port("p1"));
  ConnectionKey key = answers(0);
  key.device = Uuid::from_words(9, 9);
  for (uint32_t i = 0; bench.state.connections.over_port_share() == 0; ++i) {
    key.src = IpAddress::v4(i);
    bench.state.connections.open(key, entry);
  }
  send(1, tcp(1, 2, 1000, 80, seen::kSyn));
  EXPECT_EQ(bench.where(), "nothing");
  EXPECT_EQ(bench.dropped(DropReason::connections_full), 1);
  EXPECT_EQ(bench.flows(), 0U);
  EXPECT_EQ(bench.state.connections.over_port_share(), 2U);
  ASSERT_TRUE(bench.state.connections.erase(key) || bench.state.connections.erase([&] {
    key.src = IpAddress::v4(0);
    return key;
  }()));
  send(1, tcp(1, 2, 1000, 80, seen::kSyn));
  EXPECT_EQ(bench.where(), "p2");
}

// --- two workers ------------------------------------------------------------------------------------------------------

// r1 gives everything that goes to blue an address of its own, and 64 ports.
ScenarioNetwork translating() {
  ScenarioNetwork net = two_subnets();
  net.chain("post");
  net.rule("post", when().to("10.0.2.0/24").proto(kTcp).snat("10.0.2.100", 640, 703).accept());
  net.filter("r1", "outbound", "post");
  return net;
}

TEST(ConnectionsOfTwoWorkers, NoPortIsGivenTwiceTowardsOneEnd) {
  AgentBench bench(translating(), 2);
  bench.announce({1, 2, 3});
  const Uuid router = bench.net.id("r1");
  ASSERT_TRUE(bench.state.nat_blocks.add({router, scenario::ip("10.0.2.100"), 10}));
  bench.state.neighbours.learn({router, bench.net.port("r1-blue"), ip_of(3)}, mac_of(3), *bench.now);
  bench.pool->start();
  for (uint16_t i = 0; i < 64; ++i) {
    const int vm = i % 2 + 1;
    const Frame syn = flows::PacketBuilder()
                          .eth(mac_of(vm), scenario::mac(kGreenMac))
                          .ip(ip_of(vm), ip_of(3))
                          .tcp(static_cast<uint16_t>(1000 + i / 2), 80, seen::kSyn)
                          .build();
    ASSERT_TRUE(bench.inject(port_of(vm), syn));
  }
  EXPECT_TRUE(eventually([&] { return bench.state.connections.size() == 128; }));
  bench.pool->stop();
  std::set<uint16_t> ports;
  bench.state.connections.for_each([&](const ConnectionKey& key, const ConnectionEntry& entry) {
    const auto other = bench.state.connections.find(*partner_of(key, entry));
    ASSERT_TRUE(other) << key.to_string();
    EXPECT_EQ(*partner_of(*partner_of(key, entry), *other), key);
    if (key.kind == ConnectionKind::snat) ports.insert(entry.port);
  });
  EXPECT_EQ(ports.size(), 64U);
  EXPECT_EQ(*ports.begin(), 640);
  EXPECT_EQ(bench.metric("viaduct_connection_entries_opened_total"), 128);
}

}  // namespace
}  // namespace viaduct::actors
