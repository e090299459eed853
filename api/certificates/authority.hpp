// An authority that signs hosts' certificates. Times are arguments; serial numbers and keys are random. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schema/identity/x509.hpp"
#include "topology/address/ip_address.hpp"

namespace viaduct::certificates {

struct Validity {
  identity::TimePoint from, to;
  // From an hour ago, for clocks differ.
  static Validity days(identity::TimePoint now, int days);
};

// What is written to files.
struct Issued {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

struct HostRequest {
  std::string name;  // identity::is_host_name
  std::optional<HostId> id;
  identity::Roles roles;
  std::vector<IpAddress> addresses;
  Validity validity;
};

class Authority {
 public:
  // A new one; `name` as a host name. Nothing, with the reason, when OpenSSL refuses.
  static std::optional<Issued> make(const std::string& name, const Validity& validity, std::string& error);
  static std::optional<Authority> load(std::string_view certificate, std::string_view key, std::string& error);

  const identity::CertificateFacts& facts() const { return facts_; }
  std::optional<Issued> issue(const HostRequest& request, std::string& error) const;

 private:
  identity::CertificatePtr certificate_;
  identity::KeyPtr key_;
  identity::CertificateFacts facts_;
};

}  // namespace viaduct::certificates
