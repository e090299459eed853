// `viaduct trace --if`: what would become of a packet if a change were applied.
//
// The change is built on the topology as it is, by the same rules as a commit. A network with it is compiled aside, from
// where ports are now, and the packet goes through both, over the same tables at the same time. Nothing is written.
//
// Costs what the change touches; where the whole topology is known, a compilation of all of it: a second at 100,000 ports.
#pragma once

#include <string>
#include <vector>

#include "actors/admin/trace_run.hpp"
#include "topology/builder.hpp"

namespace viaduct::actors {

// How much of the topology the snapshot holds: all of it, or what this host needs.
enum class Knowledge : uint8_t { whole, closure };

struct Supposed {
  std::string error;                            // not empty: there is no answer, and why
  std::vector<topology::Violation> violations;  // likewise: rules that the change breaks
  std::vector<topology::AppliedChange> changes;
  topology::Snapshot next;               // where the change would lead
  TraceResult now, changed;              // the second's outcome is "absent" when the port would not be active
  std::vector<std::string> differences;  // of the outcome, a sentence each
  bool path_differs = false;             // some step does; also when the outcome differs
  std::vector<std::string> notes;        // what this answer does not know
};

Supposed run_suppose(const SupposeRequest& request, const topology::Snapshot& snapshot, Knowledge knowledge,
                     const AgentState& state);

}  // namespace viaduct::actors
