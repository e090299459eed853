// `viaduct trace`: the simulation that packets meet, run on a packet in words, changing nothing.
#pragma once

#include <string>
#include <vector>

#include "actors/admin/request.hpp"
#include "actors/agent/agent_state.hpp"
#include "flows/simulation/simulate.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

struct TraceResult {
  std::string error;  // not empty: there is no trace, and why
  flows::simulation::Trace trace;
  std::string description, outcome, drop_reason, actions, match;
  std::vector<std::string> outputs;  // names of ports where the packet leaves, or of other hosts' addresses
};

TraceResult run_trace(const TraceRequest& request, const topology::Snapshot& snapshot, const AgentState& state);

}  // namespace viaduct::actors
