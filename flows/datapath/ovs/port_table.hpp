// Which ports there are and which interface each is, for the packet path: one atomic load. The module drops an output
// to a port that is not there without a word, so execute() asks here first.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "flows/packet/port_number.hpp"

namespace viaduct::flows::ovs {

class PortTable {
 public:
  static constexpr uint32_t kPorts = 0xffff;  // the module's DP_MAX_PORTS
  // 0 when there is no such port.
  int interface_index(PortNumber port) const {
    return port.value < kPorts ? indices_[port.value].load(std::memory_order_acquire) : 0;
  }
  void set(PortNumber port, int interface_index) {
    if (port.value < kPorts) indices_[port.value].store(interface_index, std::memory_order_release);
  }

 private:
  std::array<std::atomic<int>, kPorts> indices_{};
};

}  // namespace viaduct::flows::ovs
