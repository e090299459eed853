// The datapath on the Open vSwitch kernel module, over generic netlink.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "flows/datapath/datapath.hpp"

namespace viaduct::flows::ovs {

// Whether this kernel has the module (asking loads it) and this process may use it; `why_not` says what is missing.
bool ovs_available(std::string& why_not);

// Adopts the datapath `options.name` with its ports and flows, or makes it. The module shows it as an interface of that
// name, so the name follows the rules of interfaces (at most 15 bytes). Everything happens in the network namespace of
// the calling thread. Null, and `error` says why, when the module is absent or refuses.
std::unique_ptr<Datapath> open_ovs(const DatapathOptions& options, std::error_code& error);

}  // namespace viaduct::flows::ovs
