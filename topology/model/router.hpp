// A virtual router. Its ports' addresses give it connected and local routes without being asked; Route objects add to
// them.
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"

namespace viaduct::topology {

struct Router {
  RouterId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  bool admin_up = true;
  friend bool operator==(const Router&, const Router&) = default;
};

}  // namespace viaduct::topology
