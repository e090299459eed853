#include "api/certificates/authority.hpp"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace viaduct::certificates {

namespace {

using identity::CertificatePtr;
using identity::KeyPtr;
using identity::Releases;
using BioPtr = std::unique_ptr<BIO, Releases<BIO_free_all>>;
using NumberPtr = std::unique_ptr<BIGNUM, Releases<BN_free>>;

constexpr int kVersion3 = 2;
constexpr int kSerialBytes = 16;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(std::max(size, 0L))};
}

Issued to_pem(X509* certificate, EVP_PKEY* key) {
  BioPtr first(BIO_new(BIO_s_mem())), second(BIO_new(BIO_s_secmem()));
  PEM_write_bio_X509(first.get(), certificate);
  PEM_write_bio_PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return {text_of(first.get()), text_of(second.get())};
}

bool set_serial(X509* certificate) {
  unsigned char bytes[kSerialBytes];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // positive, and of full length
  NumberPtr number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, const Validity& validity) {
  auto seconds = [](identity::TimePoint time) { return std::chrono::system_clock::to_time_t(time); };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(validity.from)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(validity.to)) != nullptr;
}

bool set_name(X509* certificate, const std::string& name) {
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, text,
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

// Version, serial number, times, name and key; extensions and signature follow.
CertificatePtr begin(const std::string& name, const Validity& validity, EVP_PKEY* key) {
  CertificatePtr made(X509_new());
  bool good = key != nullptr && X509_set_version(made.get(), kVersion3) == 1 && set_serial(made.get()) &&
              set_validity(made.get(), validity) && set_name(made.get(), name) && X509_set_pubkey(made.get(), key) == 1;
  if (!good) made.reset();
  return made;
}

bool extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Releases<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Host names and addresses hold neither commas nor colons that this syntax would take for its own.
std::string alternative_names(const HostRequest& request) {
  std::string names = "URI:" + std::string(identity::kHostUri) + request.name;
  if (request.id) names += ",URI:" + std::string(identity::kIdUri) + request.id->to_string();
  for (identity::Role role : {identity::Role::agent, identity::Role::cluster})
    if (request.roles.has(role))
      names += ",URI:" + std::string(identity::kRoleUri) + std::string(identity::to_string(role));
  if (request.name.find('_') == std::string::npos) names += ",DNS:" + request.name;
  for (const IpAddress& address : request.addresses) names += ",IP:" + address.to_string();
  return names;
}

std::string why() {
  char text[256];
  ERR_error_string_n(ERR_peek_last_error(), text, sizeof text);
  ERR_clear_error();
  return std::string("OpenSSL cannot make the certificate: ") + text;
}

std::string problem_of(const HostRequest& request, const identity::CertificateFacts& authority) {
  if (!identity::is_host_name(request.name))
    return "'" + request.name +
           "' cannot be a host's name in a certificate: 1 to 64 letters, digits, hyphens, dots, underscores";
  if (!request.roles.any()) return "a certificate without a role is of no use: name agent, cluster or both";
  if (request.validity.to > authority.not_after)
    return "the certificate would outlive its authority, which ends at " + identity::to_string(authority.not_after) +
           ": name fewer days, or make a new authority";
  return {};
}

}  // namespace

Validity Validity::days(identity::TimePoint now, int days) {
  return {now - std::chrono::hours(1), now + std::chrono::hours(24) * days};
}

std::optional<Issued> Authority::make(const std::string& name, const Validity& validity, std::string& error) {
  KeyPtr key(EVP_EC_gen("P-256"));
  CertificatePtr made = begin(name, validity, key.get());
  X509* one = made.get();
  bool good = one != nullptr && X509_set_issuer_name(one, X509_get_subject_name(one)) == 1 &&
              extend(one, one, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              extend(one, one, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              extend(one, one, NID_subject_key_identifier, "hash") && X509_sign(one, key.get(), EVP_sha256()) > 0;
  if (good) return to_pem(one, key.get());
  error = why();
  return std::nullopt;
}

std::optional<Authority> Authority::load(std::string_view certificate, std::string_view key, std::string& error) {
  Authority authority;
  auto chain = identity::parse_pem(certificate);
  auto parsed = identity::parse_key(key);
  if (!chain) error = "the authority's certificate is not readable";
  if (!parsed.key) error = "the authority's key is not readable, or has a passphrase";
  if (!chain || !parsed.key) return std::nullopt;
  authority.certificate_ = std::move(chain->front());
  authority.key_ = std::move(parsed.key);
  authority.facts_ = identity::facts_of(authority.certificate_.get());
  bool match = X509_check_private_key(authority.certificate_.get(), authority.key_.get()) == 1;
  ERR_clear_error();
  if (!match) error = "the key is not that of the authority's certificate";
  if (!authority.facts_.is_authority) error = "the certificate is not an authority's";
  if (!match || !authority.facts_.is_authority) return std::nullopt;
  return authority;
}

std::optional<Issued> Authority::issue(const HostRequest& request, std::string& error) const {
  error = problem_of(request, facts_);
  if (!error.empty()) return std::nullopt;
  KeyPtr key(EVP_EC_gen("P-256"));
  CertificatePtr made = begin(request.name, request.validity, key.get());
  X509* one = made.get();
  X509* issuer = certificate_.get();
  // A client only, unless it serves agents: who stole an agent's certificate cannot pose as a cluster node.
  const char* usage = request.roles.cluster ? "clientAuth,serverAuth" : "clientAuth";
  bool good = one != nullptr && X509_set_issuer_name(one, X509_get_subject_name(issuer)) == 1 &&
              extend(one, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
              extend(one, issuer, NID_key_usage, "critical,digitalSignature") &&
              extend(one, issuer, NID_ext_key_usage, usage) &&
              extend(one, issuer, NID_subject_key_identifier, "hash") &&
              extend(one, issuer, NID_authority_key_identifier, "keyid:always") &&
              extend(one, issuer, NID_subject_alt_name, alternative_names(request)) &&
              X509_sign(one, key_.get(), EVP_sha256()) > 0;
  if (good) return to_pem(one, key.get());
  error = why();
  return std::nullopt;
}

}  // namespace viaduct::certificates
