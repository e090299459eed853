// Metrics of an agent that its tables and its datapath count anyway: read when somebody scrapes.
#pragma once

#include <vector>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/learned_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "observability/port_probe.hpp"

namespace viaduct::actors {

// All that it is given outlives what it returns.
std::vector<observability::ExportedCallback> export_agent_numbers(observability::Registry& registry,
                                                                  const AgentState& state, flows::Datapath& datapath,
                                                                  const WorkerPool& workers,
                                                                  const LearnedState& learned);

// For a PortProbe.
observability::PortProbe::Read counters_of(flows::Datapath& datapath);

}  // namespace viaduct::actors
