// The programs on an interface: a clsact qdisc with one ingress filter, and on tunnel devices one at the egress. Filters belong to the kernel and stay when the
// process goes.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "flows/datapath/ebpf/kernel_maps.hpp"

namespace viaduct::flows::ebpf {

enum class Clsact : uint8_t {
  keep,    // somebody else's
  remove,  // made by us
};

// The name of the datapath (vd_config::name) whose program is there; empty when none is.
std::string owner_of(uint32_t ifindex);
// Puts the programs there, or in place of those that were, without a gap. Says whether the qdisc had to be made.
std::error_code attach_programs(uint32_t ifindex, const KernelMaps::Programs& programs, bool& made_clsact);
// Absent ones are fine.
std::error_code detach_programs(uint32_t ifindex, Clsact clsact);

}  // namespace viaduct::flows::ebpf
