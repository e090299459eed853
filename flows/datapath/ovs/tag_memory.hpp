// The types of VLAN tags that a worker has seen lately in upcalls and that are not 0x8100. FlowKey has no place for
// them and the module matches them, so a flow that is installed for such a packet gets them from here. A packet that
// waited for so long that it was forgotten gets a flow that never matches: it stays in user space, and is right.
#pragma once

#include <array>
#include <span>

#include "flows/datapath/ovs/key_codec.hpp"

namespace viaduct::flows::ovs {

class TagMemory {
 public:
  void note(std::span<const uint8_t> frame, PortNumber in_port);
  TagTypes find(const FlowKey& packet) const;

 private:
  struct Seen {
    PortNumber in_port;
    MacAddress src, dst;
    TagTypes tags;
  };
  static constexpr size_t kSeen = 64;
  std::array<Seen, kSeen> seen_{};
  size_t next_ = 0;
};

}  // namespace viaduct::flows::ovs
