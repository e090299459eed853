// What a host writes into the state tables: schema/state.capnp.
#pragma once

#include <string>
#include <vector>

#include "topology/host_state.hpp"

namespace viaduct::topology {

struct StateWrite {
  enum class Mode : uint8_t {
    claim,    // just seen here: this host's, whoever's it was
    restore,  // known for longer: not over what another host owns by now
  };
  struct Put {
    StateEntry entry;
    Mode mode = Mode::claim;
  };
  std::vector<Put> puts;
  std::vector<std::string> deletes;  // keys; those of other owners are left alone
  bool complete = false;             // the host has nothing but `puts`
};

struct StateWritten {
  bool ended = false;             // the session is over: join again
  std::vector<std::string> lost;  // keys that another host owns now, or that are not this host's to write
  std::string error;              // the store's; nothing is known of the write, send it again
};

}  // namespace viaduct::topology
