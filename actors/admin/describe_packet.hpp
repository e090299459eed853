// From a packet in words to a frame: what the operator left out is filled from the live state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/admin/request.hpp"
#include "actors/agent/agent_state.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

// Nothing when something is missing that cannot be guessed; `error` then says what to add.
std::optional<std::vector<uint8_t>> make_frame(PacketDescription packet, const topology::Port& port,
                                               const topology::Snapshot& snapshot, const AgentState& state,
                                               std::string& error);
// "10.0.1.10 -> 10.0.2.10 tcp 1024 -> 80, ttl 64, 54 bytes": the packet as it was understood.
std::string describe(const flows::Packet& packet);

}  // namespace viaduct::actors
