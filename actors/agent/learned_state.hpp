// Learned MACs and neighbours on the host's own disk, so that a restarted daemon simulates as its predecessor did and
// can prove the flows that it finds in the kernel.
//
// Ten times a second, or less often where the tables are large, the difference between them and the disk is written;
// nothing is written while nothing changes. What was learned in the last moment before a death is learned again by the
// next packet.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "actors/agent/agent_state.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

class LearnedState {
 public:
  explicit LearnedState(topology::store::Store& store) : store_(store) {}

  // Fills the tables. Entries that cannot be read are dropped and counted in the result's `damaged`.
  struct Restored {
    size_t entries = 0;
    size_t damaged = 0;
    std::string error;  // of the store
  };
  Restored restore(AgentState& state, flows::Time now);

  // Writes what changed since the last call. The text of an error is for the log; the next call tries again.
  std::string persist(const AgentState& state);

  // Changes of the tables since those that the last call saw. Any thread.
  uint64_t unsaved(const AgentState& state) const;

 private:
  std::string write(const std::map<std::string, std::string>& wanted);

  topology::store::Store& store_;
  std::map<std::string, std::string> on_disk_;
  std::atomic<uint64_t> changes_seen_{0};
};

}  // namespace viaduct::actors
