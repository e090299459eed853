#include "actors/cluster/cluster_nodes.hpp"

#include <algorithm>

#include "topology/codec_session.hpp"

namespace viaduct::actors {

bool ClusterNodes::put(const std::string& key, std::span<const uint8_t> record) {
  auto node = topology::decode_cluster_node(record);
  if (node) {
    nodes_[key] = std::move(*node);
  } else {
    nodes_.erase(key);
  }
  return static_cast<bool>(node);
}

std::optional<uint64_t> ClusterNodes::applied(const Uuid& self) const {
  std::optional<uint64_t> least;
  const std::string own = topology::cluster_node_key(self);
  for (const auto& [key, node] : nodes_) {
    if (key == own || node.agents == 0) continue;
    least = std::min(least.value_or(node.applied), node.applied);
  }
  return least;
}

}  // namespace viaduct::actors
