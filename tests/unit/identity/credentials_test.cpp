// The three files of a host, found wrong before a daemon starts with them.
#include <openssl/pem.h>
#include <sys/stat.h>

#include "test_network.hpp"

namespace viaduct::identity::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct CredentialsTest : ::testing::Test {
  TestNetwork network;
  CredentialFiles good = network.files("h1", kAgent);
};

TEST_F(CredentialsTest, GoodFilesAreLoaded) {
  EXPECT_THAT(problems_of(good, kAgent), IsEmpty());
  EXPECT_EQ(network.identity(good)->own().host, "h1");
}

TEST_F(CredentialsTest, FilesThatAreNotThereAreAllNamed) {
  EXPECT_THAT(problems_of({"/nonexistent/ca", "/nonexistent/c", "/nonexistent/k", "/nonexistent/r"}),
              ElementsAre(HasSubstr("/nonexistent/ca: cannot read it: No such file"), HasSubstr("/nonexistent/c:"),
                          HasSubstr("/nonexistent/k:"), HasSubstr("/nonexistent/r:")));
}

TEST_F(CredentialsTest, FilesOfTheWrongKind) {
  auto files = good;
  files.ca = good.certificate;
  EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("CN=h1 is not an authority")));
  files = good;
  files.certificate = good.key;
  EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("no readable certificates")));
  files = good;
  files.key = good.certificate;
  EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("no readable private key")));
  files = good;
  files.certificate = good.ca;
  EXPECT_THAT(problems_of(files), SizeIs(1)) << "the key does not match";
}

TEST_F(CredentialsTest, GarbageAndTruncation) {
  std::string text = *[&] {
    std::string error;
    return read_file(good.certificate, error);
  }();
  for (std::string broken : {std::string(), std::string("\0\1\2\3", 4), text.substr(0, text.size() / 2),
                             text + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    network.write("broken.pem", broken);
    auto files = good;
    files.certificate = network.path("broken.pem");
    EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("no readable certificates")));
    files = good;
    files.ca = network.path("broken.pem");
    EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("no readable certificates")));
  }
  network.write("huge.pem", std::string(kMaxPemBytes + 1, 'x'));
  auto files = good;
  files.key = network.path("huge.pem");
  EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("it is larger than")));
}

TEST_F(CredentialsTest, TheKeyOfAnotherCertificate) {
  auto files = good;
  files.key = network.files("h2", kAgent).key;
  EXPECT_THAT(problems_of(files), ElementsAre(AllOf(HasSubstr("it is not the key of"), HasSubstr(good.certificate))));
}

TEST_F(CredentialsTest, AKeyThatOthersCanRead) {
  ASSERT_EQ(chmod(good.key.c_str(), 0644), 0);
  EXPECT_THAT(problems_of(good), ElementsAre(AllOf(HasSubstr("others may read"), HasSubstr("chmod 600"))));
}

TEST_F(CredentialsTest, AKeyWithAPassphrase) {
  std::string error;
  auto key = parse_key(*read_file(good.key, error));
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(out, key.key.get(), EVP_aes_128_cbc(), "secret", 6, nullptr, nullptr);
  char* data = nullptr;
  long size = BIO_get_mem_data(out, &data);
  network.write("locked.key", std::string_view(data, static_cast<size_t>(size)));
  BIO_free(out);
  auto files = good;
  files.key = network.path("locked.key");
  EXPECT_THAT(problems_of(files), ElementsAre(HasSubstr("it has a passphrase")));
}

TEST_F(CredentialsTest, OutsideItsTime) {
  EXPECT_THAT(problems_of(good, {}, kNow + hours(25)), ElementsAre(HasSubstr("CN=h1 expired at 2027-01-16")));
  EXPECT_THAT(problems_of(good, {}, kNow - hours(2)), ElementsAre(HasSubstr("is a clock wrong?")));
  EXPECT_THAT(problems_of(good, {}, kNow + hours(24 * 400)), ElementsAre(HasSubstr("CN=one expired at")));
}

TEST_F(CredentialsTest, AnotherAuthority) {
  Authority other = network.make_authority("two");
  EXPECT_THAT(problems_of(network.files(network.request("h1", kAgent), &other)),
              ElementsAre(HasSubstr("was not signed by an authority that this host trusts")));
  // Of the same name, but with another key.
  Authority twin = network.make_authority("one");
  EXPECT_THAT(problems_of(good), ElementsAre(HasSubstr("was not signed by an authority")));
}

TEST_F(CredentialsTest, TheRolesThatTheNodeHasMustBeGranted) {
  EXPECT_THAT(problems_of(good, kBoth),
              ElementsAre(AllOf(HasSubstr("grants agent, not cluster"), HasSubstr("--role"))));
  EXPECT_THAT(problems_of(network.files("h2", kCluster), kAgent), ElementsAre(HasSubstr("grants cluster, not agent")));
}

TEST_F(CredentialsTest, RevokedFingerprints) {
  std::string own = to_string(network.identity(good)->own().fingerprint);
  good.revoked = network.path("revoked");
  network.write("revoked", "# nobody\n\n   " + std::string(64, 'a') + " # stolen laptop\r\n");
  EXPECT_THAT(problems_of(good), IsEmpty());
  network.write("revoked", own);
  EXPECT_THAT(problems_of(good), ElementsAre(HasSubstr("certificate of CN=h1 is revoked")));
  network.write("revoked", to_string(network.authority.facts().fingerprint) + "\n");
  EXPECT_THAT(problems_of(good), ElementsAre(HasSubstr("certificate of CN=one is revoked")));
  network.write("revoked", own + "\nnot one\n");
  EXPECT_THAT(problems_of(good), Contains(HasSubstr("line 2 is not a SHA-256 fingerprint")));
}

TEST_F(CredentialsTest, WhatTheToolSaysOfOneCertificate) {
  std::string error;
  auto ca = *read_file(good.ca, error), certificate = *read_file(good.certificate, error);
  EXPECT_FALSE(check_pem(ca, certificate, kNow));
  EXPECT_FALSE(check_pem(ca, ca, kNow)) << "the authority itself";
  EXPECT_EQ(check_pem(ca, certificate, kNow + hours(30))->reason, Reason::expired);
  EXPECT_EQ(check_pem(certificate, certificate, kNow)->reason, Reason::untrusted);
  EXPECT_EQ(check_pem("", certificate, kNow)->reason, Reason::malformed);
}

}  // namespace
}  // namespace viaduct::identity::testing
