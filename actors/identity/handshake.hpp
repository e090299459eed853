// Both sides of the hello as state machines: bytes and the time in, a frame to send or an end out.
//
//   agent:    start() -> on_reply() -> on_result()
//   cluster:  on_hello() -> on_proof()
//
// Each object serves one connection and one exchange; after a refusal, or a second call out of turn, it is over. The
// agent proves itself only to a node that has proven to be of the cluster.
#pragma once

#include "actors/identity/hello.hpp"

namespace viaduct::actors {

class AgentHandshake {
 public:
  AgentHandshake(const Identity& identity, HostId host_id, std::string host_name);

  schema::Frame start();
  // The frame to send, or why this node is not spoken to.
  std::variant<schema::Frame, identity::Refusal> on_reply(std::span<const uint8_t> bytes, identity::TimePoint now);
  std::variant<HelloAccepted, identity::Refusal> on_result(std::span<const uint8_t> bytes);

  // After on_reply() has returned a frame: who the cluster node is.
  const PeerIdentity& peer() const { return peer_; }

 private:
  enum class State : uint8_t { start, said_hello, sent_proof, over };
  identity::Refusal end(identity::Refusal refusal);

  const Identity& identity_;
  Hello hello_;
  PeerIdentity peer_;
  State state_ = State::start;
};

// What the cluster node does next: sends `frame`, and goes on only when there is no refusal.
struct HandshakeStep {
  schema::Frame frame;
  std::optional<identity::Refusal> refusal;
};

class ClusterHandshake {
 public:
  explicit ClusterHandshake(const Identity& identity) : identity_(identity) {}

  HandshakeStep on_hello(std::span<const uint8_t> bytes);
  // Nothing: the agent is proven, and agent() is who it is; what is to be sent is accept() or refuse().
  std::optional<identity::Refusal> on_proof(std::span<const uint8_t> bytes, identity::TimePoint now);

  static schema::Frame accept(std::chrono::milliseconds lease) { return encode(HelloResult(HelloAccepted{lease})); }
  static schema::Frame refuse(const identity::Refusal& refusal) { return encode(HelloResult(refusal)); }

  struct Agent {
    PeerIdentity identity;
    HostId host_id;  // as it said and signed; the certificate's, when that names one
  };
  const Agent& agent() const { return agent_; }

 private:
  enum class State : uint8_t { start, asked, over };

  const Identity& identity_;
  Hello hello_;
  Challenge nonce_{};
  Agent agent_;
  State state_ = State::start;
};

}  // namespace viaduct::actors
