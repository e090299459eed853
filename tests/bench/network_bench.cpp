// What a change of the topology and a look-up in its routes cost, against their size.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <random>

#include "bench_network.hpp"
#include "flows/simulation/invalidation.hpp"
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
    fib.put(random_entry(random, static_cast<uint64_t>(i)));
  }
  std::vector<IpAddress> destinations;
  for (int i = 0; i < 65536; ++i) destinations.push_back(IpAddress::v4(static_cast<uint32_t>(random())));
  const IpAddress source = IpAddress::v4(0x0a00'0001);
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fib.lookup(source, destinations[++at & 65535], 0));
  }
}

// A router with two uplinks and `routes` prefixes that both lead to, in parts as the state tables have them.
struct Learned {
  scenario::ScenarioNetwork before, after;
  PortId port;
  std::vector<PortId> both;

  explicit Learned(int64_t routes) {
    before.router("r1").uplink("r1", "up1", "02:00:00:00:09:01", {"10.0.9.1/24"});
    before.uplink("r1", "up2", "02:00:00:00:08:01", {"10.0.8.1/24"});
    after = before;
    constexpr int kParts = 256;
    for (int part = 0; part < kParts; ++part) {
      std::vector<std::string> prefixes;
      for (int64_t i = part; i < routes; i += kParts) {
        const auto number = static_cast<uint32_t>(i);
        prefixes.push_back(IpPrefix(IpAddress::v4(0x1400'0000 + (number << 8)), 24).to_string());
      }
      after.learn("up1", "10.0.9.254", prefixes, static_cast<uint16_t>(part));
      after.learn("up2", "10.0.8.254", prefixes, static_cast<uint16_t>(part));
    }
    port = after.port("up1");
    both = {port, after.port("up2")};
  }
  static Learned& of(int64_t routes) {
    static std::map<int64_t, std::unique_ptr<Learned>> made;
    auto& one = made[routes];
    if (one == nullptr) one = std::make_unique<Learned>(routes);
    return *one;
  }
};

// Both peers tell everything.
void learn_routes(benchmark::State& state) {
  const Learned& learned = Learned::of(state.range(0));
  const Network network = learned.before.compile();
  const flows::simulation::Moved moved{learned.both, {}, {}, {}};
  for (auto _ : state) {
    const Network next = network.updated(learned.after.snapshot(), {}, learned.after.locations(), moved);
    benchmark::DoNotOptimize(flows::simulation::invalidated_by(network, next, {}, moved));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0) * 2);
}

// One of the peers is gone: its routes by the other from now on, and whose flows are concerned is known.
void lose_a_gateway(benchmark::State& state) {
  const Learned& learned = Learned::of(state.range(0));
  const Network network = learned.after.compile();
  scenario::ScenarioNetwork less = learned.after;
  less.lose_gateway("up1", "10.0.9.254");
  const flows::simulation::Moved moved{{learned.port}, {}, {}, {}};
  for (auto _ : state) {
    const Network next = network.updated(less.snapshot(), {}, less.locations(), moved);
    benchmark::DoNotOptimize(flows::simulation::invalidated_by(network, next, {}, moved));
  }
}

BENCHMARK(bind_one_port)->ArgName("ports")->Arg(1'000)->Arg(10'000)->Arg(100'000);
BENCHMARK(compile_whole)->ArgName("ports")->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(add_one_route)->ArgName("routes")->Arg(1'000)->Arg(100'000);
BENCHMARK(learn_routes)->ArgName("routes")->Arg(100'000)->Arg(800'000)->Unit(benchmark::kMillisecond);
BENCHMARK(lose_a_gateway)->ArgName("routes")->Arg(1)->Arg(100'000);
BENCHMARK(fib_lookup)->ArgName("routes")->Arg(10'000)->Arg(800'000);

}  // namespace
}  // namespace viaduct::bench
