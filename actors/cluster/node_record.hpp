// This node's record in the database (topology/cluster_node.hpp): written when it changes, at most every 50 ms, and kept
// alive by a lease. A life that ended without a word left a record: the next one of the same name removes it.
#pragma once

#include <optional>
#include <string>

#include "actors/messages.hpp"
#include "topology/cluster_node.hpp"
#include "topology/store/store.hpp"

namespace viaduct::actors {

// The logic. Threads: one. It blocks for as long as the store does.
class NodeRecord {
 public:
  // `id`: of this life.
  NodeRecord(topology::store::Store& store, Uuid id, std::string name, std::chrono::seconds lease, WallTime since);

  void set(uint64_t agents, uint64_t applied);
  bool changed() const { return !written_ || *written_ != record_; }
  // Nothing, or why the database does not take it.
  std::optional<std::string> write();
  std::optional<std::string> keep_alive();
  void remove();

 private:
  std::optional<std::string> begin();

  topology::store::Store& store_;
  const Uuid id_;
  const std::chrono::seconds ttl_;
  topology::store::LeaseId lease_ = topology::store::LeaseId::none;
  topology::ClusterNode record_;
  std::optional<topology::ClusterNode> written_;
};

}  // namespace viaduct::actors
