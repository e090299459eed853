// This host's identity towards other hosts, and theirs towards it: proof that somebody has the key of a certificate.
//
// Each side contributes a nonce. A proof is a certificate chain and a signature over
//
//   "viaduct-hello-1\0" | role (1 byte) | agent's nonce (32) | cluster node's nonce (32)
//     | SHA-256 of the prover's certificate (32) | length of context (4, big-endian) | context
//
// so it cannot be used again (nonces), sent back (role), attached to another certificate, or to another hello (context:
// everything that both have said so far). Immutable; any thread.
#pragma once

#include "schema/identity/credentials.hpp"

namespace viaduct::actors {

using Challenge = std::array<uint8_t, 32>;
Challenge make_challenge();  // random

// What both sides of one hello know when they sign.
struct Exchange {
  Challenge agent{};
  Challenge cluster{};
  identity::Bytes context;
};

struct Proof {
  identity::Role role = identity::Role::agent;
  Challenge answers{};  // the nonce of the side that asked
  std::vector<identity::Bytes> chain;
  identity::Bytes signature;
};
inline constexpr size_t kMaxSignatureBytes = 1024;  // RSA 8192
inline constexpr size_t kMaxContextBytes = 4096;

// Who has proven to be at the other end.
struct PeerIdentity {
  std::string host;
  std::optional<HostId> host_id;  // when the certificate binds the name to one
  identity::Roles roles;
  identity::TimePoint not_after;
  identity::Fingerprint fingerprint{};
};
using Verification = std::variant<PeerIdentity, identity::Refusal>;

class Identity {
 public:
  // As Credentials::load.
  static std::unique_ptr<Identity> load(const identity::CredentialFiles& files, const identity::Roles& needed,
                                        identity::TimePoint now, std::vector<identity::CredentialProblem>& problems);

  const identity::CertificateFacts& own() const { return credentials_->own(); }

  // That this host is `role`; an empty signature when OpenSSL refuses, which nobody accepts.
  Proof prove(identity::Role role, const Exchange& exchange) const;
  // Whether `proof` shows that the peer is a host of our network with the role `expected`, now.
  Verification verify(const Proof& proof, identity::Role expected, const Exchange& exchange,
                      identity::TimePoint now) const;

 private:
  explicit Identity(std::unique_ptr<identity::Credentials> credentials) : credentials_(std::move(credentials)) {}
  std::unique_ptr<identity::Credentials> credentials_;
};

}  // namespace viaduct::actors
