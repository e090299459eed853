// The datapath in process: for tests, benchmarks and dry runs. It keeps the whole contract of datapath.hpp, with
// megaflows, credit and adoption; what the "kernel" keeps is the FakeKernel that several FakeDatapaths share one after
// the other.
//
//   auto kernel = std::make_shared<FakeKernel>(clock);
//   kernel->add_interface("tap0");
//   auto datapath = open_fake(kernel, {});
//   kernel->inject("tap0", frame);
#pragma once

#include <memory>

#include "flows/datapath/datapath.hpp"
#include "flows/datapath/fake_kernel.hpp"

namespace viaduct::flows {

// Adopts what an earlier datapath left in `kernel`.
std::unique_ptr<Datapath> open_fake(std::shared_ptr<FakeKernel> kernel, const DatapathOptions& options);

}  // namespace viaduct::flows
