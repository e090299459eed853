// What a host writes into the state tables: schema/state.capnp.
#pragma once

#include <string>
#include <vector>

#include "observability/event.hpp"
#include "topology/host_state.hpp"

namespace viaduct::topology {

// All that a host has is told in one write that is complete, or in several that together are: the first begins, the last
// ends. What the host had said before the first one, and puts in none of them, ends with the last one.
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
  bool begins = false;
  bool ends = false;
  std::vector<observability::Event> events = {};  // for the node's journal

  bool says_nothing_of_state() const { return puts.empty() && deletes.empty() && !complete && !begins && !ends; }
};

struct StateWritten {
  bool ended = false;             // the session is over: join again
  std::vector<std::string> lost;  // keys that another host owns now, or that are not this host's to write
  std::string error = {};         // the store's; nothing is known of the write, send it again
  bool again = false;  // it ends what is not known to have begun: not written, everything is to be told again
};

}  // namespace viaduct::topology
