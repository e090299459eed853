// viaduct certs: from nothing to files that a daemon takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "schema/identity/credentials.hpp"
#include "tests/unit/cli/fake_daemon.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Certs : testing::Test {
  Outcome run(std::vector<std::string> words) {
    words.insert(words.begin(), "certs");
    return tool(words);
  }
  std::string path(const std::string& name) const { return (directory.path() / name).string(); }
  std::string text(const std::string& name) const {
    std::ifstream in(path(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  mode_t mode(const std::string& name) const {
    struct stat info {};
    EXPECT_EQ(stat(path(name).c_str(), &info), 0) << name;
    return info.st_mode & 07777;
  }
  void init() { ASSERT_EQ(run({"init", path("ca")}).code, 0); }

  topology::store::testing::TemporaryDirectory directory;
  Tool tool;
};

TEST_F(Certs, FromNothingToFilesThatADaemonTakes) {
  init();
  Outcome made = run({"host", "node-1", "--dir", path("ca"), "--out", path("node"), "--address", "10.0.0.1",
                      "--address", "fd00::1", "--role", "both"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("[tls]\nca = \"" + path("node/ca.pem")), HasSubstr("name = \"node-1\"")));
  std::vector<identity::CredentialProblem> problems;
  auto loaded = identity::Credentials::load({path("node/ca.pem"), path("node/node-1.pem"), path("node/node-1.key"), ""},
                                            {true, true}, std::chrono::system_clock::now(), problems);
  for (const auto& problem : problems) ADD_FAILURE() << problem.text;
  ASSERT_NE(loaded, nullptr);
  EXPECT_EQ(loaded->own().host, "node-1");
  for (const char* name : {"ca/ca.pem", "ca/ca.key", "node/ca.pem", "node/node-1.pem", "node/node-1.key"})
    EXPECT_EQ(mode(name), 0600U) << name;
  EXPECT_EQ(mode("ca"), 0700U);
  EXPECT_FALSE(std::filesystem::exists(path("node/ca.key"))) << "stays with the authority";
}

TEST_F(Certs, NothingIsReplacedUnlessAsked) {
  init();
  std::string key = text("ca/ca.key");
  EXPECT_THAT(run({"init", path("ca")}).err, AllOf(HasSubstr("ca.key is there already"), HasSubstr("--force")));
  EXPECT_EQ(text("ca/ca.key"), key);
  EXPECT_EQ(run({"host", "h", "--dir", path("ca")}).code, 0);
  std::string first = text("ca/h.key");
  EXPECT_EQ(run({"host", "h", "--dir", path("ca")}).code, 1);
  EXPECT_EQ(text("ca/h.key"), first);
  EXPECT_EQ(run({"host", "h", "--dir", path("ca"), "--force"}).code, 0);
  EXPECT_NE(text("ca/h.key"), first);
  EXPECT_EQ(run({"init", path("ca"), "--force"}).code, 0);
  EXPECT_NE(text("ca/ca.key"), key);
}

TEST_F(Certs, AnotherAuthoritysFileInTheWayIsNotReplaced) {
  init();
  ASSERT_EQ(run({"init", path("other")}).code, 0);
  EXPECT_EQ(run({"host", "a", "--dir", path("ca"), "--out", path("out")}).code, 0);
  EXPECT_EQ(run({"host", "b", "--dir", path("ca"), "--out", path("out")}).code, 0) << "the same authority";
  EXPECT_THAT(run({"host", "c", "--dir", path("other"), "--out", path("out")}).err, HasSubstr("out/ca.pem is there"));
}

TEST_F(Certs, ShowSaysWhatIsInAFile) {
  init();
  std::string id = HostId::random().to_string();
  ASSERT_EQ(run({"host", "node-1", "--dir", path("ca"), "--id", id}).code, 0);
  EXPECT_THAT(run({"show", path("ca/node-1.pem")}).out,
              AllOf(HasSubstr("host          node-1"), HasSubstr(id), HasSubstr("roles         agent\n"),
                    HasSubstr("EC P-256"), HasSubstr("fingerprint   ")));
  EXPECT_THAT(run({"show", path("ca/ca.pem")}).out, HasSubstr("yes: it signs others"));
  auto json = nlohmann::json::parse(run({"show", path("ca/node-1.pem"), "--json"}).out);
  EXPECT_EQ(json[0]["host"], "node-1");
  EXPECT_EQ(json[0]["roles"], nlohmann::json({"agent"}));
  EXPECT_EQ(json[0]["fingerprint"].get<std::string>().size(), 64U);
  EXPECT_THAT(run({"show", path("ca/ca.key")}).err, HasSubstr("no readable certificates"));
  EXPECT_THAT(run({"show", path("nothing")}).err, HasSubstr("No such file"));
}

TEST_F(Certs, VerifySaysWhatIsWrong) {
  init();
  ASSERT_EQ(run({"init", path("other")}).code, 0);
  for (const char* name : {"a", "b"}) ASSERT_EQ(run({"host", name, "--dir", path("ca")}).code, 0);
  std::string a = path("ca/a.pem"), ca = path("ca/ca.pem");
  EXPECT_THAT(run({"verify", a, "--ca", ca}).out, HasSubstr("a.pem: valid"));
  EXPECT_EQ(run({"verify", a, "--ca", ca, "--key", path("ca/a.key")}).code, 0);
  EXPECT_THAT(run({"verify", a, "--ca", path("other/ca.pem")}).err, HasSubstr("was not signed by an authority"));
  EXPECT_THAT(run({"verify", a, "--ca", ca, "--key", path("ca/b.key")}).err, HasSubstr("it is not the key of"));
  EXPECT_EQ(run({"verify", a, "--ca", path("other/ca.pem")}).code, 1);
  std::ofstream(path("revoked"))
      << nlohmann::json::parse(run({"show", a, "--json"}).out)[0]["fingerprint"].get<std::string>();
  EXPECT_THAT(run({"verify", a, "--ca", ca, "--key", path("ca/a.key"), "--revoked", path("revoked")}).err,
              HasSubstr("is revoked"));
  EXPECT_EQ(run({"verify", a, "--ca", ca, "--revoked", path("revoked")}).code, 2) << "needs --key";
}

TEST_F(Certs, WrongWordsAreNamed) {
  init();
  EXPECT_THAT(run({"host", "a b", "--dir", path("ca")}).err, HasSubstr("'a b' is not a name for a host"));
  EXPECT_EQ(run({"host", "ca", "--dir", path("ca"), "--force"}).code, 2) << "would be the authority's files";
  EXPECT_THAT(run({"host", "a", "--dir", path("ca"), "--id", "7"}).err, HasSubstr("'7' is not a host's id"));
  EXPECT_THAT(run({"host", "a", "--dir", path("ca"), "--address", "here"}).err,
              HasSubstr("'here' is not an IP address"));
  EXPECT_EQ(run({"host", "a", "--dir", path("ca"), "--role", "boss"}).code, 2);
  EXPECT_EQ(run({"host", "a", "--dir", path("ca"), "--days", "0"}).code, 2);
  EXPECT_THAT(run({"host", "a", "--dir", path("nowhere")}).err, HasSubstr("viaduct certs init"));
  EXPECT_THAT(run({"host", "a", "--dir", path("ca"), "--days", "9000"}).err, HasSubstr("would outlive its authority"));
  EXPECT_EQ(run({"init", path("x"), "--name", "a/b"}).code, 2);
  EXPECT_EQ(run({"init", "/proc/nowhere/x"}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(path("ca/a.key")));
}

}  // namespace
}  // namespace viaduct::api::cli
