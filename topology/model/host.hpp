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

  // Where flooding proxies and service containers are placed: kept for who has them placed; nothing here goes by it yet.
  static constexpr uint32_t kNoLimit = 0xffff'ffff;
  uint32_t flooding_proxy_weight = 1;
  uint32_t container_weight = 1;
  uint32_t container_limit = kNoLimit;
  bool enforce_container_limit = false;
  friend bool operator==(const Host&, const Host&) = default;
};

}  // namespace viaduct::topology
