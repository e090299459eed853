#include "agent_bench.hpp"
#include "flows/packet/build.hpp"
#include "routing/underlay/tunnel_keys.hpp"

namespace viaduct::actors {
namespace {

using flows::DropReason;
using flows::simulation::NeighbourWanted;
using scenario::describe;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class PacketWorkerTest : public testing::Test {
 protected:
  PacketWorkerTest() { bench.announce({1, 2}); }
  NeighbourWanted gateway_to(int vm) {
    return {RouterId(bench.net.id("r1")), bench.net.port(vm <= 2 ? "r1-green" : "r1-blue"), ip_of(vm)};
  }
  // As the router's actor asks.
  void ask_for(int vm) {
    auto frame = flows::make_arp_request(scenario::mac(kBlueMac), scenario::ip("10.0.2.254"), ip_of(vm));
    EXPECT_TRUE(bench.pool->emit({bench.net.port("r1-blue"), frame, EmitPacket::Limit::none, Uuid()}));
    bench.work();
  }
  Frame answer_to(Frame request, int vm) {
    auto packet = flows::parse(request, {});
    return flows::make_arp_reply(*flows::parse_arp(packet), mac_of(vm));
  }

  AgentBench bench;
};

TEST_F(PacketWorkerTest, TheFirstPacketIsSimulatedAndTheNextOneStaysInTheKernel) {
  bench.send("p1", udp(1, 2));
  EXPECT_EQ(bench.where(), "p2");
  ASSERT_EQ(bench.flows(), 1);
  auto upcalls = bench.metric("viaduct_upcalls_total");
  ASSERT_TRUE(bench.inject("p1", udp(1, 2)));
  EXPECT_EQ(bench.where(), "p2") << "without a worker's help";
  bench.work();
  EXPECT_EQ(bench.metric("viaduct_upcalls_total"), upcalls);
  EXPECT_EQ(bench.metric("viaduct_flow_installs_total", "installed"), 1);
}

TEST_F(PacketWorkerTest, AnUnknownMacIsFloodedToTheBridgeOnly) {
  bench.send("p1", udp(1, scenario::mac("02:00:00:00:00:77"), ip_of(2)));
  EXPECT_EQ(bench.where(), "p2");
}

TEST_F(PacketWorkerTest, APacketWaitsWhileItsNextHopIsAskedFor) {
  bench.state.device_news.take();
  bench.send("p1", udp(1, 3));
  EXPECT_EQ(bench.where(), "nothing");
  EXPECT_EQ(bench.metric("viaduct_parked_packets_total"), 1);
  EXPECT_THAT(bench.state.device_news.take().wanted, ElementsAre(gateway_to(3)));

  ask_for(3);
  auto asked = bench.output("p3");
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(describe(asked[0]), "arp request 10.0.2.3 tell 10.0.2.254");
  bench.where();
  bench.send("p3", answer_to(asked[0], 3));
  auto came = bench.output("p3");
  ASSERT_THAT(came, SizeIs(1));
  EXPECT_THAT(describe(came[0]), testing::HasSubstr("10.0.1.1 > 10.0.2.3"));
  EXPECT_THAT(describe(came[0]), testing::HasSubstr("ttl 63"));
  EXPECT_EQ(scenario::ethernet_of(came[0]), std::string(kBlueMac) + " > " + mac_of(3).to_string());

  ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  EXPECT_EQ(bench.where(), "p3") << "by its flow";
}

TEST_F(PacketWorkerTest, AnAnswerHeardByOneWorkerReleasesWhatWaitsAtAnother) {
  AgentBench both(two_subnets(), 2);
  both.announce({1, 2});
  for (uint16_t port = 1; port <= 128; ++port) {  // the hash spreads them
    ASSERT_TRUE(both.inject("p1", udp(1, scenario::mac(kGreenMac), ip_of(3), port)));
    if (port % 32 == 0) both.work();
  }
  double parked = both.metric("viaduct_parked_packets_total");
  EXPECT_GT(parked, 64) << "64 wait for one neighbour at one worker, so both have some";
  EXPECT_EQ(parked + both.dropped(DropReason::park_overflow), 128);
  Frame request = flows::make_arp_request(scenario::mac(kBlueMac), scenario::ip("10.0.2.254"), ip_of(3));
  both.send("p3", answer_to(request, 3));
  EXPECT_EQ(both.output("p3").size(), parked);
}

TEST_F(PacketWorkerTest, WhatWaitsForANeighbourThatFailsIsAnsweredWithAnError) {
  bench.send("p1", udp(1, 3));
  bench.pool->neighbour_failed(gateway_to(3));
  bench.work();
  auto came = bench.output("p1");
  ASSERT_THAT(came, SizeIs(1));
  EXPECT_EQ(describe(came[0]), "icmp 3/1 10.0.1.254 > 10.0.1.1");
  EXPECT_EQ(bench.dropped(DropReason::next_hop_unresolved), 1);
}

TEST_F(PacketWorkerTest, EveryDropIsCountedByItsReason) {
  bench.send("p1", udp(1, scenario::mac(kGreenMac), scenario::ip("192.0.2.1")));
  EXPECT_EQ(bench.dropped(DropReason::no_route), 1);
  bench.send("p1", Frame{0x02, 0, 0});
  EXPECT_EQ(bench.dropped(DropReason::malformed), 1);
  Frame from_group = udp(1, 2);
  from_group[6] |= 1;
  bench.send("p1", from_group);
  EXPECT_EQ(bench.dropped(DropReason::multicast_source_mac), 1);
  bench.send(
      "p1",
      flows::PacketBuilder().eth(mac_of(1), scenario::mac(kGreenMac)).ip(ip_of(1), ip_of(3)).ttl(1).udp(1, 2).build());
  EXPECT_EQ(bench.dropped(DropReason::ttl_exceeded), 1);
  auto downed = bench.net;
  bench.apply(downed.set("p2", ScenarioNetwork::Admin::down));
  bench.send("p2", udp(2, 1));
  EXPECT_EQ(bench.dropped(DropReason::port_down), 1);
}

TEST_F(PacketWorkerTest, AnInterfaceThatNoPortIsBoundToIsDroppedByTheKernelFromTheSecondPacketOn) {
  bench.kernel->add_interface("if-stranger");
  std::error_code error;
  bench.datapath->add_port("if-stranger", error);
  bench.send("stranger", udp(1, 2));
  EXPECT_EQ(bench.dropped(DropReason::unknown_port), 1);
  bench.send("stranger", udp(1, 2));
  EXPECT_EQ(bench.dropped(DropReason::unknown_port), 1);
  EXPECT_EQ(bench.where(), "nothing");
}

TEST_F(PacketWorkerTest, ErrorsOfARouterAreLimited) {
  for (uint16_t i = 0; i < PacketWorker::kBatch; ++i) {
    IpAddress nowhere = scenario::ip("192.0.2." + std::to_string(i + 1));
    ASSERT_TRUE(bench.inject("p1", udp(1, scenario::mac(kGreenMac), nowhere)));
  }
  bench.work();
  EXPECT_EQ(bench.dropped(DropReason::icmp_rate_limited), PacketWorker::kBatch - 50);
  EXPECT_THAT(bench.output("p1"), SizeIs(50));
}

TEST_F(PacketWorkerTest, ARefusedInstallDoesNotCostThePacket) {
  bench.kernel->fail_installs(1);
  bench.send("p1", udp(1, 2));
  EXPECT_EQ(bench.where(), "p2");
  EXPECT_EQ(bench.metric("viaduct_flow_installs_total", "error"), 1);
  EXPECT_EQ(bench.flows(), 0);
  bench.keeper->take_news();
  EXPECT_EQ(bench.keeper->report().flows, 0);
  bench.send("p1", udp(1, 2));
  EXPECT_EQ(bench.flows(), 1);
}

TEST_F(PacketWorkerTest, APortThatFloodsTheSlowPathLosesItsOwnPacketsOnly) {
  for (uint32_t i = 0; i < 3 * flows::kPortCredit; ++i) bench.inject("p1", udp(1, 2));
  ASSERT_TRUE(bench.inject("p2", udp(2, 1)));
  auto noisy = bench.datapath->port_stats(bench.net.number("p1"));
  EXPECT_EQ(noisy->upcalls_lost, 2 * flows::kPortCredit);
  bench.pool->worker(0).round(std::chrono::milliseconds(0));
  EXPECT_THAT(bench.output("p1"), SizeIs(1)) << "vm2's packet is among the first 64";
  EXPECT_EQ(bench.datapath->port_stats(bench.net.number("p2"))->upcalls_lost, 0);
}

TEST_F(PacketWorkerTest, AnActorsRequestsAreBounded) {
  for (size_t i = 0; i < WorkerInbox::kCapacity; ++i) bench.pool->neighbour_ready(gateway_to(3));
  EXPECT_EQ(bench.pool->requests_refused(), 0);
  EXPECT_FALSE(bench.pool->emit({bench.net.port("r1-blue"), Frame(60), EmitPacket::Limit::none, Uuid()}));
  EXPECT_EQ(bench.pool->requests_refused(), 1);
  bench.work();
  EXPECT_TRUE(bench.pool->emit({bench.net.port("r1-blue"), Frame(60), EmitPacket::Limit::none, Uuid()}));
}

TEST_F(PacketWorkerTest, AMacThatMovesTakesItsFlowsAlong) {
  bench.send("p2", udp(2, 1));
  EXPECT_EQ(bench.where(), "p1");
  bench.keeper->take_news();
  bench.send("p2", announcement(1));  // vm1 is at p2 now
  bench.where();
  bench.keeper->take_news();
  bench.send("p1", udp(2, 1));  // and vm2 at p1
  EXPECT_EQ(bench.where(), "p2");
}

TEST_F(PacketWorkerTest, AProbeOfAnotherHostGoesToTheInboxAndNotIntoTheNetwork) {
  std::error_code error;
  bench.datapath->add_tunnel_port({}, error);
  double before = bench.metric("viaduct_verdicts_total");
  const flows::Tunnel tunnel{routing::underlay::kProbeKey, scenario::ip("192.0.2.2"), scenario::ip("192.0.2.1")};
  flows::FakeTunneled probe;
  probe.frame.bytes = Frame(60, 7);
  probe.tunnel = tunnel;
  ASSERT_TRUE(bench.kernel->inject_tunneled(probe));
  bench.work();
  auto taken = bench.state.probes.take();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].tunnel, tunnel);
  EXPECT_EQ(taken[0].frame, probe.frame.bytes);
  EXPECT_EQ(bench.metric("viaduct_verdicts_total"), before);
  EXPECT_EQ(bench.flows(), 0) << "the next one has to come up as well";
}

TEST_F(PacketWorkerTest, AFrameForAnotherHostLeavesByTheTunnelPortAsItIs) {
  std::error_code error;
  auto port = bench.datapath->add_tunnel_port({}, error).number;
  const flows::Tunnel tunnel{routing::underlay::kProbeKey, scenario::ip("192.0.2.1"), scenario::ip("192.0.2.2")};
  ASSERT_TRUE(bench.pool->send({Frame(60, 7), {port, tunnel, 0xc0}}));
  bench.work();
  auto sent = bench.kernel->take_tunneled();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].tunnel, tunnel);
  EXPECT_EQ(sent[0].tos, 0xc0);
  EXPECT_EQ(sent[0].frame.bytes, Frame(60, 7));
  EXPECT_EQ(bench.where(), "nothing");
}

TEST_F(PacketWorkerTest, WhatIsLearnedIsNewsForTheCluster) {
  bench.state.state_news.take();
  bench.send("p3", announcement(3));
  const flows::MacKey guest{BridgeId(bench.net.id("blue")), 0, mac_of(3)};
  const flows::NeighbourKey address{bench.net.id("blue"), PortId{}, ip_of(3)};
  EXPECT_TRUE(bench.state.state_news.pending(state_key_of(guest)));
  EXPECT_TRUE(bench.state.state_news.pending(state_key_of(address)));
  bench.state.state_news.take();
  bench.send("p3", udp(3, 4));
  EXPECT_FALSE(bench.state.state_news.pending(state_key_of(guest))) << "known already";
}

TEST_F(PacketWorkerTest, WithoutANetworkNothingIsForwarded) {
  AgentState empty;
  observability::Registry registry;
  auto kernel = std::make_shared<flows::FakeKernel>();
  kernel->add_interface("a");
  auto datapath = flows::open_fake(kernel, {});
  WorkerPool pool(empty, *datapath, 1, registry);
  std::error_code error;
  datapath->add_port("a", error);
  kernel->inject("a", udp(1, 2));
  pool.worker(0).round(std::chrono::milliseconds(0));
  EXPECT_EQ(metric(registry, "viaduct_dropped_packets_total", "unknown_port"), 1);
}

}  // namespace
}  // namespace viaduct::actors
