// The files that a configuration names, found wrong before the daemon starts.
#include "support.hpp"
#include "tests/unit/identity/test_network.hpp"

namespace viaduct::actors::testing {
namespace {

using identity::testing::kAgent;
using identity::testing::kBoth;
using identity::testing::kNow;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct ConfigFiles : ::testing::Test {
  std::string tls(const identity::CredentialFiles& files) {
    return "[tls]\nca = \"" + files.ca + "\"\ncertificate = \"" + files.certificate + "\"\nkey = \"" + files.key +
           "\"\n";
  }
  std::vector<std::string> problems(const std::string& text, identity::TimePoint now = kNow) {
    auto source = read(text);
    check_files(source, now);
    return lines(source);
  }
  identity::testing::TestNetwork network;
  const std::string agent = "roles = [\"agent\"]\n[agent]\ncluster = [\"db1\"]\n";
};

TEST_F(ConfigFiles, GoodFilesAreGood) {
  EXPECT_THAT(problems(agent + tls(network.files("h1", kAgent))), IsEmpty());
  EXPECT_THAT(problems("[cluster]\nlisten = \"0.0.0.0\"\n" + tls(network.files("h1", kBoth))), IsEmpty());
}

TEST_F(ConfigFiles, TheHostIsNamedByItsCertificate) {
  auto source = read(agent + tls(network.files("h1", kAgent)));
  check_files(source, kNow);
  EXPECT_EQ(source.config.host.name, "h1");
}

TEST_F(ConfigFiles, AMissingFileIsNamedWithItsKeyAndPlace) {
  auto files = network.files("h1", kAgent);
  files.key = "/nonexistent/h1.key";
  EXPECT_THAT(problems(agent + tls(files)),
              ElementsAre(AllOf(HasSubstr("f.toml:7:1: tls.key: /nonexistent/h1.key: cannot read it: No such file"))));
}

TEST_F(ConfigFiles, ACertificateThatDoesNotFitTheNode) {
  auto files = network.files("h1", kAgent);
  EXPECT_THAT(problems("[cluster]\nlisten = \"0.0.0.0\"\n" + tls(files)),
              ElementsAre(AllOf(HasSubstr("tls.certificate"), HasSubstr("grants agent, not cluster"))));
  EXPECT_THAT(problems(agent + tls(files) + "[host]\nname = \"h2\""),
              ElementsAre(AllOf(HasSubstr("f.toml:9:1: host.name"), HasSubstr("the certificate is of host 'h1'"))));
  EXPECT_THAT(problems(agent + tls(files) + "[host]\nname = \"h1\""), IsEmpty());
  files.key = network.files("h2", kAgent).key;
  EXPECT_THAT(problems(agent + tls(files)), ElementsAre(HasSubstr("tls.key")));
}

TEST_F(ConfigFiles, AnExpiredCertificate) {
  EXPECT_THAT(problems(agent + tls(network.files("h1", kAgent)), kNow + std::chrono::hours(48)),
              ElementsAre(AllOf(HasSubstr("tls.certificate"), HasSubstr("expired at"))));
}

TEST_F(ConfigFiles, EtcdsFiles) {
  const std::string etcd = "[etcd]\nendpoints = [\"127.0.0.1\"]\nuser = \"u\"\npassword_file = \"";
  EXPECT_THAT(problems(etcd + network.path("nothing") + "\""), ElementsAre(HasSubstr("etcd.password_file")));
  network.write("password", "");
  EXPECT_THAT(problems(etcd + network.path("password") + "\""), ElementsAre(HasSubstr("is empty")));
  network.write("password", "secret\n");
  EXPECT_THAT(problems(etcd + network.path("password") + "\""), IsEmpty());
}

}  // namespace
}  // namespace viaduct::actors::testing
