#include "veth_harness.hpp"

namespace viaduct::flows {

INSTANTIATE_TEST_SUITE_P(Ovs, DatapathConformance, testing::Values(HarnessFactory{"ovs", &make_ovs_harness}),
                         harness_name);

}  // namespace viaduct::flows
