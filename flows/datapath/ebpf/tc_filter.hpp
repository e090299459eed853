// The program on an interface: a clsact qdisc with one ingress filter. Filters belong to the kernel and stay when the
// process goes.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace viaduct::flows::ebpf {

enum class Clsact : uint8_t {
  keep,    // somebody else's
  remove,  // made by us
};

// The name of the datapath (vd_config::name) whose program is there; empty when none is.
std::string owner_of(uint32_t ifindex);
// Puts the program there, or in place of the one that was, without a gap. Says whether the qdisc had to be made.
std::error_code attach_program(uint32_t ifindex, int program, bool& made_clsact);
// Absent ones are fine.
std::error_code detach_program(uint32_t ifindex, Clsact clsact);

}  // namespace viaduct::flows::ebpf
