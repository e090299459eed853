#include "schema/identity/x509.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace viaduct::identity {

namespace {

using BioPtr = std::unique_ptr<BIO, Releases<BIO_free_all>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Releases<EVP_MD_CTX_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Releases<GENERAL_NAMES_free>>;

BioPtr reading(std::string_view text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string_view text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c < 0x20 || c == 0x7f) c = '?';
  return out;
}

std::string text_of(X509_NAME* name) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(std::max(size, 0L))};
}

TimePoint time_of(const ASN1_TIME* time) {
  struct tm parts {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

void read_role(std::string_view name, CertificateFacts& facts) {
  if (name == "agent") {
    facts.roles.agent = true;
  } else if (name == "cluster") {
    facts.roles.cluster = true;
  } else {
    facts.problem = "it has a role that this version does not know";
  }
}

void read_uri(std::string_view uri, CertificateFacts& facts) {
  if (!uri.starts_with(kUriScheme)) return;
  if (uri.starts_with(kHostUri)) {
    if (!facts.host.empty()) facts.problem = "it names two hosts";
    facts.host = uri.substr(kHostUri.size());
    if (!is_host_name(facts.host)) facts.problem = "the host name in it is not one";
  } else if (uri.starts_with(kIdUri)) {
    if (facts.host_id) facts.problem = "it names two host ids";
    facts.host_id = HostId::parse(uri.substr(kIdUri.size()));
    if (!facts.host_id || facts.host_id->is_nil()) facts.problem = "the host id in it is not a UUID";
  } else if (uri.starts_with(kRoleUri)) {
    read_role(uri.substr(kRoleUri.size()), facts);
  } else {
    facts.problem = "it has a viaduct:// name that this version does not know";
  }
}

void read_address(const ASN1_OCTET_STRING* bytes, CertificateFacts& facts) {
  char text[INET6_ADDRSTRLEN];
  int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (ASN1_STRING_length(bytes) != 4 && ASN1_STRING_length(bytes) != 16) return;
  if (inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text) != nullptr) facts.addresses.emplace_back(text);
}

void read_names(X509* certificate, CertificateFacts& facts) {
  int critical = -1;
  NamesPtr names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  if (!names && critical != -1) facts.problem = "its alternative names are broken, or are there twice";
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) read_uri(text_of(name->d.uniformResourceIdentifier), facts);
    if (name->type == GEN_IPADD) read_address(name->d.iPAddress, facts);
    if (name->type == GEN_DNS) facts.addresses.push_back(printable(text_of(name->d.dNSName)));
  }
}

std::string key_text(EVP_PKEY* key) {
  if (key == nullptr) return "unreadable";
  char group[64] = {};
  size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, &size) == 1)
    return std::string("EC ") + (std::strcmp(group, "prime256v1") == 0 ? "P-256" : group);
  const char* name = EVP_PKEY_get0_type_name(key);
  return std::string(name == nullptr ? "unknown" : name) + " " + std::to_string(EVP_PKEY_get_bits(key));
}

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// Ed25519 and Ed448 bring their own digest.
const EVP_MD* digest_for(EVP_PKEY* key) {
  bool own = EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
  return own ? nullptr : EVP_sha256();
}

bool use_pss(EVP_PKEY* key, EVP_PKEY_CTX* context) {
  return EVP_PKEY_is_a(key, "RSA") != 1 || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1;
}

}  // namespace

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  read_names(certificate, facts);
  facts.is_authority = X509_check_ca(certificate) > 0;
  facts.subject = text_of(X509_get_subject_name(certificate));
  facts.issuer = text_of(X509_get_issuer_name(certificate));
  facts.key = key_text(X509_get0_pubkey(certificate));
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), facts.fingerprint.data(), &size);
  ERR_clear_error();
  return facts;
}

CertificatePtr parse_der(std::span<const uint8_t> der) {
  const unsigned char* at = der.data();
  CertificatePtr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (certificate && at != der.data() + der.size()) certificate.reset();
  return certificate;
}

Bytes to_der(X509* certificate) {
  int size = i2d_X509(certificate, nullptr);
  Bytes der(static_cast<size_t>(std::max(size, 0)));
  unsigned char* at = der.data();
  if (!der.empty()) i2d_X509(certificate, &at);
  return der;
}

std::optional<std::vector<CertificatePtr>> parse_pem(std::string_view pem) {
  std::vector<CertificatePtr> certificates;
  BioPtr bio = reading(pem);
  ERR_clear_error();
  while (CertificatePtr next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(std::move(next));
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end || certificates.empty()) return std::nullopt;
  return certificates;
}

ParsedKey parse_key(std::string_view pem) {
  BioPtr bio = reading(pem);
  bool asked = false;
  ParsedKey parsed{KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &asked)), KeyFault::none};
  ERR_clear_error();
  if (!parsed.key) parsed.fault = asked ? KeyFault::passphrase : KeyFault::unreadable;
  return parsed;
}

Bytes sign(EVP_PKEY* key, std::span<const uint8_t> message) {
  DigestPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  size_t size = 0;
  Bytes signature;
  bool ready = EVP_DigestSignInit(context.get(), &options, digest_for(key), nullptr, key) == 1 &&
               use_pss(key, options) &&
               EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1;
  if (ready) {
    signature.resize(size);
    ready = EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1;
    signature.resize(ready ? size : 0);
  }
  ERR_clear_error();
  return signature;
}

bool has_signed(EVP_PKEY* key, std::span<const uint8_t> message, std::span<const uint8_t> signature) {
  if (key == nullptr) return false;
  DigestPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  bool good = EVP_DigestVerifyInit(context.get(), &options, digest_for(key), nullptr, key) == 1 &&
              use_pss(key, options) &&
              EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

std::string to_string(const Fingerprint& fingerprint) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : fingerprint) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<Fingerprint> parse_fingerprint(std::string_view text) {
  Fingerprint fingerprint{};
  size_t digits = 0;
  for (char c : text) {
    if (c == ':') continue;
    constexpr std::string_view kDigits = "0123456789abcdef";
    size_t value = kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (value == kDigits.npos || digits == 64) return std::nullopt;
    fingerprint[digits / 2] = static_cast<uint8_t>(fingerprint[digits / 2] << 4 | value);
    ++digits;
  }
  return digits == 64 ? std::optional(fingerprint) : std::nullopt;
}

std::string to_string(TimePoint time) {
  time_t seconds = std::chrono::system_clock::to_time_t(time);
  struct tm parts {};
  char text[64];
  gmtime_r(&seconds, &parts);
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::optional<std::string> read_file(const std::string& path, std::string& error) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    error = std::strerror(errno);
    return std::nullopt;
  }
  struct stat info {};
  std::string text;
  error = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? "" : "it is not a file";
  char buffer[16'384];
  ssize_t got = 0;
  while (error.empty() && (got = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxPemBytes) error = "it is larger than " + std::to_string(kMaxPemBytes) + " bytes";
  }
  if (error.empty() && got < 0) error = std::strerror(errno);
  close(fd);
  return error.empty() ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace viaduct::identity
