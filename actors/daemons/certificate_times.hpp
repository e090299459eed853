// When the certificates end that a daemon was told to use.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "actors/daemons/config.hpp"
#include "observability/metrics.hpp"

namespace viaduct::actors {

struct CertificateEnd {
  std::string certificate;  // what it is for: "tls", "tls_ca", "rest", "etcd", "etcd_ca", "keystone_ca"
  std::chrono::system_clock::time_point not_after;  // of all in the file the first to end
};
// By the files of the configuration, as they are now; one that is not set, or holds no certificate, is left out.
std::vector<CertificateEnd> certificate_ends(const Config& config);

// viaduct_certificate_not_after_timestamp_seconds{certificate}.
void show(const std::vector<CertificateEnd>& ends, observability::Registry& registry);

}  // namespace viaduct::actors
