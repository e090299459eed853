// One upcall, from the channel to the installed flow and the executed packet, on the datapath in process: all that
// Viaduct itself does, without a kernel.
#include <benchmark/benchmark.h>

#include "actors/agent/worker_pool.hpp"
#include "allocation_counter.hpp"
#include "bench_network.hpp"
#include "flows/datapath/fake.hpp"
#include "observability/metrics.hpp"
#include "upcall_batch.hpp"

namespace viaduct::bench {
namespace {

// An agent with one worker that nobody but the benchmark drives.
struct Agent {
  explicit Agent(BenchNetwork& bench) {
    state.macs = bench.macs();
    state.neighbours = bench.neighbours();
    state.network.publish(std::make_shared<const flows::simulation::Network>(bench.network()));
    for (const char* interface : {"near", "far"}) {  // numbers 1 and 2, as the network has them
      kernel->add_interface(interface);
      std::error_code error;
      datapath->add_port(interface, error);
    }
  }
  void forget() {
    kernel->flush_flows();
    kernel->take_output("far");
    state.flow_news.take();
    state.device_news.take();
    actors::InstalledFlow record;
    while (workers.installed(0).try_pop(record)) {
    }
  }

  actors::AgentState state;
  observability::Registry registry;
  std::shared_ptr<flows::FakeKernel> kernel = std::make_shared<flows::FakeKernel>();
  std::unique_ptr<flows::Datapath> datapath = flows::open_fake(kernel, {});
  actors::WorkerPool workers{state, *datapath, 1, registry};
};

void upcall_to_flow(benchmark::State& state, int devices) {
  BenchNetwork bench(devices, IpFamily::v4);
  bench.know_destinations(kUpcalls);
  Agent agent(bench);
  std::vector<std::vector<uint8_t>> frames;
  for (int i = 0; i < kUpcalls; ++i) frames.push_back(bench.frame_to(i));
  uint64_t made = 0, counted = 0;
  for (auto _ : state) {
    for (const auto& frame : frames) agent.kernel->inject("near", frame);
    const uint64_t before = allocations();
    const double start = thread_seconds();
    agent.workers.worker(0).round(std::chrono::milliseconds(0));
    state.SetIterationTime((thread_seconds() - start) / kUpcalls);
    made += allocations() - before;
    counted += agent.datapath->stats().flows;
    agent.forget();
  }
  const auto iterations = static_cast<uint64_t>(state.iterations());
  if (counted != iterations * kUpcalls) state.SkipWithError("not every upcall became a flow");
  state.counters["allocations"] = static_cast<double>(made) / static_cast<double>(iterations * kUpcalls);
}

void worker_upcall_bridge(benchmark::State& state) { upcall_to_flow(state, 1); }
void worker_upcall_routed(benchmark::State& state) { upcall_to_flow(state, 3); }

// The time of an iteration is that of one upcall, in a full batch.
BENCHMARK(worker_upcall_bridge)->UseManualTime()->MinTime(0.01);
BENCHMARK(worker_upcall_routed)->UseManualTime()->MinTime(0.01);

}  // namespace
}  // namespace viaduct::bench
