#include "actors/daemons/datapath_choice.hpp"

#include <algorithm>
#include <thread>

#include "flows/datapath/ebpf/ebpf.hpp"
#include "flows/datapath/fake.hpp"
#include "flows/datapath/ovs/ovs_datapath.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr unsigned kMostWorkers = 4;  // by default: upcalls are rare, and idle threads are not free
constexpr unsigned kFakeInterfaces = 16384;

std::unique_ptr<flows::Datapath> open_in_process(const flows::DatapathOptions& options) {
  auto kernel = std::make_shared<flows::FakeKernel>();
  for (unsigned i = 0; i < kFakeInterfaces; ++i) kernel->add_interface("fake" + std::to_string(i));
  return flows::open_fake(std::move(kernel), options);
}

// Flows that are installed and that the flow controller has not heard of yet: they are in the rings of the workers. Not a
// multiple of the workers, whose number may change from life to life: maps of another size are not adopted.
constexpr size_t kFlowsOnTheirWay = 16'384;

std::string cannot(const char* kind, const std::string& why) {
  return std::string("the ") + kind + " datapath is not possible here: " + why;
}

}  // namespace

unsigned worker_count(const Config& config) {
  if (config.datapath.workers > 0) return config.datapath.workers;
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers);
}

std::unique_ptr<flows::Datapath> open_datapath(const Config& config, std::string& error) {
  // The flow controller chooses who goes when max_flows is reached; the datapath must not be full before it has.
  flows::DatapathOptions wanted{config.datapath.name, worker_count(config),
                                config.datapath.max_flows + kFlowsOnTheirWay};
  if (config.datapath.kind == "fake") return open_in_process(wanted);
  std::string why_ovs, why_ebpf;
  std::error_code problem;
  bool automatic = config.datapath.kind == "auto";
  if (config.datapath.kind == "ovs" || automatic) {
    if (flows::ovs::ovs_available(why_ovs)) {
      if (auto datapath = flows::ovs::open_ovs(wanted, problem)) return datapath;
      why_ovs = problem.message();
    }
    if (!automatic) error = cannot("ovs", why_ovs) + "; or take datapath.kind = \"ebpf\", which needs no module";
    if (!automatic) return nullptr;
    log::debug(log::Component::datapath, "no openvswitch module, taking eBPF", {{"reason", why_ovs}});
  }
  if (flows::ebpf_available(why_ebpf)) {
    if (auto datapath = flows::open_ebpf(wanted, problem)) return datapath;
    why_ebpf = problem.message();
  }
  error = cannot("ebpf", why_ebpf);
  if (automatic) error += "; " + cannot("ovs", why_ovs);
  return nullptr;
}

}  // namespace viaduct::actors
