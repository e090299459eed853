// Connections on the host's own disk, so that a restarted daemon goes on with those of its predecessor, and proves the flows
// that it finds in the kernel by them.
//
// Written ten times a second, and when the daemon ends: what opened, changed its state or ended since the last time
// (ConnectionNews). When a connection was last used is written less often, each once in kRefresh, so that the disk has work
// by what changes and not by what is there; what is restored is therefore taken for used up to kRefresh later.
//
// Of pairs the disk has the forward half; fragments are not worth the while. Writes are not synced: a machine that loses
// its power loses its guests' connections anyway. One owner; blocks.
#pragma once

#include <memory>
#include <string>

#include "actors/agent/agent_state.hpp"
#include "topology/store/backend.hpp"

namespace viaduct::actors {

class ConnectionStore {
 public:
  static constexpr std::chrono::seconds kRefresh{60};

  explicit ConnectionStore(std::shared_ptr<topology::store::Backend> backend) : backend_(std::move(backend)) {}

  // Fills the table; what has ended meanwhile is removed from the disk, and so is what cannot be read.
  struct Restored {
    size_t connections = 0;
    size_t ended = 0;
    size_t refused = 0;  // there was no room
    size_t damaged = 0;
    std::string error;  // of the disk
  };
  Restored restore(AgentState& state, const flows::ConnectionTimeouts& timeouts, flows::Time now, WallTime wall);

  // Writes what changed since the last call, and refreshes a part. The text of an error is for the log; the next call
  // tries again.
  std::string write(AgentState& state, flows::Time now, WallTime wall);

 private:
  void compare_all(AgentState& state, flows::Time now, WallTime wall);
  void refresh(AgentState& state, flows::Time now, WallTime wall);
  void put(const flows::ConnectionKey& key, const flows::ConnectionEntry& entry, flows::Time now, WallTime wall);
  void remove(const flows::ConnectionKey& key);
  void flush();

  const std::shared_ptr<topology::store::Backend> backend_;
  topology::store::BackendBatch batch_;
  std::string error_;           // of this write
  bool compare_again_ = false;  // what the last one had to say is not on disk
  size_t at_ = 0;               // where to go on refreshing
  flows::Time round_{}, round_before_{};
  flows::Time last_{};
};

}  // namespace viaduct::actors
