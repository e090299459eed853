#include "actors/identity/handshake.hpp"

namespace viaduct::actors {

using identity::Reason;
using identity::Refusal;
using identity::Role;

namespace {

Refusal out_of_turn() { return {Reason::malformed, "a message of the hello out of turn"}; }

std::optional<Refusal> check_version(const Version& theirs, const char* who) {
  if (theirs.major == own_version().major) return std::nullopt;
  return Refusal{Reason::version, std::string(who) + " speaks version " + std::to_string(theirs.major) + ", this one " +
                                      std::to_string(own_version().major) + "; bring both to the same release"};
}

// What the agent says of itself against what its certificate says.
std::optional<Refusal> check_claim(const Hello& hello, const PeerIdentity& peer) {
  if (hello.host_name != peer.host)
    return Refusal{Reason::wrong_host, "the certificate is of host " + peer.host + ", and the agent says another name"};
  if (hello.host_id.is_nil()) return Refusal{Reason::malformed, "host " + peer.host + " says no id"};
  if (peer.host_id && *peer.host_id != hello.host_id)
    return Refusal{Reason::wrong_host, "the certificate of host " + peer.host + " is for id " +
                                           peer.host_id->to_string() + ", and the agent says " +
                                           hello.host_id.to_string()};
  return std::nullopt;
}

}  // namespace

AgentHandshake::AgentHandshake(const Identity& identity, HostId host_id, std::string host_name)
    : identity_(identity), hello_{own_version(), host_id, std::move(host_name), make_challenge()} {}

Refusal AgentHandshake::end(Refusal refusal) {
  state_ = State::over;
  return refusal;
}

schema::Frame AgentHandshake::start() {
  state_ = State::said_hello;
  return encode(hello_);
}

std::variant<schema::Frame, Refusal> AgentHandshake::on_reply(std::span<const uint8_t> bytes, identity::TimePoint now) {
  if (state_ != State::said_hello) return end(out_of_turn());
  auto decoded = decode_hello_reply(bytes);
  if (auto* refusal = std::get_if<Refusal>(&decoded)) return end(std::move(*refusal));
  auto& reply = std::get<HelloReply>(decoded);
  if (auto* refusal = std::get_if<Refusal>(&reply.content)) return end(std::move(*refusal));
  if (auto refusal = check_version(reply.version, "the cluster node")) return end(std::move(*refusal));
  auto& challenge = std::get<HelloChallenge>(reply.content);
  Exchange exchange = exchange_of(hello_, reply.version, challenge.nonce);
  auto verified = identity_.verify(challenge.proof, Role::cluster, exchange, now);
  if (auto* refusal = std::get_if<Refusal>(&verified)) return end(std::move(*refusal));
  peer_ = std::get<PeerIdentity>(std::move(verified));
  state_ = State::sent_proof;
  return encode(identity_.prove(Role::agent, exchange));
}

std::variant<HelloAccepted, Refusal> AgentHandshake::on_result(std::span<const uint8_t> bytes) {
  if (state_ != State::sent_proof) return end(out_of_turn());
  state_ = State::over;
  auto decoded = decode_hello_result(bytes);
  if (auto* refusal = std::get_if<1>(&decoded)) return std::move(*refusal);
  auto& result = std::get<0>(decoded);
  if (auto* refusal = std::get_if<Refusal>(&result)) return std::move(*refusal);
  return std::get<HelloAccepted>(result);
}

HandshakeStep ClusterHandshake::on_hello(std::span<const uint8_t> bytes) {
  auto refuse_hello = [this](Refusal refusal) {
    state_ = State::over;
    return HandshakeStep{encode(HelloReply{own_version(), refusal}), refusal};
  };
  if (state_ != State::start) return refuse_hello(out_of_turn());
  auto decoded = decode_hello(bytes);
  if (auto* refusal = std::get_if<Refusal>(&decoded)) return refuse_hello(std::move(*refusal));
  hello_ = std::get<Hello>(std::move(decoded));
  if (auto refusal = check_version(hello_.version, "the agent")) return refuse_hello(std::move(*refusal));
  nonce_ = make_challenge();
  state_ = State::asked;
  Proof proof = identity_.prove(Role::cluster, exchange_of(hello_, own_version(), nonce_));
  return {encode(HelloReply{own_version(), HelloChallenge{nonce_, std::move(proof)}}), std::nullopt};
}

std::optional<Refusal> ClusterHandshake::on_proof(std::span<const uint8_t> bytes, identity::TimePoint now) {
  bool in_turn = state_ == State::asked;
  state_ = State::over;
  if (!in_turn) return out_of_turn();
  auto decoded = decode_hello_proof(bytes);
  if (auto* refusal = std::get_if<Refusal>(&decoded)) return std::move(*refusal);
  Exchange exchange = exchange_of(hello_, own_version(), nonce_);
  auto verified = identity_.verify(std::get<Proof>(decoded), Role::agent, exchange, now);
  if (auto* refusal = std::get_if<Refusal>(&verified)) return std::move(*refusal);
  auto& peer = std::get<PeerIdentity>(verified);
  if (auto refusal = check_claim(hello_, peer)) return refusal;
  agent_ = {std::move(peer), hello_.host_id};
  return std::nullopt;
}

}  // namespace viaduct::actors
