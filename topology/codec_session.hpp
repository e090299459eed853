// How an agent joins a cluster node (schema/session.capnp), and the nodes' own records (schema/state.capnp), as values.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "schema/frame.hpp"
#include "topology/address/id.hpp"
#include "topology/cluster_node.hpp"
#include "topology/codec.hpp"

namespace viaduct::topology {

struct JoinRequest {
  HostId host;
  std::string name;
  std::string instance;
  uint64_t revision = 0;      // the agent has everything of `devices` up to here; 0: nothing
  std::vector<Uuid> devices;  // bridges, routers and tunnel zones
};

struct JoinAnswer {
  std::string refused;                // why; empty: joined
  bool fresh = false;                 // the host's earlier session has ended
  std::string node;                   // of the cluster
  std::chrono::milliseconds beat{0};  // how often the agent has to be heard
  uint64_t revision = 0;              // of the network state database
};

schema::Frame encode_join(const JoinRequest& join);
Decoded<JoinRequest> decode_join(const schema::Frame& frame);
schema::Frame encode_joined(const JoinAnswer& joined);
Decoded<JoinAnswer> decode_joined(const schema::Frame& frame);

// As the store keeps it.
schema::Frame encode_cluster_node(const ClusterNode& node);
Decoded<ClusterNode> decode_cluster_node(std::span<const uint8_t> bytes);

}  // namespace viaduct::topology
