#include "schema/identity/credentials.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace viaduct::identity {

namespace {

using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, Releases<X509_STORE_CTX_free>>;

constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048, EC from 224, no SHA-1
constexpr const char* kMakeNew = "make a new certificate: viaduct certs host";

struct BorrowedStack {
  STACK_OF(X509) * held = sk_X509_new_null();
  BorrowedStack() = default;
  BorrowedStack(const BorrowedStack&) = delete;
  BorrowedStack& operator=(const BorrowedStack&) = delete;
  ~BorrowedStack() { sk_X509_free(held); }
};

Reason reason_of(int error) {
  switch (error) {
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Reason::not_yet_valid;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Reason::expired;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return Reason::weak;
    default:
      return Reason::untrusted;
  }
}

Refusal describe(X509_STORE_CTX* context) {
  int error = X509_STORE_CTX_get_error(context);
  X509* at = X509_STORE_CTX_get_current_cert(context);
  CertificateFacts facts = at == nullptr ? CertificateFacts{} : facts_of(at);
  std::string whose = "certificate of " + facts.subject;
  switch (reason_of(error)) {
    case Reason::not_yet_valid:
      return {Reason::not_yet_valid,
              whose + " is valid from " + to_string(facts.not_before) + " on: is a clock wrong?"};
    case Reason::expired:
      return {Reason::expired, whose + " expired at " + to_string(facts.not_after) + "; " + kMakeNew};
    case Reason::weak:
      return {Reason::weak, whose + " has a key (" + facts.key + ") or digest that is too weak"};
    default:
      return {Reason::untrusted, whose + " was not signed by an authority that this host trusts (" +
                                     X509_verify_cert_error_string(error) + ")"};
  }
}

StorePtr store_of(const std::vector<CertificatePtr>& authorities) {
  StorePtr store(X509_STORE_new());
  for (const auto& authority : authorities) X509_STORE_add_cert(store.get(), authority.get());
  ERR_clear_error();
  return store;
}

// The chain up to an authority, at `now`; then `seen` is called with each certificate of it.
template <class Seen>
std::optional<Refusal> follow(X509_STORE* trusted, const std::vector<CertificatePtr>& chain, TimePoint now, Seen seen) {
  BorrowedStack between;
  for (size_t i = 1; i < chain.size(); ++i) sk_X509_push(between.held, chain[i].get());
  StoreContextPtr context(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(context.get(), trusted, chain[0].get(), between.held) != 1)
    return Refusal{Reason::malformed, "the certificate cannot be examined"};
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(kMaxChain));
  X509_VERIFY_PARAM_set_auth_level(rules, kSecurityLevel);
  bool good = X509_verify_cert(context.get()) == 1;
  std::optional<Refusal> refusal = good ? std::nullopt : std::optional(describe(context.get()));
  if (good) {
    STACK_OF(X509)* verified = X509_STORE_CTX_get0_chain(context.get());
    for (int i = 0; i < sk_X509_num(verified); ++i) seen(sk_X509_value(verified, i));
  }
  ERR_clear_error();
  return refusal;
}

// What a host's certificate must say, whoever signed it.
std::optional<Refusal> check_profile(X509* certificate, const CertificateFacts& facts, Role role) {
  std::string whose = "certificate of " + (facts.host.empty() ? facts.subject : facts.host);
  if (!facts.problem.empty()) return Refusal{Reason::no_host, whose + " cannot be relied on: " + facts.problem};
  if (facts.host.empty() || facts.is_authority)
    return Refusal{Reason::no_host, whose + " names no host; make one with viaduct certs host"};
  if (!facts.roles.has(role))
    return Refusal{Reason::role_not_granted,
                   whose + " grants " + (facts.roles.any() ? to_string(facts.roles) : std::string("no role")) +
                       ", not " + std::string(to_string(role)) + "; make one with viaduct certs host --role"};
  int purpose = role == Role::cluster ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT;
  bool fits = X509_check_purpose(certificate, purpose, 0) == 1;
  ERR_clear_error();
  if (fits) return std::nullopt;
  return Refusal{Reason::wrong_purpose, whose + " is not made for a TLS " +
                                            (role == Role::cluster ? "server" : "client") + " (extended key usage); " +
                                            kMakeNew};
}

}  // namespace

// One load: each step reports what is wrong, and later ones do without what earlier ones did not find.
class CredentialLoader {
 public:
  CredentialLoader(const CredentialFiles& files, const Roles& needed, TimePoint now,
                   std::vector<CredentialProblem>& problems)
      : files_(files), needed_(needed), now_(now), problems_(problems) {}

  std::unique_ptr<Credentials> run() {
    size_t before = problems_.size();
    load_authorities();
    load_certificate();
    load_key();
    load_revoked();
    if (problems_.size() == before) check_own();
    return problems_.size() == before ? std::move(made_) : nullptr;
  }

 private:
  void report(CredentialFile file, const std::string& path, const std::string& text, std::string cure) {
    problems_.push_back({file, path + ": " + text, std::move(cure)});
  }

  std::optional<std::string> text_of(CredentialFile file, const std::string& path) {
    std::string error;
    auto text = read_file(path, error);
    if (!text) report(file, path, "cannot read it: " + error, "name a file that is there and readable");
    return text;
  }

  void load_authorities() {
    auto text = text_of(CredentialFile::ca, files_.ca);
    if (!text) return;
    auto found = parse_pem(*text);
    if (!found) return report(CredentialFile::ca, files_.ca, "it holds no readable certificates", "give it in PEM");
    for (const auto& authority : *found) {
      CertificateFacts facts = facts_of(authority.get());
      if (!facts.is_authority)
        report(CredentialFile::ca, files_.ca, facts.subject + " is not an authority",
               "name the file of the authority, not of a host");
      if (facts.not_after < now_)
        report(CredentialFile::ca, files_.ca, facts.subject + " expired at " + to_string(facts.not_after),
               "make a new authority, or take it out of the file");
    }
    made_->trusted_ = store_of(*found);
  }

  void load_certificate() {
    auto text = text_of(CredentialFile::certificate, files_.certificate);
    if (!text) return;
    auto found = parse_pem(*text);
    if (!found || found->size() > kMaxChain)
      return report(CredentialFile::certificate, files_.certificate,
                    found ? "it holds more than " + std::to_string(kMaxChain) + " certificates"
                          : "it holds no readable certificates",
                    "give the host's certificate in PEM, behind it those that lead to the authority");
    chain_ = std::move(*found);
    made_->own_ = facts_of(chain_[0].get());
    for (const auto& each : chain_) made_->chain_.push_back(to_der(each.get()));
  }

  void load_key() {
    auto text = text_of(CredentialFile::key, files_.key);
    if (!text) return;
    struct stat info {};
    if (stat(files_.key.c_str(), &info) == 0 && (info.st_mode & (S_IRWXO | S_IWGRP)) != 0)
      report(CredentialFile::key, files_.key, "others may read or write it", "run: chmod 600 " + files_.key);
    ParsedKey parsed = parse_key(*text);
    if (parsed.fault == KeyFault::passphrase)
      return report(CredentialFile::key, files_.key, "it has a passphrase, and nobody is there to type it",
                    "store it without: openssl pkey -in " + files_.key + " -out ...");
    if (parsed.fault != KeyFault::none)
      return report(CredentialFile::key, files_.key, "it holds no readable private key", "give it in PEM");
    made_->key_ = std::move(parsed.key);
    if (chain_.empty()) return;
    bool match = X509_check_private_key(chain_[0].get(), made_->key_.get()) == 1;
    ERR_clear_error();
    if (!match)
      report(CredentialFile::key, files_.key, "it is not the key of " + files_.certificate,
             "name the key that was made with the certificate");
  }

  void load_revoked() {
    if (files_.revoked.empty()) return;
    auto text = text_of(CredentialFile::revoked, files_.revoked);
    if (!text) return;
    std::string_view rest = *text;
    for (size_t number = 1; !rest.empty(); ++number) {
      size_t end = std::min(rest.find('\n'), rest.size());
      take_revoked(rest.substr(0, end), number);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  void take_revoked(std::string_view line, size_t number) {
    line = line.substr(0, line.find('#'));
    constexpr std::string_view kBlank = " \t\r";
    while (!line.empty() && kBlank.find(line.back()) != kBlank.npos) line.remove_suffix(1);
    while (!line.empty() && kBlank.find(line.front()) != kBlank.npos) line.remove_prefix(1);
    if (line.empty()) return;
    auto fingerprint = parse_fingerprint(line);
    if (fingerprint) {
      made_->revoked_.insert(*fingerprint);
    } else {
      report(CredentialFile::revoked, files_.revoked,
             "line " + std::to_string(number) + " is not a SHA-256 fingerprint",
             "64 hexadecimal digits, as viaduct certs show prints");
    }
  }

  // What the daemon would learn at its first connection.
  void check_own() {
    for (Role role : {Role::agent, Role::cluster}) {
      if (!needed_.has(role) && !made_->own_.roles.has(role)) continue;
      auto refusal = made_->check_chain(chain_, role, now_);
      if (refusal) return report(CredentialFile::certificate, files_.certificate, refusal->text, "");
    }
    if (made_->own_.roles.any()) return;
    report(CredentialFile::certificate, files_.certificate, "it grants no role", kMakeNew);
  }

  const CredentialFiles& files_;
  const Roles& needed_;
  const TimePoint now_;
  std::vector<CredentialProblem>& problems_;
  std::vector<CertificatePtr> chain_;
  std::unique_ptr<Credentials> made_{new Credentials};
};

std::unique_ptr<Credentials> Credentials::load(const CredentialFiles& files, const Roles& needed, TimePoint now,
                                               std::vector<CredentialProblem>& problems) {
  return CredentialLoader(files, needed, now, problems).run();
}

std::optional<Refusal> Credentials::check_chain(const std::vector<CertificatePtr>& chain, Role role,
                                                TimePoint now) const {
  std::string revoked;
  auto refusal = follow(trusted_.get(), chain, now, [&](X509* each) {
    CertificateFacts facts = facts_of(each);
    if (revoked_.contains(facts.fingerprint)) revoked = facts.subject;
  });
  if (refusal) return refusal;
  if (!revoked.empty()) return Refusal{Reason::revoked, "certificate of " + revoked + " is revoked"};
  return check_profile(chain[0].get(), facts_of(chain[0].get()), role);
}

Judgement Credentials::judge(std::span<const Bytes> chain, Role role, TimePoint now) const {
  if (chain.empty()) return Refusal{Reason::malformed, "there is no certificate"};
  if (chain.size() > kMaxChain) return Refusal{Reason::too_big, "the chain has too many certificates"};
  std::vector<CertificatePtr> parsed;
  for (const Bytes& der : chain) {
    if (der.size() > kMaxCertificateBytes) return Refusal{Reason::too_big, "a certificate is too large"};
    parsed.push_back(parse_der(der));
    if (!parsed.back()) return Refusal{Reason::malformed, "a certificate is not readable"};
  }
  if (auto refusal = check_chain(parsed, role, now)) return std::move(*refusal);
  KeyPtr key(X509_get_pubkey(parsed[0].get()));
  ERR_clear_error();
  if (!key) return Refusal{Reason::malformed, "the certificate's key is not readable"};
  return TrustedPeer{facts_of(parsed[0].get()), std::move(key)};
}

std::optional<Refusal> check_pem(std::string_view ca, std::string_view certificate, TimePoint now) {
  auto authorities = parse_pem(ca);
  auto chain = parse_pem(certificate);
  if (!authorities) return Refusal{Reason::malformed, "the authorities are not readable; give them in PEM"};
  if (!chain) return Refusal{Reason::malformed, "the certificate is not readable; give it in PEM"};
  auto trusted = store_of(*authorities);
  if (auto refusal = follow(trusted.get(), *chain, now, [](X509*) {})) return refusal;
  CertificateFacts facts = facts_of((*chain)[0].get());
  if (facts.is_authority) return std::nullopt;
  for (Role role : {Role::agent, Role::cluster}) {
    if (!facts.roles.has(role) && facts.roles.any()) continue;
    if (auto refusal = check_profile((*chain)[0].get(), facts, role)) return refusal;
  }
  return std::nullopt;
}

}  // namespace viaduct::identity
