// Whatever a packet worker installs must be proven by the next life, or a restart would cost flows.
#include "actors/agent/flow_prover.hpp"

#include <random>

#include "agent_bench.hpp"

namespace viaduct::actors {
namespace {

using flows::PacketBuilder;
using Random = std::mt19937;

class FlowProverTest : public testing::TestWithParam<uint32_t> {
 protected:
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + std::uniform_int_distribution<size_t>(0, choices.size() - 1)(random));
  }
  Frame random_frame(int vm) {
    const char* gateway = vm <= 2 ? kGreenMac : kBlueMac;
    auto to_mac = pick({mac_of(1), mac_of(2), mac_of(3), mac_of(4), scenario::mac(gateway),
                        scenario::mac("02:00:00:00:00:99"), scenario::mac("01:00:5e:00:00:05")});
    PacketBuilder builder;
    builder.eth(mac_of(vm), to_mac);
    for (int tags = pick({0, 0, 0, 1, 2}); tags > 0; --tags) builder.vlan(pick<uint16_t>({5, 4095}), 3);
    if (pick({0, 0, 0, 0, 1}) == 1) return builder.ethertype(pick<uint16_t>({0x88b5, 46})).payload(46).build();
    bool v4 = pick({0, 1, 1}) == 1;
    if (v4) {
      builder.ip(ip_of(vm), pick({ip_of(1), ip_of(3), ip_of(4), scenario::ip("10.0.1.254"), scenario::ip("192.0.2.1"),
                                  scenario::ip("10.0.2.255"), scenario::ip("224.0.0.5")}));
    } else {
      builder.ip(pick({"fe80::1", "fd00:1::1"}), pick({"fd00:2::3", "ff02::1", "fe80::2"}));
    }
    builder.ttl(pick<uint8_t>({1, 2, 64, 255})).tos(pick<uint8_t>({0, 0x2e}));
    if (pick({0, 0, 1}) == 1) builder.fragment(pick<size_t>({0, 64}), true);
    switch (pick({0, 1, 2, 3})) {
      case 0:
        return builder.tcp(1, 2).build();
      case 1:
        return builder.udp(3, 4).payload(30).build();
      case 2:
        return builder.icmp_echo_request(1, 1).build();
      default:
        return builder.protocol(132).payload(20).build();
    }
  }
  Random random{GetParam()};
};

TEST_P(FlowProverTest, EveryFlowThatAWorkerMakesIsProven) {
  AgentBench bench;
  bench.announce({1, 2, 3, 4});
  for (int i = 0; i < 400; ++i) {
    int vm = pick({1, 2, 3, 4});
    bench.inject(port_of(vm), random_frame(vm));
    if (i % 50 == 49) bench.work();
  }
  bench.work();
  bench.keeper->take_news();  // what became wrong by learning goes
  ASSERT_GT(bench.flows(), 20);
  auto network = bench.state.network.load();
  for (const auto& flow : bench.dump()) {
    Proof proof = prove(flow, bench.state, *network, std::chrono::steady_clock::now());
    EXPECT_EQ(proof.result, Proof::Result::same) << flow.to_string();
  }
}

// They match nothing of the inner packet, so any specimen will do.
TEST(FlowProver, FlowsFromTunnelsAreProvenByTheirTunnel) {
  AgentBench bench;
  bench.net.spread(2);
  const auto network = bench.net.compile(1);
  const auto& hosts = bench.net.hosts();
  flows::FlowKey key;
  key.in_port = scenario::ScenarioHosts::kTunnelPort;
  key.tunnel = {hosts.key_of(bench.net.port("p2")), hosts.address(0), hosts.address(1)};
  const flows::FieldSet mask{flows::Field::in_port, flows::Field::tunnel};
  const auto flow = flows::Flow::make(key, mask, {flows::Output{bench.net.number("p2")}});
  EXPECT_EQ(prove(flow, bench.state, network, {}).result, Proof::Result::same);
  key.tunnel.src = hosts.address(7);
  const auto forged = flows::Flow::make(key, mask, {flows::Output{bench.net.number("p2")}});
  EXPECT_NE(prove(forged, bench.state, network, {}).result, Proof::Result::same);
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlowProverTest, testing::Range<uint32_t>(1, 6));

TEST(FlowProver, AFlowWithOtherActionsIsDifferent) {
  AgentBench bench;
  bench.announce({1, 2});
  bench.send("p1", udp(1, 2));
  flows::Flow flow = bench.dump().at(0);
  flow.actions.clear();
  auto network = bench.state.network.load();
  EXPECT_EQ(prove(flow, bench.state, *network, *bench.now).result, Proof::Result::different);
}

}  // namespace
}  // namespace viaduct::actors
