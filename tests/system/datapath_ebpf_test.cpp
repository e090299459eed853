// The eBPF datapath on the kernel of this machine. Needs root.
#include <unistd.h>

#include "flows/datapath/ebpf/ebpf.hpp"
#include "tunnel_words.hpp"
#include "veth_harness.hpp"

namespace viaduct::flows {

namespace {

std::unique_ptr<Datapath> open_driver(DatapathOptions options) {
  options.name = "vt-ebpf-" + std::to_string(getpid());
  std::error_code error;
  std::unique_ptr<Datapath> datapath = open_ebpf(options, error);
  EXPECT_FALSE(error) << error.message();
  return datapath;
}

std::unique_ptr<Harness> make_harness(std::string& why_not) {
  if (!ebpf_available(why_not)) return nullptr;
  return std::make_unique<VethHarness>(&open_driver);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Ebpf, DatapathConformance, testing::Values(HarnessFactory{"ebpf", &make_harness}),
                         harness_name);
INSTANTIATE_TEST_SUITE_P(Ebpf, TunnelConformance, testing::Values(HarnessFactory{"ebpf", &make_harness}), harness_name);

}  // namespace viaduct::flows
