#include <set>

#include "agent_bench.hpp"
#include "flows/packet/build.hpp"
#include "routing/underlay/tunnel_keys.hpp"
#include "tests/scenario/rules.hpp"

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

// A pool with vm1, checked by `checker`; nil: this host. Another host is reached by `path`.
void publish_checked(AgentBench& bench, HostId checker, const flows::simulation::TunnelPath& path = {}) {
  auto net = bench.net;
  net.load_balancer("r1", "lb").pool("lb", "pool").member("pool", "m1", ip_of(1).to_string(), 80);
  auto locations = net.locations();
  locations.checkers.put(PoolId(net.id("pool")), checker);
  if (!checker.is_nil()) locations.paths.put(checker, path);
  using flows::simulation::Network;
  bench.state.network.publish(std::make_shared<const Network>(Network::compile(net.snapshot(), locations)));
}
const HostId kOther{Uuid::from_words(1, 2)};
Frame answer_of_vm1() {
  return flows::PacketBuilder()
      .eth(mac_of(1), scenario::mac(kGreenMac))
      .ip(ip_of(1), scenario::ip("10.0.1.254"))
      .tcp(80, 61'500, 0x12, 7, 8)
      .build();
}

TEST_F(PacketWorkerTest, AnAnswerToACheckOfThisHostGoesToTheInbox) {
  publish_checked(bench, HostId{});
  bench.send("p1", answer_of_vm1());
  auto taken = bench.state.health_answers.take();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].from, ip_of(1));
  EXPECT_EQ(taken[0].to_port, 61'500);
  EXPECT_EQ(taken[0].acknowledged, 8U);
  EXPECT_EQ(taken[0].router.uuid(), bench.net.id("r1"));
  EXPECT_EQ(bench.flows(), 0) << "the next one has to come up as well";
  EXPECT_EQ(bench.where(), "nothing");
}

TEST_F(PacketWorkerTest, AnAnswerFromAnotherHostGoesToTheInboxIfThatHostIsKnown) {
  std::error_code error;
  const auto port = bench.datapath->add_tunnel_port({}, error).number;
  flows::FakeTunneled frame;
  frame.tunnel = {flows::health::kAnswerKey, scenario::ip("192.0.2.2"), scenario::ip("192.0.2.1")};
  flows::health::Answer answer;
  answer.to_port = 61'500;
  frame.frame.bytes = flows::health::encode(answer);
  ASSERT_TRUE(bench.kernel->inject_tunneled(frame));
  bench.work();
  EXPECT_THAT(bench.state.health_answers.take(), IsEmpty());
  EXPECT_EQ(bench.state.health_answers.refused(), 1U) << "nobody knows 192.0.2.2";
  publish_checked(bench, kOther, {port, scenario::ip("192.0.2.1"), scenario::ip("192.0.2.2")});
  ASSERT_TRUE(bench.kernel->inject_tunneled(frame));
  frame.frame.bytes.pop_back();
  ASSERT_TRUE(bench.kernel->inject_tunneled(frame));
  bench.work();
  auto taken = bench.state.health_answers.take();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0], answer);
  EXPECT_EQ(bench.state.health_answers.refused(), 2U) << "cut short";
  EXPECT_EQ(bench.flows(), 0);
}

TEST_F(PacketWorkerTest, AnAnswerToACheckOfAnotherHostIsSentThere) {
  std::error_code error;
  const auto port = bench.datapath->add_tunnel_port({}, error).number;
  publish_checked(bench, kOther, {port, scenario::ip("192.0.2.1"), scenario::ip("192.0.2.2")});
  bench.send("p1", answer_of_vm1());
  EXPECT_THAT(bench.state.health_answers.take(), IsEmpty());
  auto sent = bench.kernel->take_tunneled();
  ASSERT_THAT(sent, SizeIs(1));
  const flows::Tunnel tunnel{flows::health::kAnswerKey, scenario::ip("192.0.2.1"), scenario::ip("192.0.2.2")};
  EXPECT_EQ(sent[0].tunnel, tunnel);
  auto answer = flows::health::decode_answer(sent[0].frame.bytes);
  EXPECT_EQ(std::get<flows::health::Answer>(answer).from, ip_of(1));
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

// --- ports for a translation -----------------------------------------------------------------------

// From green to blue every source becomes 10.0.2.254, ports 1024 to 2047.
ScenarioNetwork translating() {
  ScenarioNetwork net = two_subnets();
  net.chain("post").rule("post", scenario::when()
                                     .condition([&](topology::Condition& when) {
                                       when.out_ports.value = std::vector{net.port("r1-blue")};
                                     })
                                     .snat("10.0.2.254", 1024, 2047)
                                     .accept());
  return net.filter("r1", "outbound", "post");
}

class NatPortsTest : public testing::Test {
 protected:
  NatPortsTest() { bench.announce({1, 3}); }
  void offer(uint16_t port) { bench.send("p1", udp(1, scenario::mac(kGreenMac), ip_of(3), port)); }
  std::vector<uint16_t> arrived() {
    std::vector<uint16_t> ports;
    for (Frame& frame : bench.output("p3")) {
      const auto packet = flows::parse(frame, {});
      EXPECT_EQ(packet.key.ip_src, scenario::ip("10.0.2.254"));
      ports.push_back(packet.key.l4_src);
    }
    return ports;
  }
  void tell() {
    bench.pool->nat_ports_ready({edge, scenario::ip("10.0.2.254")});
    bench.work();
  }

  AgentBench bench{translating()};
  const Uuid edge = bench.net.id("r1");
};

TEST_F(NatPortsTest, PacketsWaitForABlockAndLeaveByIt) {
  offer(5000);
  offer(5001);
  EXPECT_THAT(arrived(), IsEmpty());
  EXPECT_EQ(bench.metric("viaduct_parked_packets_total"), 2);
  const NatWant want{{edge, scenario::ip("10.0.2.254"), 16, 31}, true};
  EXPECT_THAT(bench.state.nat_news.take(), ElementsAre(want)) << "said once";
  bench.state.nat_blocks.add({edge, scenario::ip("10.0.2.254"), 20});
  tell();
  auto ports = arrived();
  ASSERT_THAT(ports, SizeIs(2));
  EXPECT_NE(ports[0], ports[1]);
  for (uint16_t port : ports) EXPECT_EQ(port / flows::kNatBlockPorts, 20);
  offer(5000);
  EXPECT_THAT(arrived(), ElementsAre(ports[0])) << "by its flow";
}

TEST_F(NatPortsTest, WhenNoneIsLeftWhatWaitsIsDroppedUnderItsName) {
  offer(5000);
  bench.state.nat_blocks.set_spent(edge, scenario::ip("10.0.2.254"), 16, 31);
  tell();
  EXPECT_EQ(bench.dropped(DropReason::nat_ports_exhausted), 1);
  bench.state.nat_news.take();
  offer(5001);
  EXPECT_EQ(bench.dropped(DropReason::nat_ports_exhausted), 2) << "at once";
  EXPECT_THAT(bench.state.nat_news.take(), IsEmpty());
  bench.state.nat_blocks.clear_spent(edge, scenario::ip("10.0.2.254"));
  bench.state.nat_blocks.add({edge, scenario::ip("10.0.2.254"), 20});
  offer(5001);
  EXPECT_THAT(arrived(), SizeIs(1));
}

// 1,024 ports, 16 blocks, one remote end.
TEST_F(NatPortsTest, AllPortsOfTheRangeServeOneRemoteEnd) {
  std::set<uint16_t> seen;
  uint16_t next = 0;
  for (uint16_t offered = 0; offered < 900; ++offered) {
    offer(static_cast<uint16_t>(5000 + offered));
    for (uint16_t port : arrived()) EXPECT_TRUE(seen.insert(port).second) << port;
    for (const NatWant& want : bench.state.nat_news.take()) {
      if (next == 16) continue;  // there are no more
      bench.state.nat_blocks.add({edge, want.block.address, static_cast<uint16_t>(16 + next++)});
      if (want.waiting) tell();
    }
    for (uint16_t port : arrived()) EXPECT_TRUE(seen.insert(port).second) << port;
    if (next == 16) bench.state.nat_blocks.set_spent(edge, scenario::ip("10.0.2.254"), 16, 31);
  }
  EXPECT_EQ(seen.size(), 900);
}

TEST_F(NatPortsTest, PortsBecomeScarceBeforeTheyAreUsedUp) {
  bench.state.nat_blocks.add({edge, scenario::ip("10.0.2.254"), 20});
  for (uint16_t port = 0; port < flows::kNatBlockPorts; ++port) offer(static_cast<uint16_t>(5000 + port));
  EXPECT_THAT(arrived(), SizeIs(flows::kNatBlockPorts)) << "all of them";
  const auto wants = bench.state.nat_news.take();
  ASSERT_THAT(wants, SizeIs(1));
  EXPECT_FALSE(wants[0].waiting);
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

// p3 and p4 are in a stateful group, and p4 is on another host.
class SharedConnections : public testing::Test {
 protected:
  SharedConnections() : bench(network()) {
    auto here = std::make_shared<const flows::simulation::Network>(bench.net.compile(0));
    bench.state.network.publish(here);
    bench.announce({1, 2, 3});
    bench.state.replication_news.take();
    bench.where();
  }
  static ScenarioNetwork network() {
    ScenarioNetwork net = two_subnets();
    net.port_group("pair", {"p3", "p4"});
    net.change<topology::PortGroup>("pair", [](topology::PortGroup& group) { group.stateful = true; });
    net.chain("stateful").rule("stateful", scenario::when().returning().accept());
    net.filter("p3", "outbound", "stateful");
    net.spread(2);
    for (const char* port : {"p1", "p2", "p3"}) net.move(port, 0);
    return net.move("p4", 1);
  }
  std::vector<SharedState> shares() {
    std::vector<SharedState> out;
    for (const auto& news : bench.state.replication_news.take()) {
      if (const auto* share = std::get_if<SharedState>(&news)) out.push_back(*share);
    }
    return out;
  }
  AgentBench bench;
};

TEST_F(SharedConnections, ThePacketThatOpensOneWaitsUntilOthersKnowIt) {
  bench.send("p1", udp(1, 3));
  EXPECT_EQ(bench.where(), "nothing");
  const auto told = shares();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_THAT(std::vector(told[0].peers.begin(), told[0].peers.end()), ElementsAre(scenario::ScenarioHosts::id(1)));
  ASSERT_NE(told[0].ticket, 0U);
  EXPECT_TRUE(bench.state.connections.find(told[0].keys[0]));
  EXPECT_EQ(told[0].opened, 1U) << "of these keys others know nothing, whatever they were told before";

  bench.send("p1", udp(1, 3));
  EXPECT_EQ(bench.where(), "nothing") << "the next packet waits with it";
  bench.pool->state_ready(told[0].ticket + 256);
  bench.work();
  EXPECT_EQ(bench.where(), "nothing") << "another connection's";
  bench.pool->state_ready(told[0].ticket);
  bench.work();
  EXPECT_THAT(bench.output("p3"), SizeIs(2));
  bench.where();
  ASSERT_TRUE(bench.inject("p1", udp(1, 3)));
  EXPECT_EQ(bench.where(), "p3") << "by its flow";
}

TEST_F(SharedConnections, NobodyWaitsForEver) {
  bench.send("p1", udp(1, 3));
  EXPECT_EQ(bench.where(), "nothing");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string where = "nothing";
  while (where == "nothing" && std::chrono::steady_clock::now() < deadline) {
    bench.work();
    where = bench.where();
  }
  EXPECT_EQ(where, "p3") << "after PacketWorker::kShareTime";
}

TEST_F(SharedConnections, WhatIsOfThisHostAloneDoesNotWait) {
  ScenarioNetwork net = network();
  net.remove("pair p4");
  bench.state.network.publish(std::make_shared<const flows::simulation::Network>(net.compile(0)));
  bench.send("p1", udp(1, 3));
  EXPECT_EQ(bench.where(), "p3");
  const auto told = shares();
  ASSERT_THAT(told, SizeIs(1)) << "for when a port moves";
  EXPECT_EQ(told[0].ticket, 0U);
  EXPECT_TRUE(told[0].peers.empty());
}

}  // namespace
}  // namespace viaduct::actors
