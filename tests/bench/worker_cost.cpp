// CPU time of a packet worker for one upcall, in full batches, on the datapath in process. Made twice: `counted_worker` is the
// agent's own worker and its measured datapath; `uncounted_worker` has a probe that does nothing (uncounted/), and the datapath
// as it is. Both wait for a line on standard input, do one round of `ROUNDS` batches, and answer with nanoseconds an upcall:
// whoever compares them lets them take turns.
//
//   counted_worker DEVICES ROUNDS [N]
//
// With N the worker has a flow log, too, and tells one in N flows; its writer's thread is not measured.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "actors/agent/measured_datapath.hpp"
#include "actors/agent/worker_pool.hpp"
#include "bench_network.hpp"
#include "flows/datapath/fake.hpp"
#include "upcall_batch.hpp"

namespace viaduct::bench {
namespace {

class Worker {
 public:
  // `one_in`: 0, no flow log.
  Worker(int devices, uint32_t one_in) : bench_(devices, IpFamily::v4), one_in_(one_in) {
    bench_.know_destinations(kUpcalls);
    state_.macs = bench_.macs();
    state_.neighbours = bench_.neighbours();
    state_.network.publish(std::make_shared<const flows::simulation::Network>(bench_.network()));
    for (const char* interface : {"near", "far"}) {  // numbers 1 and 2, as the network has them
      kernel_->add_interface(interface);
      std::error_code error;
      datapath_->add_port(interface, error);
    }
    for (int i = 0; i < kUpcalls; ++i) frames_.push_back(bench_.frame_to(i));
  }

  // Nanoseconds of CPU for one upcall.
  double rounds(int count) {
    double seconds = 0;
    for (int i = 0; i < count; ++i) {
      for (const auto& frame : frames_) kernel_->inject("near", frame);
      const double begin = thread_seconds();
      workers_.worker(0).round(std::chrono::milliseconds(0));
      seconds += thread_seconds() - begin;
      if (datapath_->stats().flows != kUpcalls) {
        std::fprintf(stderr, "worker_cost: not every upcall became a flow\n");
        std::exit(1);
      }
      forget();
    }
    return seconds * 1e9 / (static_cast<double>(count) * kUpcalls);
  }

 private:
  static std::unique_ptr<flows::Datapath> open(const std::shared_ptr<flows::FakeKernel>& kernel,
                                               observability::Registry& registry) {
    auto datapath = flows::open_fake(kernel, {});
#ifdef VIADUCT_UNCOUNTED
    static_cast<void>(registry);
    return datapath;
#else
    return actors::measured(std::move(datapath), registry);
#endif
  }
  void forget() {
    kernel_->flush_flows();
    kernel_->take_output("far");
    state_.flow_news.take();
    state_.device_news.take();
    actors::InstalledFlow record;
    while (workers_.installed(0).try_pop(record)) {
    }
    actors::FlowLogTap::Record told;
    auto* log = workers_.worker(0).flow_log();
    while (log != nullptr && log->try_pop(told)) {
    }
  }
  static std::unique_ptr<actors::FlowLogInlet> inlet(uint32_t one_in, observability::Registry& registry) {
    if (one_in == 0) return nullptr;
    return std::make_unique<actors::FlowLogInlet>(actors::FlowLogSettings{one_in, one_in, false}, 1, registry);
  }
  actors::AgentState& with_log(actors::AgentState& state) {
    state.flow_log = inlet(one_in_, registry_);
    return state;
  }

  BenchNetwork bench_;
  const uint32_t one_in_;
  std::vector<std::vector<uint8_t>> frames_;
  actors::AgentState state_;
  observability::Registry registry_;
  std::shared_ptr<flows::FakeKernel> kernel_ = std::make_shared<flows::FakeKernel>();
  std::unique_ptr<flows::Datapath> datapath_ = open(kernel_, registry_);
  actors::WorkerPool workers_{with_log(state_), *datapath_, 1, registry_};
};

}  // namespace
}  // namespace viaduct::bench

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4 || std::atoi(argv[1]) < 1 || std::atoi(argv[2]) < 1 ||
      (argc == 4 && std::atoi(argv[3]) < 1)) {
    std::fprintf(stderr, "usage: %s DEVICES ROUNDS [N]\n", argv[0]);
    return 2;
  }
  viaduct::bench::Worker worker(std::atoi(argv[1]), argc == 4 ? static_cast<uint32_t>(std::atoi(argv[3])) : 0);
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%.3f\n", worker.rounds(std::atoi(argv[2])));
    std::fflush(stdout);
  }
  return 0;
}
