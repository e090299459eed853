// What following a change costs the cluster, who is to be told included, at growing sizes of one bridge with 500 hosts.
// The builder's part is left out: both deltas are made before, and the network goes to and fro between two states.
#include <benchmark/benchmark.h>

#include "topology/interest.hpp"
#include "topology/resume.hpp"

namespace viaduct::topology {
namespace {

constexpr uint64_t kHosts = 500;
constexpr uint64_t kBridge = 1, kRouter = 2;

template <class IdType>
IdType id(uint64_t number) {
  return IdType(Uuid::from_words(number * 0x9e37'79b9'7f4a'7c15ULL, number));
}

Snapshot with(const Snapshot& snapshot, Object object) {
  return snapshot.with(std::make_shared<const Object>(std::move(object)));
}

Port port(uint64_t number, uint64_t host, uint64_t bridge = kBridge) {
  Port out;
  out.id = id<PortId>(number);
  out.bridge = id<BridgeId>(bridge);
  out.host = id<HostId>(host);
  out.interface = "tap" + std::to_string(number);
  return out;
}

// A bridge with so many ports, bound to the hosts in turns; a router that nothing is linked to.
Snapshot network(uint64_t ports) {
  Snapshot snapshot = with(with({}, Bridge{id<BridgeId>(kBridge), 1, "hub", "", true}),
                           Router{id<RouterId>(kRouter), 1, "edge", "", true});
  for (uint64_t i = 0; i < kHosts; ++i)
    snapshot = with(snapshot, Host{id<HostId>(1000 + i), 1, "h" + std::to_string(i)});
  for (uint64_t i = 0; i < ports; ++i) snapshot = with(snapshot, port(10'000 + i, 1000 + i % kHosts));
  return snapshot;
}

// Follows from one state to the other and back; counts the hosts that are told something.
void to_and_fro(benchmark::State& state, const Snapshot& one, const Snapshot& other) {
  const Delta there = Delta::between(one, other), back = Delta::between(other, one);
  Interest interest(one);
  size_t told = 0;
  bool at_one = true;
  for (auto step : state) {
    const ClosureDelta groups = at_one ? interest.follow(other, there) : interest.follow(one, back);
    at_one = !at_one;
    for (const ClosureGroup& group : groups) told += group.hosts.size();
  }
  state.counters["hosts_told"] = benchmark::Counter(static_cast<double>(told), benchmark::Counter::kAvgIterations);
}

// A port is created and bound to a host that has others there; then deleted.
void bind_port(benchmark::State& state) {
  const Snapshot snapshot = network(static_cast<uint64_t>(state.range(0)));
  to_and_fro(state, snapshot, with(snapshot, port(5, 1000)));
}
BENCHMARK(bind_port)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// A bridge with one port, bound to a host of its own, is linked to the router and taken off: the hub is not concerned.
void bind_elsewhere(benchmark::State& state) {
  Snapshot snapshot = network(static_cast<uint64_t>(state.range(0)));
  snapshot = with(snapshot, Bridge{id<BridgeId>(3), 1, "aside", "", true});
  to_and_fro(state, snapshot, with(snapshot, port(5, 1000 + kHosts, 3)));
}
BENCHMARK(bind_elsewhere)->Arg(1'000)->Arg(100'000);

// The router is linked to the hub, and all hosts gain it; then they lose it.
void link_and_unlink(benchmark::State& state) {
  const Snapshot snapshot = network(static_cast<uint64_t>(state.range(0)));
  Port here = port(5, 0), there = port(6, 0);
  here.host = there.host = {};
  here.interface = there.interface = "";
  there.bridge = {};
  there.router = id<RouterId>(kRouter);
  here.peer = there.id;
  there.peer = here.id;
  to_and_fro(state, snapshot, with(with(snapshot, here), there));
}
BENCHMARK(link_and_unlink)->Arg(1'000)->Arg(10'000)->Arg(100'000);

// Everything from nothing, as after a restart of the cluster.
void from_nothing(benchmark::State& state) {
  const Snapshot snapshot = network(static_cast<uint64_t>(state.range(0)));
  for (auto step : state) benchmark::DoNotOptimize(Interest(snapshot));
}
BENCHMARK(from_nothing)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

// All hosts come back with what they had.
void resume_all(benchmark::State& state) {
  const Snapshot snapshot = network(static_cast<uint64_t>(state.range(0)));
  const Interest interest(snapshot);
  const std::vector<Uuid> has = {id<BridgeId>(kBridge).uuid()};
  for (auto step : state) {
    Resumption resumption(interest, snapshot, {});
    for (uint64_t i = 0; i < kHosts; ++i) benchmark::DoNotOptimize(resumption.resume(id<HostId>(1000 + i), has, 7));
  }
}
BENCHMARK(resume_all)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viaduct::topology

BENCHMARK_MAIN();
