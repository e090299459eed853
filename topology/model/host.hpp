// A machine that runs an agent. Agents register their own host; operators name hosts when they bind ports.
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"

namespace viaduct::topology {

struct Host {
  HostId id;
  uint64_t revision = 0;  // of the commit that last changed it
  std::string name;       // unique
  friend bool operator==(const Host&, const Host&) = default;
};

}  // namespace viaduct::topology
