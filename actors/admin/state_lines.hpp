// Learned state of devices in words, for `viaduct state`.
#pragma once

#include <vector>

#include "actors/admin/replies.hpp"
#include "actors/agent/agent_state.hpp"

namespace viaduct::actors {

// `device` nil: of all. Static entries of the topology are included, and the health of pools' members.
std::vector<StateLine> state_lines(const Uuid& device, const topology::Snapshot& snapshot, const AgentState& state,
                                   flows::Time now, WallTime wall);

}  // namespace viaduct::actors
