// The conformance suite's host for the Open vSwitch module. Null, and why, where the module is absent.
#pragma once

#include <memory>
#include <string>

#include "conformance.hpp"

namespace viaduct::flows {

inline constexpr const char* kOvsDatapath = "vt-ovs";

std::unique_ptr<Harness> make_ovs_harness(std::string& why_not);

}  // namespace viaduct::flows
