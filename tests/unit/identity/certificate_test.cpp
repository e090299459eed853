// Certificates that the small authority makes, and what they say.
#include <sys/stat.h>

#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct CertificateTest : ::testing::Test {
  CertificateFacts facts(const HostRequest& request) {
    auto issued = network.authority.issue(request, error);
    EXPECT_TRUE(issued) << error;
    auto parsed = parse_pem(issued->certificate);
    EXPECT_TRUE(parsed && parsed->size() == 1);
    return facts_of(parsed->front().get());
  }
  TestNetwork network;
  std::string error;
};

TEST_F(CertificateTest, AHostsCertificateSaysWhatWasAskedFor) {
  HostRequest request = network.request("host-1.example", kBoth);
  request.id = HostId::random();
  request.addresses = {*IpAddress::parse("10.0.0.1"), *IpAddress::parse("fd00::1")};
  auto facts = this->facts(request);
  EXPECT_EQ(facts.problem, "");
  EXPECT_EQ(facts.host, "host-1.example");
  EXPECT_EQ(facts.host_id, request.id);
  EXPECT_EQ(facts.roles, kBoth);
  EXPECT_THAT(facts.addresses, ElementsAre("host-1.example", "10.0.0.1", "fd00::1"));
  EXPECT_FALSE(facts.is_authority);
  EXPECT_EQ(facts.subject, "CN=host-1.example");
  EXPECT_EQ(facts.issuer, "CN=one");
  EXPECT_EQ(facts.key, "EC P-256");
  EXPECT_EQ(facts.not_before, request.validity.from);
  EXPECT_EQ(facts.not_after, request.validity.to);
}

TEST_F(CertificateTest, RolesAreThoseAskedFor) {
  EXPECT_EQ(facts(network.request("a", kAgent)).roles, kAgent);
  EXPECT_EQ(facts(network.request("a", kCluster)).roles, kCluster);
  EXPECT_EQ(facts(network.request("a", kAgent)).host_id, std::nullopt);
}

TEST_F(CertificateTest, TheAuthorityIsOneAndNoHost) {
  EXPECT_TRUE(network.authority.facts().is_authority);
  EXPECT_EQ(network.authority.facts().host, "");
}

TEST_F(CertificateTest, EachCertificateIsAnother) {
  auto one = facts(network.request("a", kAgent)), other = facts(network.request("a", kAgent));
  EXPECT_NE(one.fingerprint, other.fingerprint);
}

TEST_F(CertificateTest, WhatCannotBeIssuedIsSaid) {
  for (std::string name : {"", "-a", ".a", "a b", "a/b", "a,URI:viaduct://role/cluster", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(network.authority.issue(network.request(name, kAgent), error)) << name;
    EXPECT_THAT(error, HasSubstr("cannot be a host's name"));
  }
  EXPECT_FALSE(network.authority.issue(network.request(std::string(65, 'a'), kAgent), error));
  EXPECT_FALSE(network.authority.issue(network.request("a", {}), error));
  EXPECT_THAT(error, HasSubstr("without a role"));
  auto longer = network.request("a", kAgent);
  longer.validity.to = kNow + hours(24 * 366);
  EXPECT_FALSE(network.authority.issue(longer, error));
  EXPECT_THAT(error, HasSubstr("would outlive its authority"));
}

TEST_F(CertificateTest, AnAuthorityIsLoadedOnlyWithItsKey) {
  auto host = network.authority.issue(network.request("a", kAgent), error);
  auto other = Authority::make("two", Validity::days(kNow, 10), error);
  auto one = Authority::make("one", Validity::days(kNow, 10), error);
  ASSERT_TRUE(host && other && one);
  EXPECT_FALSE(Authority::load(one->certificate, other->key, error));
  EXPECT_THAT(error, HasSubstr("not that of the authority"));
  EXPECT_FALSE(Authority::load(host->certificate, host->key, error));
  EXPECT_THAT(error, HasSubstr("not an authority's"));
  EXPECT_FALSE(Authority::load("garbage", one->key, error));
  EXPECT_FALSE(Authority::load(one->certificate, "garbage", error));
}

TEST_F(CertificateTest, DerIsReadExactly) {
  auto issued = network.authority.issue(network.request("a", kAgent), error);
  Bytes der = to_der(parse_pem(issued->certificate)->front().get());
  EXPECT_TRUE(parse_der(der));
  der.push_back(0);
  EXPECT_FALSE(parse_der(der)) << "more behind it";
  for (size_t size = 0; size < der.size() - 1; ++size) EXPECT_FALSE(parse_der(std::span(der).first(size))) << size;
}

TEST(Fingerprints, AreReadAsTheyArePrinted) {
  Fingerprint fingerprint{};
  for (size_t i = 0; i < fingerprint.size(); ++i) fingerprint[i] = static_cast<uint8_t>(i * 9);
  EXPECT_EQ(parse_fingerprint(to_string(fingerprint)), fingerprint);
  std::string colons;
  for (size_t i = 0; i < 64; i += 2) colons += (i ? ":" : "") + to_string(fingerprint).substr(i, 2);
  EXPECT_EQ(parse_fingerprint(colons), fingerprint);
  for (const char* wrong : {"", "00", "zz", "0"}) EXPECT_FALSE(parse_fingerprint(wrong));
  EXPECT_FALSE(parse_fingerprint(std::string(65, '0')));
}

struct KeyFile : ::testing::Test {
  mode_t mode() {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  std::string text() {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  topology::store::testing::TemporaryDirectory directory;
  std::string path = (directory.path() / "a.key").string();
};

TEST_F(KeyFile, ItIsTheOwnersAndNotReplacedUnlessAsked) {
  EXPECT_EQ(certificates::write_private(path, "first", Existing::keep), "");
  EXPECT_EQ(mode(), 0600U);
  EXPECT_THAT(certificates::write_private(path, "second", Existing::keep), HasSubstr("is there already; --force"));
  EXPECT_EQ(text(), "first");
  EXPECT_EQ(certificates::write_private(path, "second", Existing::replace), "");
  EXPECT_EQ(text(), "second");
  EXPECT_EQ(mode(), 0600U);
}

TEST_F(KeyFile, NothingIsLeftOfAFailure) {
  EXPECT_EQ(certificates::write_private(path, "first", Existing::keep), "");
  EXPECT_NE(certificates::write_private(path, "second", Existing::keep), "");
  EXPECT_THAT(certificates::write_private("/nonexistent/a", "x", Existing::keep), HasSubstr("No such file"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory.path())) ++files;
  EXPECT_EQ(files, 1U);
}

}  // namespace
}  // namespace viaduct::identity::testing
