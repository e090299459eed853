// The nodes of the cluster, as their records say.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "topology/cluster_node.hpp"

namespace viaduct::actors {

class ClusterNodes {
 public:
  // False: the record cannot be read; the node counts as one that has gone.
  bool put(const std::string& key, std::span<const uint8_t> record);
  void erase(const std::string& key) { nodes_.erase(key); }

  // What all agents of all nodes but `self` have applied of the topology; nothing when these serve none.
  std::optional<uint64_t> applied(const Uuid& self) const;
  const std::map<std::string, topology::ClusterNode>& all() const { return nodes_; }

 private:
  std::map<std::string, topology::ClusterNode> nodes_;  // by key
};

}  // namespace viaduct::actors
