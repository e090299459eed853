// What the nodes of a cluster say of themselves in the network state database, so that any of them can answer for all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "topology/address/id.hpp"

namespace viaduct::topology {

// Under "/cluster/<id>", with a lease: a node that has gone vanishes. The id is random, another for each life.
struct ClusterNode {
  std::string name;
  uint64_t since = 0;    // nanoseconds since the Unix epoch
  uint64_t agents = 0;   // that it serves
  uint64_t applied = 0;  // revision of the topology that all of these have applied
  friend bool operator==(const ClusterNode&, const ClusterNode&) = default;
};

inline constexpr std::string_view kClusterKeyPrefix = "/cluster/";
inline std::string cluster_node_key(const Uuid& id) { return std::string(kClusterKeyPrefix) + id.to_string(); }

}  // namespace viaduct::topology
