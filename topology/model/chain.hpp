// A list of rules, applied to packets at a port, a bridge or a router, or by a jump from another chain (MidoNet: chain;
// Netfilter: chain). Its rules name it and carry their positions.
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"

namespace viaduct::topology {

struct Chain {
  ChainId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  friend bool operator==(const Chain&, const Chain&) = default;
};

}  // namespace viaduct::topology
