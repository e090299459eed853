// Writes what this host has learned to its disk, within a moment of the change and when it is told to stop. Detached: the
// disk blocks.
#pragma once

#include "actors/agent/learned_state.hpp"
#include "actors/interfaces.hpp"

namespace viaduct::actors {

LearnedStateActor spawn_learned_state(caf::actor_system& system, LearnedState& learned, const AgentState& state);

}  // namespace viaduct::actors
