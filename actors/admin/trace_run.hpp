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

// The packet in words as bytes: the same, whatever network it is then sent through. Nothing when its port is not active in
// `network`, or something is missing; `error` then says what.
std::optional<std::vector<uint8_t>> frame_of(const TraceRequest& request, const topology::Snapshot& snapshot,
                                             const flows::simulation::Network& network, const AgentState& state,
                                             std::string& error);
// Through this network, entering by a port that is active in it.
TraceResult trace_frame(const std::vector<uint8_t>& frame, const flows::simulation::PortView& port,
                        const flows::simulation::Network& network, const AgentState& state, flows::Time now);

}  // namespace viaduct::actors
