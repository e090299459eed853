// When the certificates end that a daemon was told to use.
#include "actors/daemons/certificate_times.hpp"

#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using actors::CertificateEnd;
using actors::Config;

std::map<std::string, TimePoint> ends_of(const Config& config) {
  std::map<std::string, TimePoint> out;
  for (const CertificateEnd& end : actors::certificate_ends(config)) out[end.certificate] = end.not_after;
  return out;
}

TEST(CertificateTimes, WhatIsUsedIsShown) {
  TestNetwork network;
  const CredentialFiles files = network.files("h1", kBoth);
  Config config;
  config.tls = {files.ca, files.certificate, files.key, ""};
  config.rest.certificate = files.certificate;
  EXPECT_EQ(ends_of(config), (std::map<std::string, TimePoint>{{"rest", kNow + hours(24)}})) << "it speaks to nobody";
  config.cluster.listen = "192.0.2.1";
  config.etcd.endpoints = {"192.0.2.2:2379"};
  config.etcd.ca = files.ca;
  config.etcd.certificate = network.path("nothing.pem");
  EXPECT_EQ(ends_of(config), (std::map<std::string, TimePoint>{{"rest", kNow + hours(24)},
                                                               {"tls", kNow + hours(24)},
                                                               {"tls_ca", kNow + hours(24 * 365)},
                                                               {"etcd_ca", kNow + hours(24 * 365)}}));
  config.roles = {"agent"};
  EXPECT_EQ(ends_of(config).count("rest"), 0u) << "an agent alone has no REST API";
}

TEST(CertificateTimes, OfSeveralInAFileTheFirstToEndCounts) {
  TestNetwork network;
  const CredentialFiles files = network.files("h1", kCluster);
  std::string both, error;
  for (const auto& file : {files.ca, files.certificate}) both += *read_file(file, error);
  network.write("both.pem", both);
  Config config;
  config.roles = {"cluster"};
  config.rest.certificate = network.path("both.pem");
  observability::Registry registry;
  actors::show(actors::certificate_ends(config), registry);
  const auto& gauge = registry.gauge("viaduct_certificate_not_after_timestamp_seconds", "", {{"certificate", "rest"}});
  EXPECT_EQ(gauge.value(), 1'800'000'000.0 + 24 * 3600);
}

}  // namespace
}  // namespace viaduct::identity::testing
