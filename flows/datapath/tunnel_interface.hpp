// What the interface of a datapath's tunnel port is called.
#pragma once

#include <string>

#include "flows/packet/tunnel.hpp"

namespace viaduct::flows {

// "<datapath>-vxlan" or "<datapath>-gre". When that is longer than an interface's name may be (15 bytes), the datapath's
// name is cut, and four hexadecimal digits of its hash keep two long names apart: the same in every life.
std::string tunnel_interface(const std::string& datapath, TunnelKind kind);

}  // namespace viaduct::flows
