// The interfaces of tunnel ports: made by rtnetlink as flow-based ("external") devices, for every datapath alike. The
// kernel's own encapsulation keeps the guests' offloads: a super-packet is cut behind it.
//
// Everything happens in the network namespace of the calling thread.
#pragma once

#include <string>
#include <system_error>

#include "flows/datapath/datapath.hpp"

namespace viaduct::flows {

// Makes the interface `name`, down, or takes the one of this name and kind that there is; with another UDP port it is made
// anew. Errors: not_supported (no such tunnels in this kernel), address_in_use (another flow-based device of this kind or
// UDP port), device_or_resource_busy (the interface `name` is something else), others from the kernel.
std::error_code make_tunnel_device(const std::string& name, const TunnelPortSpec& spec);
// Whether the interface is there as make_tunnel_device() makes it.
bool is_tunnel_device(const std::string& name, const TunnelPortSpec& spec);
// Absent ones are fine; an interface of another kind stays.
std::error_code remove_tunnel_device(const std::string& name, TunnelKind kind);
// Whether this kernel has such devices.
bool has_tunnel_devices(TunnelKind kind);

}  // namespace viaduct::flows
