// What a change of the topology and a look-up in its routes cost, against their size.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <random>

#include "bench_network.hpp"
#include "routing/fib/fib.hpp"

namespace viaduct::bench {
namespace {

using flows::simulation::Network;

// One guest port is bound on a bridge that has `ports` already.
void bind_one_port(benchmark::State& state) {
  static std::map<int64_t, std::unique_ptr<BenchNetwork>> made;
  auto& bench = made[state.range(0)];
  if (bench == nullptr) {
    bench = std::make_unique<BenchNetwork>(1, IpFamily::v4);
    bench->add_bridge_ports(static_cast<int>(state.range(0)));
    bench->compile();
  }
  scenario::ScenarioNetwork after = bench->scenario();
  after.guest_port("b0", "new");
  const PortId port = after.port("new");
  const auto delta = topology::Delta::between(bench->scenario().snapshot(), after.snapshot());
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        bench->network().updated(after.snapshot(), delta, after.locations(), {{port}, {}, {}, {}}));
  }
}

// All of it, as for a trace of what is not applied.
void compile_whole(benchmark::State& state) {
  BenchNetwork bench(1, IpFamily::v4);
  bench.add_bridge_ports(static_cast<int>(state.range(0)));
  for (auto _ : state) bench.compile();
}

// One route is added to a router that has `routes` already.
void add_one_route(benchmark::State& state) {
  static std::map<int64_t, std::unique_ptr<BenchNetwork>> made;
  auto& bench = made[state.range(0)];
  if (bench == nullptr) {
    bench = std::make_unique<BenchNetwork>(3, IpFamily::v4);
    bench->add_routes(static_cast<int>(state.range(0)));
    bench->compile();
  }
  scenario::ScenarioNetwork after = bench->scenario();
  after.route("new", "r0", "192.0.2.0/24", "r0-far", "10.1.0.9");
  const auto delta = topology::Delta::between(bench->scenario().snapshot(), after.snapshot());
  for (auto _ : state) {
    benchmark::DoNotOptimize(bench->network().updated(after.snapshot(), delta, after.locations(), {}));
  }
}

constexpr unsigned kSeed = 7;

// Prefix lengths about as in the Internet's table: most /24, the rest shorter.
routing::FibEntry random_entry(std::mt19937& random, uint64_t number) {
  static constexpr int kLengths[] = {24, 24, 24, 24, 24, 24, 23, 22, 22, 20, 19, 16};
  const int length = kLengths[random() % std::size(kLengths)];
  const uint32_t bits = random() & (~uint32_t{0} << (32 - length));
  routing::FibEntry entry;
  entry.id = RouteId(Uuid::from_words(1, number));
  entry.destination = IpPrefix(IpAddress::v4(bits), length);
  entry.port = PortId(Uuid::from_words(2, number % 16));
  return entry;
}

void fib_lookup(benchmark::State& state) {
  static std::map<int64_t, routing::Fib> made;
  routing::Fib& fib = made[state.range(0)];
  std::mt19937 random(kSeed);
  for (int64_t i = static_cast<int64_t>(fib.size()); i < state.range(0); ++i) {
    fib = fib.with(random_entry(random, static_cast<uint64_t>(i)));
  }
  std::vector<IpAddress> destinations;
  for (int i = 0; i < 65536; ++i) destinations.push_back(IpAddress::v4(static_cast<uint32_t>(random())));
  const IpAddress source = IpAddress::v4(0x0a00'0001);
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fib.lookup(source, destinations[++at & 65535], 0));
  }
}

BENCHMARK(bind_one_port)->ArgName("ports")->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK(compile_whole)->ArgName("ports")->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(add_one_route)->ArgName("routes")->Arg(1'000)->Arg(100'000);
BENCHMARK(fib_lookup)->ArgName("routes")->Arg(10'000)->Arg(800'000);

}  // namespace
}  // namespace viaduct::bench
