#include "actors/identity/identity.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

namespace viaduct::actors {

using identity::Reason;
using identity::Refusal;
using identity::Role;

namespace {

constexpr std::string_view kDomain{"viaduct-hello-1\0", 16};

identity::Bytes transcript(Role role, const Exchange& exchange, const identity::Fingerprint& certificate) {
  identity::Bytes out(kDomain.begin(), kDomain.end());
  auto append = [&out](const auto& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  out.push_back(static_cast<uint8_t>(role));
  append(exchange.agent);
  append(exchange.cluster);
  append(certificate);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(exchange.context.size() >> shift));
  append(exchange.context);
  return out;
}

Role other(Role role) { return role == Role::agent ? Role::cluster : Role::agent; }

// The nonce that a prover of this role answers: that of the other side.
const Challenge& asked(Role prover, const Exchange& exchange) {
  return prover == Role::agent ? exchange.cluster : exchange.agent;
}

std::optional<Refusal> check_form(const Proof& proof, Role expected, const Exchange& exchange) {
  if (exchange.agent == exchange.cluster) return Refusal{Reason::reflected, "the peer sent our own nonce back"};
  if (proof.signature.size() > kMaxSignatureBytes) return Refusal{Reason::too_big, "the signature is too large"};
  if (exchange.context.size() > kMaxContextBytes) return Refusal{Reason::too_big, "the context is too large"};
  if (proof.answers == asked(other(expected), exchange))
    return Refusal{Reason::reflected, "the peer sent our own proof back"};
  if (proof.answers != asked(expected, exchange))
    return Refusal{Reason::replayed, "the proof answers another challenge than ours"};
  if (proof.role != expected)
    return Refusal{Reason::wrong_role, "the peer proves to be " + std::string(to_string(proof.role)) + ", not " +
                                           std::string(to_string(expected))};
  return std::nullopt;
}

}  // namespace

Challenge make_challenge() {
  Challenge challenge;
  // Without randomness no proof means anything.
  if (RAND_bytes(challenge.data(), static_cast<int>(challenge.size())) != 1) std::abort();
  return challenge;
}

std::unique_ptr<Identity> Identity::load(const identity::CredentialFiles& files, const identity::Roles& needed,
                                         identity::TimePoint now, std::vector<identity::CredentialProblem>& problems) {
  auto credentials = identity::Credentials::load(files, needed, now, problems);
  return credentials ? std::unique_ptr<Identity>(new Identity(std::move(credentials))) : nullptr;
}

Proof Identity::prove(Role role, const Exchange& exchange) const {
  identity::Bytes message = transcript(role, exchange, own().fingerprint);
  return {role, asked(role, exchange), credentials_->chain(), credentials_->sign(message)};
}

Verification Identity::verify(const Proof& proof, Role expected, const Exchange& exchange,
                              identity::TimePoint now) const {
  if (auto refusal = check_form(proof, expected, exchange)) return std::move(*refusal);
  auto judgement = credentials_->judge(proof.chain, expected, now);
  if (auto* refusal = std::get_if<Refusal>(&judgement)) return std::move(*refusal);
  auto& peer = std::get<identity::TrustedPeer>(judgement);
  auto signed_as = [&](Role role) {
    return identity::has_signed(peer.key.get(), transcript(role, exchange, peer.facts.fingerprint), proof.signature);
  };
  if (signed_as(expected))
    return PeerIdentity{peer.facts.host, peer.facts.host_id, peer.facts.roles, peer.facts.not_after,
                        peer.facts.fingerprint};
  if (signed_as(other(expected)))
    return Refusal{Reason::reflected, "the peer passed a proof of the other side off as its own"};
  return Refusal{Reason::bad_signature,
                 "the peer does not have the key of " + peer.facts.host + "'s certificate, or signed something else"};
}

}  // namespace viaduct::actors
