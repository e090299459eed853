// Where in the virtual network a packet was dropped: ids only, of fixed size, so that the packet path can hand it on.
#pragma once

#include <cstdint>
#include <optional>

#include "flows/simulation/trace.hpp"
#include "topology/address/id.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::flows::simulation {

struct DropSite {
  PortId entered;                      // where it came into the virtual network; nil: a device made it, or by a tunnel
  PortId out;                          // by which it would have left the last device; nil: not chosen yet
  DeviceKind kind = DeviceKind::none;  // of `device`
  Uuid device;                         // that dropped it
  ChainId chain;                       // when a rule did
  RuleId rule;                         // likewise
  uint32_t position = 0;               // of the rule in its chain
  HostId host;                         // that it was for, or came from: of drops between hosts
  std::optional<IpAddress> next_hop;   // that gave no answer

  // Same place; the next hop is the packet's, and there are as many as a guest likes.
  bool same_place(const DropSite& other) const {
    return entered == other.entered && out == other.out && kind == other.kind && device == other.device &&
           chain == other.chain && rule == other.rule && host == other.host;
  }
  // The same fault: whatever the port where packets came in.
  bool same_cause(const DropSite& other) const {
    return kind == other.kind && device == other.device && chain == other.chain && rule == other.rule &&
           host == other.host;
  }
  friend bool operator==(const DropSite&, const DropSite&) = default;
};

}  // namespace viaduct::flows::simulation
