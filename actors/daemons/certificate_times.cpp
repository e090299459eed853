#include "actors/daemons/certificate_times.hpp"

#include <algorithm>

#include "schema/identity/x509.hpp"

namespace viaduct::actors {

std::vector<CertificateEnd> certificate_ends(const Config& config) {
  std::vector<CertificateEnd> out;
  const auto add = [&out](const char* what, const std::string& file) {
    if (file.empty()) return;
    std::string error;
    const auto text = identity::read_file(file, error);
    const auto certificates = text ? identity::parse_pem(*text) : std::nullopt;
    if (!certificates || certificates->empty()) return;  // whoever uses it says what is wrong
    CertificateEnd end{what, std::chrono::system_clock::time_point::max()};
    for (const auto& one : *certificates)
      end.not_after = std::min(end.not_after, identity::facts_of(one.get()).not_after);
    out.push_back(end);
  };
  if (config.is_distributed()) {
    add("tls", config.tls.certificate);
    add("tls_ca", config.tls.ca);
  }
  if (config.has_role("cluster")) {
    if (!config.rest.address.empty()) {
      add("rest", config.rest.certificate);
      add("keystone_ca", config.rest.keystone_ca);
    }
    if (!config.etcd.endpoints.empty()) {
      add("etcd", config.etcd.certificate);
      add("etcd_ca", config.etcd.ca);
    }
  }
  return out;
}

void show(const std::vector<CertificateEnd>& ends, observability::Registry& registry) {
  for (const CertificateEnd& end : ends) {
    registry
        .gauge("viaduct_certificate_not_after_timestamp_seconds",
               "When a certificate that this daemon uses ends, in seconds since 1970, by what it is for.",
               {{"certificate", end.certificate}})
        .set(std::chrono::duration<double>(end.not_after.time_since_epoch()).count());
  }
}

}  // namespace viaduct::actors
