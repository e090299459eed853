// Rules, connections and translation: what they add to one decision, and how that grows with how many there are.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>

#include "allocation_counter.hpp"
#include "bench_network.hpp"
#include "flows/packet/flow_key.hpp"
#include "flows/simulation/maglev.hpp"
#include "rules.hpp"

namespace viaduct::bench {
namespace {

using flows::simulation::Outcome;
using flows::simulation::Verdict;
using scenario::when;

void simulate_known(benchmark::State& state, BenchNetwork& network) {
  const flows::Packet packet = network.packet();
  Verdict verdict;
  flows::simulation::simulate(network.input(packet), verdict);
  for (const auto& open : verdict.opens) network.connections().open(open.key, open.entry);
  flows::simulation::simulate(network.input(packet), verdict);
  if (verdict.outcome != Outcome::forward || !verdict.opens.empty()) {
    state.SkipWithError("the packet does not cross the network as one of a known connection");
    return;
  }
  const uint64_t before = allocations();
  for (auto _ : state) {
    flows::simulation::simulate(network.input(packet), verdict);
    benchmark::DoNotOptimize(verdict.outcome);
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations() - before), benchmark::Counter::kAvgIterations);
}

// An ACL of a data centre: one destination and port a rule, none of which is the packet's, and an accept behind them.
std::unique_ptr<BenchNetwork> with_rules(int rules) {
  auto network = std::make_unique<BenchNetwork>(3, IpFamily::v4);
  auto& net = network->scenario();
  net.chain("acl");
  for (int i = 0; i < rules; ++i) {
    const std::string host = "172.16." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250);
    net.rule(
        "acl",
        when().to(host + "/32").proto(flows::ip_proto::kTcp).dst_port(static_cast<uint16_t>(i % 1'000 + 1)).drop());
  }
  net.rule("acl", when().proto(flows::ip_proto::kUdp).accept());
  net.filter("r0", "inbound", "acl");
  network->compile();
  return network;
}

void simulate_rules(benchmark::State& state) {
  static std::map<int64_t, std::unique_ptr<BenchNetwork>> made;
  auto& network = made[state.range(0)];
  if (network == nullptr) network = with_rules(static_cast<int>(state.range(0)));
  simulate_known(state, *network);
}

// A chain and a translation: the path that DESIGN's two microseconds are about.
void simulate_chains_and_snat(benchmark::State& state) {
  BenchNetwork network(3, IpFamily::v4);
  auto& net = network.scenario();
  net.chain("sg").chain("post");
  net.rule("sg", when().returning().accept());
  net.rule("sg", when().proto(flows::ip_proto::kUdp).accept());
  net.rule("sg", when().drop());
  net.rule("post", when().snat("198.51.100.1", 1'024, 65'535).accept());
  net.filter("guest", "inbound", "sg").filter("r0", "outbound", "post");
  network.compile();
  for (uint16_t block = 16; block < 32; ++block) {
    network.nat_blocks().add({net.id("r0"), scenario::ip("198.51.100.1"), block});
  }
  simulate_known(state, network);
}

flows::ConnectionKey key_of(uint32_t number) {
  return {flows::ConnectionKind::track,
          flows::ip_proto::kTcp,
          static_cast<uint16_t>(number),
          443,
          IpAddress::v4(0x0a00'0000 | number >> 16),
          IpAddress::v4(0xc633'6401),
          Uuid::from_words(1, 1)};
}

// What each thread opens, in a table that all share and that has room for all of it.
constexpr uint32_t kOpens = 400'000;
constexpr size_t kRoom = 1 << 20;

void connection_open(benchmark::State& state) {
  static std::unique_ptr<flows::ConnectionTable> table;
  // The others begin when the first thread does.
  if (state.thread_index() == 0) {
    table = std::make_unique<flows::ConnectionTable>(flows::ConnectionLimits{kRoom, kRoom, kRoom});
  }
  uint32_t number = kOpens * static_cast<uint32_t>(state.thread_index());
  for (auto _ : state) benchmark::DoNotOptimize(table->open(key_of(number++), {}));
  if (state.thread_index() == 0 && table->refused() != 0) state.SkipWithError("the table was full");
}

void connection_find(benchmark::State& state) {
  constexpr uint32_t kEntries = 200'000;
  static std::unique_ptr<flows::ConnectionTable> table;
  if (state.thread_index() == 0 && table == nullptr) {
    table = std::make_unique<flows::ConnectionTable>(flows::ConnectionLimits{1 << 18, 1 << 18, 1 << 18});
    for (uint32_t number = 0; number < kEntries; ++number) table->open(key_of(number), {});
  }
  auto number = static_cast<uint32_t>(state.thread_index() + 1);
  for (auto _ : state) {
    number = number * 1'664'525 + 1'013'904'223;
    benchmark::DoNotOptimize(table->find(key_of((number >> 8) % kEntries)));
  }
}

std::vector<flows::simulation::MaglevTable::Member> pool_of(int64_t size) {
  std::vector<flows::simulation::MaglevTable::Member> members;
  for (int64_t i = 0; i < size; ++i) members.push_back({static_cast<uint64_t>(i + 1) * 0x9e37'79b9'7f4a'7c15ULL, 1});
  return members;
}

void maglev_build(benchmark::State& state) {
  const auto members = pool_of(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(flows::simulation::MaglevTable(members).size());
}

// Percent of the other members' slots that change hands when one member goes.
double moved_percent(const std::vector<flows::simulation::MaglevTable::Member>& members, size_t gone) {
  auto left = members;
  left.erase(left.begin() + static_cast<std::ptrdiff_t>(gone));
  const flows::simulation::MaglevTable before(members), after(left);
  size_t others = 0, moved = 0;
  for (uint64_t slot = 0; slot < before.size(); ++slot) {
    if (before.pick(slot) == gone) continue;
    ++others;
    moved += members[before.pick(slot)].name != left[after.pick(slot)].name ? 1 : 0;
  }
  return 100.0 * static_cast<double>(moved) / static_cast<double>(others);
}

// The time is of two builds and says nothing; the counter does.
void maglev_disruption(benchmark::State& state) {
  const auto members = pool_of(state.range(0));
  double sum = 0;
  size_t gone = 0, count = 0;
  for (auto _ : state) {
    sum += moved_percent(members, gone);
    gone = (gone + 97) % members.size();
    ++count;
  }
  state.counters["moved_percent"] = sum / static_cast<double>(count);
}

BENCHMARK(simulate_rules)->ArgName("rules")->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);
BENCHMARK(simulate_chains_and_snat);
BENCHMARK(connection_open)->Iterations(kOpens)->Threads(1)->Threads(2);
BENCHMARK(connection_find)->Threads(1)->Threads(2);
BENCHMARK(maglev_build)->ArgName("members")->Arg(10)->Arg(1'000);
BENCHMARK(maglev_disruption)->ArgName("members")->Arg(1'000)->Iterations(20);

}  // namespace
}  // namespace viaduct::bench
