// The numbers that this kernel gave to the Open vSwitch families of generic netlink. Asking for them loads the module.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace viaduct::flows::ovs {

struct Families {
  uint16_t datapath = 0;
  uint16_t vport = 0;
  uint16_t flow = 0;
  uint16_t packet = 0;
  uint32_t vport_group = 0;  // multicast: vports that came and went
};

// Nothing when the module is not there; `why_not` says so in words for an operator.
std::optional<Families> resolve_families(std::string& why_not);

}  // namespace viaduct::flows::ovs
