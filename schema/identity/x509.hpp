// Certificates and keys: OpenSSL's objects with owners, PEM and DER, and what a certificate says, as a value.
//
// Nothing here judges: see credentials.hpp. Functions leave OpenSSL's queue of errors empty. Any thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/identity/names.hpp"
#include "topology/address/id.hpp"

namespace viaduct::identity {

template <auto Release>
struct Releases {
  template <class T>
  void operator()(T* held) const {
    Release(held);
  }
};
using CertificatePtr = std::unique_ptr<X509, Releases<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Releases<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Releases<X509_STORE_free>>;

using Bytes = std::vector<uint8_t>;
using TimePoint = std::chrono::system_clock::time_point;
using Fingerprint = std::array<uint8_t, 32>;  // SHA-256 of the DER

inline constexpr size_t kMaxCertificateBytes = 16'384;  // DER
inline constexpr size_t kMaxChain = 4;                  // a host's certificate and three authorities
inline constexpr size_t kMaxPemBytes = size_t{1} << 20;

struct CertificateFacts {
  std::string host;  // empty: names no host
  std::optional<HostId> host_id;
  Roles roles;
  std::vector<std::string> addresses;  // IP addresses and DNS names
  std::string problem;                 // why its viaduct:// URIs cannot be relied on; empty: they can
  bool is_authority = false;
  std::string subject, issuer;  // RFC 2253
  std::string key;              // "EC P-256", "RSA 2048"
  TimePoint not_before, not_after;
  Fingerprint fingerprint{};
};
CertificateFacts facts_of(X509* certificate);

// Null when these bytes are not exactly one certificate.
CertificatePtr parse_der(std::span<const uint8_t> der);
Bytes to_der(X509* certificate);
// All certificates of a PEM text; nothing when one of them is broken, or there is none.
std::optional<std::vector<CertificatePtr>> parse_pem(std::string_view pem);

enum class KeyFault : uint8_t { none, unreadable, passphrase };
struct ParsedKey {
  KeyPtr key;
  KeyFault fault = KeyFault::none;
};
ParsedKey parse_key(std::string_view pem);

// Empty when the key cannot sign.
Bytes sign(EVP_PKEY* key, std::span<const uint8_t> message);
bool has_signed(EVP_PKEY* key, std::span<const uint8_t> message, std::span<const uint8_t> signature);

std::string to_string(const Fingerprint& fingerprint);                // 64 hexadecimal digits
std::optional<Fingerprint> parse_fingerprint(std::string_view text);  // colons between bytes are allowed
std::string to_string(TimePoint time);                                // "2026-11-21 12:00:00 UTC"

// The whole of a file, at most kMaxPemBytes; what is wrong in `error`.
std::optional<std::string> read_file(const std::string& path, std::string& error);

}  // namespace viaduct::identity
