// What other hosts have learned, put into this host's tables: so that the first packet to a guest elsewhere is neither
// flooded nor asked for.
#pragma once

#include <functional>
#include <vector>

#include "actors/agent/agent_state.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

// A router's next hop was learned elsewhere: packets may wait for it.
using NeighbourLearned = std::function<void(const flows::simulation::NeighbourWanted&)>;

// In the order of `changes`. Entries of `host` itself are its own already; what it has just learned and not yet
// published is newer than what others say.
void take_in(const std::vector<topology::StateChange>& changes, HostId host, AgentState& state, flows::Time now,
             const NeighbourLearned& learned);

}  // namespace viaduct::actors
