// A virtual Ethernet switch (MidoNet: bridge; Neutron: network).
#pragma once

#include <cstdint>
#include <string>

#include "topology/address/id.hpp"

namespace viaduct::topology {

struct Bridge {
  BridgeId id;
  uint64_t revision = 0;
  std::string name;
  std::string tenant;
  bool admin_up = true;
  ChainId inbound_filter{}, outbound_filter{};  // of untagged frames; none: all pass
  friend bool operator==(const Bridge&, const Bridge&) = default;
};

}  // namespace viaduct::topology
