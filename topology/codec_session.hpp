// How an agent joins a cluster node and what is asked of it then (schema/session.capnp), and the nodes' own records
// (schema/state.capnp), as values.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "schema/admin.capnp.h"
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
  bool answers = false;       // it takes questions
};

struct JoinAnswer {
  std::string refused;                // why; empty: joined
  bool fresh = false;                 // the host's earlier session has ended
  std::string node;                   // of the cluster
  std::chrono::milliseconds beat{0};  // how often the agent has to be heard
  uint64_t revision = 0;              // of the network state database
  bool relays = false;                // it takes questions
};

// What an operator asks about a port of another host. `request` is an AdminRequest that has been decoded by nobody yet.
struct Question {
  uint64_t number = 0;
  PortId port;
  std::string asked;  // the host whose daemon was asked
  std::string by, name;
  schema::Frame request;
};

// With an error, why there is no reply, and the code that an operator is told; else an AdminReply that nobody has decoded yet.
struct Answer {
  uint64_t number = 0;
  std::string host;
  std::string error;
  schema::ErrorCode code = schema::ErrorCode::MALFORMED;
  schema::Frame reply;
};

// Of questions and answers as they travel. Whoever sends a bigger one is refused before it is read.
inline constexpr size_t kMaxQuestionBytes = size_t{128} << 10;
inline constexpr size_t kMaxAnswerBytes = size_t{2} << 20;
// Of the names in a question, which peers choose.
inline constexpr size_t kMaxAskedName = 255;

schema::Frame encode_join(const JoinRequest& join);
Decoded<JoinRequest> decode_join(const schema::Frame& frame);
schema::Frame encode_joined(const JoinAnswer& joined);
Decoded<JoinAnswer> decode_joined(const schema::Frame& frame);
schema::Frame encode_question(const Question& question);
Decoded<Question> decode_question(const schema::Frame& frame);
schema::Frame encode_answer(const Answer& answer);
Decoded<Answer> decode_answer(const schema::Frame& frame);

// As the store keeps it.
schema::Frame encode_cluster_node(const ClusterNode& node);
Decoded<ClusterNode> decode_cluster_node(std::span<const uint8_t> bytes);

}  // namespace viaduct::topology
