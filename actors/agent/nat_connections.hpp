// The connections of a host as seen from its blocks of NAT ports.
#pragma once

#include <optional>
#include <set>

#include "actors/agent/agent_state.hpp"
#include "flows/state/nat_blocks.hpp"

namespace viaduct::actors {

// The block that the answers of this connection come to; nothing for connections without one.
std::optional<flows::NatBlock> block_of(const flows::ConnectionKey& key);

// Ends what this host has opened in these blocks, which it gives back: the entries go, and the flows that followed them.
// Copies of other hosts' connections stay. Returns how many connections that were.
size_t end_connections(const std::set<flows::NatBlock>& blocks, AgentState& state);
// What this host has opened in these blocks is another host's, who has got them: the replicator is told, which goes on with
// copies. No flow goes. Returns how many connections that were.
size_t yield_connections(const std::set<flows::NatBlock>& blocks, AgentState& state);

// One look through all connections, a slice at a time.
class NatLook {
 public:
  static constexpr size_t kSlice = 512;  // buckets of the table: some thousand entries, about a millisecond

  // False when that was the end: `found` has all there is.
  bool step(const flows::ConnectionTable& connections, bool copies_only = false);
  const std::set<flows::NatBlock>& found() const { return found_; }
  uint64_t connections() const { return connections_; }

 private:
  size_t at_ = 0;
  uint64_t connections_ = 0;
  std::set<flows::NatBlock> found_;
};

}  // namespace viaduct::actors
