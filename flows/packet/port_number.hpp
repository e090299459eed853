// The number by which a datapath knows one of its ports (Open vSwitch: odp_port_t). Local to one host and one life of
// the binding; never stored in the topology. 0 means "none".
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace viaduct::flows {

struct PortNumber {
  uint32_t value = 0;
  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(const PortNumber&, const PortNumber&) = default;
};

}  // namespace viaduct::flows

template <>
struct std::hash<viaduct::flows::PortNumber> {
  size_t operator()(viaduct::flows::PortNumber port) const noexcept { return port.value * 0x9e37'79b9U; }
};
