#include "flows/datapath/ovs/ovs_datapath.hpp"
#include "ovs_harness.hpp"
#include "tunnel_words.hpp"
#include "veth_harness.hpp"

namespace viaduct::flows {

namespace {

std::unique_ptr<Datapath> open_driver(DatapathOptions options) {
  options.name = kOvsDatapath;
  std::error_code error;
  std::unique_ptr<Datapath> out = ovs::open_ovs(options, error);
  EXPECT_FALSE(error) << error.message();
  return out;
}

}  // namespace

std::unique_ptr<Harness> make_ovs_harness(std::string& why_not) {
  if (!ovs::ovs_available(why_not)) return nullptr;
  return std::make_unique<VethHarness>(&open_driver);
}

INSTANTIATE_TEST_SUITE_P(Ovs, DatapathConformance, testing::Values(HarnessFactory{"ovs", &make_ovs_harness}),
                         harness_name);
INSTANTIATE_TEST_SUITE_P(Ovs, TunnelConformance, testing::Values(HarnessFactory{"ovs", &make_ovs_harness}),
                         harness_name);

}  // namespace viaduct::flows
