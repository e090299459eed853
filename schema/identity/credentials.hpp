// A host's credentials: the authorities that it trusts, its own certificate with its key, and who is shut out. And the
// judgement of a peer's certificate: is it of our network, for this role, now?
//
// Checked as a whole when they are loaded, so that a daemon does not start with files that fail at the first connection.
// Immutable afterwards; to take new files, load again. Any thread.
#pragma once

#include <set>
#include <variant>

#include "schema/identity/refusal.hpp"
#include "schema/identity/x509.hpp"

namespace viaduct::identity {

enum class CredentialFile : uint8_t { ca, certificate, key, revoked };

struct CredentialFiles {
  std::string ca;           // PEM, one or more authorities
  std::string certificate;  // PEM, the host's and behind it what leads to an authority
  std::string key;          // PEM, no passphrase, not readable by others
  std::string revoked;      // fingerprints, one a line, '#' starts a comment; empty: none
};

struct CredentialProblem {
  CredentialFile file;
  std::string text;
  std::string cure;
};

// A certificate that was accepted, and the key that its owner must prove to have.
struct TrustedPeer {
  CertificateFacts facts;
  KeyPtr key;
};
using Judgement = std::variant<TrustedPeer, Refusal>;

class Credentials {
 public:
  // Null when something is wrong; then `problems` says all of it. `needed`: the roles that the certificate must grant.
  static std::unique_ptr<Credentials> load(const CredentialFiles& files, const Roles& needed, TimePoint now,
                                           std::vector<CredentialProblem>& problems);

  const CertificateFacts& own() const { return own_; }
  const std::vector<Bytes>& chain() const { return chain_; }  // DER, the own certificate first
  Bytes sign(std::span<const uint8_t> message) const { return identity::sign(key_.get(), message); }

  // `chain`: DER, the peer's own first, from the wire. `role`: what the peer claims to be.
  Judgement judge(std::span<const Bytes> chain, Role role, TimePoint now) const;

 private:
  friend class CredentialLoader;
  Credentials() = default;
  std::optional<Refusal> check_chain(const std::vector<CertificatePtr>& chain, Role role, TimePoint now) const;

  StorePtr trusted_;
  CertificateFacts own_;
  std::vector<Bytes> chain_;
  KeyPtr key_;
  std::set<Fingerprint> revoked_;
};

// Whether `certificate` (PEM, with what is behind it) was signed by an authority of `ca` (PEM) and is valid at `now` for
// each of its roles. What `viaduct certs verify` says.
std::optional<Refusal> check_pem(std::string_view ca, std::string_view certificate, TimePoint now);

}  // namespace viaduct::identity
