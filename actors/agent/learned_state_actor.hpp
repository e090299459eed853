// Writes what this host has learned, and its connections, to its disk, within a moment of the change and when it is told to stop. Detached: the
// disk blocks.
#pragma once

#include "actors/agent/connection_store.hpp"
#include "actors/agent/learned_state.hpp"
#include "actors/interfaces.hpp"

namespace viaduct::actors {

LearnedStateActor spawn_learned_state(caf::actor_system& system, LearnedState& learned, ConnectionStore& connections,
                                      AgentState& state);

}  // namespace viaduct::actors
