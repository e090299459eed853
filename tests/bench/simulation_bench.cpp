// The packet decision: what one simulation costs, through how many devices, and that it allocates nothing.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>

#include "allocation_counter.hpp"
#include "bench_network.hpp"
#include "flows/match/flow.hpp"

namespace viaduct::bench {
namespace {

using flows::simulation::Outcome;
using flows::simulation::Verdict;

IpFamily family(const benchmark::State& state) { return state.range(0) == 6 ? IpFamily::v6 : IpFamily::v4; }

void simulate_path(benchmark::State& state, const flows::simulation::Input& input) {
  Verdict verdict;
  flows::simulation::simulate(input, verdict);  // the verdict's lists get their room
  if (verdict.outcome != Outcome::forward) {
    state.SkipWithError("the packet does not cross the network");
    return;
  }
  const uint64_t before = allocations();
  for (auto _ : state) {
    flows::simulation::simulate(input, verdict);
    benchmark::DoNotOptimize(verdict.outcome);
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations() - before), benchmark::Counter::kAvgIterations);
}

void simulate_path(benchmark::State& state, BenchNetwork& network) {
  const flows::Packet packet = network.packet();
  simulate_path(state, network.input(packet));
}

void simulate_bridge(benchmark::State& state) {
  BenchNetwork network(1, family(state));
  simulate_path(state, network);
}
void simulate_bridge_router_bridge(benchmark::State& state) {
  BenchNetwork network(3, family(state));
  simulate_path(state, network);
}
void simulate_remote_bridge(benchmark::State& state) {
  BenchNetwork network(1, family(state));
  network.put_far_on_another_host();
  network.compile();
  simulate_path(state, network);
}
void simulate_remote_bridge_router_bridge(benchmark::State& state) {
  BenchNetwork network(3, family(state));
  network.put_far_on_another_host();
  network.compile();
  simulate_path(state, network);
}
// What came by a tunnel, on the host where the path ends.
void simulate_arrival(benchmark::State& state) {
  BenchNetwork bench(1, family(state));
  bench.put_far_on_another_host();
  const auto& hosts = bench.scenario().hosts();
  const auto network = bench.scenario().compile(1);
  flows::Packet packet = bench.packet();
  packet.key.in_port = scenario::ScenarioHosts::kTunnelPort;
  packet.key.tunnel = {hosts.key_of(bench.scenario().port("far")), hosts.address(0), hosts.address(1)};
  simulate_path(state, {network, bench.input(packet).state, packet, bench.input(packet).now});
}
void simulate_ten_devices(benchmark::State& state) {
  BenchNetwork network(10, family(state));
  simulate_path(state, network);
}

// Ten thousand ports on the first bridge, a hundred thousand routes in the router. Made once: it takes a while.
void simulate_large(benchmark::State& state) {
  static std::map<int64_t, std::unique_ptr<BenchNetwork>> made;
  auto& network = made[state.range(0)];
  if (network == nullptr) {
    network = std::make_unique<BenchNetwork>(3, family(state));
    network->add_bridge_ports(10'000);
    network->add_routes(100'000);
    network->compile();
  }
  simulate_path(state, *network);
}

void parse_packet(benchmark::State& state) {
  BenchNetwork network(3, family(state));
  std::vector<uint8_t> frame = network.frame_to(0);
  const uint64_t before = allocations();
  for (auto _ : state) {
    benchmark::DoNotOptimize(flows::parse(frame, flows::PortNumber{1}));
    benchmark::ClobberMemory();
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations() - before), benchmark::Counter::kAvgIterations);
}

void make_flow(benchmark::State& state) {
  BenchNetwork network(3, family(state));
  const flows::Packet packet = network.packet();
  Verdict verdict;
  flows::simulation::simulate(network.input(packet), verdict);
  for (auto _ : state) benchmark::DoNotOptimize(flows::Flow::make(packet.key, verdict.mask, verdict.actions));
}

BENCHMARK(simulate_bridge)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(simulate_bridge_router_bridge)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(simulate_remote_bridge)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(simulate_remote_bridge_router_bridge)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(simulate_arrival)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(simulate_ten_devices)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(simulate_large)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(parse_packet)->ArgName("ip")->Arg(4)->Arg(6);
BENCHMARK(make_flow)->ArgName("ip")->Arg(4)->Arg(6);

}  // namespace
}  // namespace viaduct::bench

BENCHMARK_MAIN();
