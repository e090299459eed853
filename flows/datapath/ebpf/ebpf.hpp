// The datapath for hosts without the Open vSwitch module: tc programs on the ports, flows in pinned BPF maps.
//
// A packet costs one look-up per class of flows in use (layout.h), at most four; hits leave by redirection, straight to
// the guest's end of a veth where that is possible. What no flow matches is copied whole into the ring of one worker.
// Everything lives in the kernel below /sys/fs/bpf/viaduct/<name>: after the death of the daemon (also by kill -9) known
// flows go on, and misses wait in the rings for the next one, as far as their port's credit goes.
//
// Limits: needs root and a kernel of 6.1 or later; one process per name; at most 16 workers and 8191 ports; a flow's
// rewrites come before its outputs, which are at most 32. Maps that were made for another `max_flows` are replaced by
// empty ones. All threads that use it are in one network namespace. `ip netns exec` gives its command a private /sys,
// whose pins die with it: use `nsenter --net` for daemons that are to be adopted.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "flows/datapath/datapath.hpp"

namespace viaduct::flows {

// Opens or adopts the datapath `options.name`. Errors: device_or_resource_busy (another process has it), others from
// the kernel.
std::unique_ptr<Datapath> open_ebpf(const DatapathOptions& options, std::error_code& error);

// Whether this machine and user can run it, without leaving anything behind.
bool ebpf_available(std::string& why_not);

}  // namespace viaduct::flows
