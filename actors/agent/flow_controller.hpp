// Every flow in the datapath, why it is there, and when it must go. Detached: removing and dumping flows talks to the
// kernel.
//
// Flows come from the workers' rings (after they were installed), and, at the start, from the kernel, where an earlier
// life left them: each is proven or deleted in slices between other messages (adoption). A flow that the kernel holds
// and nobody told us of (a ring was full) is found by the statistics dump and proven as well.
#pragma once

#include "actors/agent/flow_keeper.hpp"
#include "actors/interfaces.hpp"

namespace viaduct::actors {

FlowControllerActor spawn_flow_controller(caf::actor_system& system, const FlowControllerLinks& links,
                                          const FlowControllerOptions& options);

}  // namespace viaduct::actors
