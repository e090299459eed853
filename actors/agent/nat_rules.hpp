// Which addresses the rules of a topology translate sources to, device by device.
#pragma once

#include <optional>
#include <string>

#include "actors/agent/nat_leaser.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

// The chain whose rule gives out ports of this address at this device: one of the device's, of its ports', or one that
// these jump to. Nothing when there is none.
std::optional<ChainId> chain_that_names(const topology::Snapshot& topology, const NatAddress& address);

// The blocks of ports that rules give out of it there, from the least to the greatest. Nothing when there are none.
struct NatBlockRange {
  uint16_t first = 0, last = 0;
};
std::optional<NatBlockRange> blocks_named(const topology::Snapshot& topology, const NatAddress& address);

// "router edge, 203.0.113.9 (chain outbound)", for operators.
std::string describe(const topology::Snapshot& topology, const NatAddress& address);

}  // namespace viaduct::actors
