// viaduct rest passwd: the file that it writes is one that the REST API takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "api/rest/password_file.hpp"
#include "tests/unit/cli/fake_daemon.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct RestPasswd : testing::Test {
  Outcome run(const std::string& password, std::vector<std::string> words) {
    tool.input = password;
    words.insert(words.begin(), {"rest", "passwd"});
    words.insert(words.end(), {"--file", file()});
    return tool(words);
  }
  std::string file() const { return (directory.path() / "passwords").string(); }
  std::string text() const {
    std::ifstream in(file());
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<rest::PasswordEntry> users() const {
    auto parsed = rest::parse_passwords(text());
    EXPECT_TRUE(parsed) << text();
    return parsed ? *parsed : std::vector<rest::PasswordEntry>{};
  }

  topology::store::testing::TemporaryDirectory directory;
  Tool tool;
};

TEST_F(RestPasswd, AFileFromNothing) {
  Outcome made = run("secret:word 1\n", {"carol", "--role", "admin"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr("carol (admin) added"), HasSubstr("systemctl reload viaductd")));
  EXPECT_THAT(made.out + made.err + text(), testing::Not(HasSubstr("secret")));
  ASSERT_EQ(users().size(), 1U);
  EXPECT_EQ(users()[0].user.role, rest::Role::admin);
  EXPECT_TRUE(rest::matches("secret:word 1", users()[0].hash));
  EXPECT_FALSE(rest::matches("secret:word 2", users()[0].hash));
  struct stat about {};
  ASSERT_EQ(stat(file().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0640U);
}

TEST_F(RestPasswd, OtherLinesAndTheRoleStay) {
  ASSERT_EQ(run("first-password\n", {"carol", "--role", "admin"}).code, 0);
  ASSERT_EQ(run("password-of-dave\n", {"dave"}).code, 0);
  std::ofstream(file(), std::ios::app) << "# the end";
  const std::string dave = users()[1].hash;
  Outcome changed = run("second-password\n", {"carol"});
  EXPECT_THAT(changed.out, HasSubstr("carol (admin) changed"));
  EXPECT_THAT(text(), AllOf(StartsWith("carol:$y$"), HasSubstr("\n# the end\n")));
  ASSERT_EQ(users().size(), 2U);
  EXPECT_TRUE(rest::matches("second-password", users()[0].hash));
  EXPECT_EQ(users()[1].hash, dave);
  EXPECT_EQ(users()[1].user.role, rest::Role::reader);
  EXPECT_EQ(run("second-password\n", {"carol", "--role", "reader", "--json"}).json()["role"], "reader");
}

TEST_F(RestPasswd, MembersOfATenant) {
  EXPECT_THAT(run("first-password\n", {"rosa", "--role", "member:red"}).out, HasSubstr("rosa (member:red) added"));
  ASSERT_EQ(users().size(), 1U);
  EXPECT_EQ(users()[0].user.role, rest::Role::member);
  EXPECT_EQ(users()[0].user.tenant, "red");
  EXPECT_THAT(run("second-password\n", {"rosa"}).out, HasSubstr("rosa (member:red) changed"));
  EXPECT_EQ(run("second-password\n", {"rosa", "--role", "member:blue", "--json"}).json()["role"], "member:blue");
  EXPECT_EQ(users()[0].user.tenant, "blue");
  EXPECT_EQ(run("second-password\n", {"rosa", "--role", "admin"}).code, 0);
  EXPECT_EQ(users()[0].user.tenant, "");
  for (const char* none : {"member", "member:", "member:a b", "member:a:b"}) {
    const Outcome refused = run("second-password\n", {"rosa", "--role", none});
    EXPECT_EQ(refused.code, 2) << none;
    EXPECT_THAT(refused.err, HasSubstr("is no role")) << none;
  }
}

TEST_F(RestPasswd, ALinkStaysOne) {
  ASSERT_EQ(run("first-password\n", {"carol"}).code, 0);
  const auto link = directory.path() / "link";
  std::filesystem::create_symlink(file(), link);
  tool.input = "second-password\n";
  ASSERT_EQ(tool({"rest", "passwd", "carol", "--file", link.string()}).code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(rest::matches("second-password", users()[0].hash));
}

TEST_F(RestPasswd, WhatIsWrongChangesNothing) {
  EXPECT_THAT(run("", {"carol"}).err, HasSubstr("there is no password"));
  EXPECT_THAT(run("short\n", {"carol"}).err, HasSubstr("shorter than 8"));
  EXPECT_THAT(run("long enough\n", {"a:b"}).err, HasSubstr("no colons"));
  EXPECT_EQ(run("long enough\n", {"carol", "--role", "king"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(file()));
  std::ofstream(file()) << "# users\nnonsense\n";
  Outcome refused = run("long enough\n", {"carol"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("line 2: it does not have three parts"), HasSubstr("NAME:HASH:ROLE")));
  EXPECT_EQ(text(), "# users\nnonsense\n");
  tool.input = "long enough\n";
  EXPECT_THAT(tool({"rest", "passwd", "carol", "--file", "/no/such/directory/file"}).err,
              HasSubstr("/no/such/directory: No such file"));
}

}  // namespace
}  // namespace viaduct::api::cli
