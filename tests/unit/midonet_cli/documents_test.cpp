// Answers of servers as failures.
#include "api/midonet_cli/documents.hpp"

#include "tests/unit/midonet_cli/session.hpp"

namespace viaduct::api::midonet_cli::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct MidonetDocuments : ::testing::Test {
  MadeUpSource source;
  Documents documents{source};
  Failure answered(int status, std::string body) {
    source.then(status, std::move(body));
    auto read = documents.read("bridges/x");
    EXPECT_FALSE(read);
    return read ? Failure{} : read.failure();
  }
};

TEST_F(MidonetDocuments, StatusesAreExitCodes) {
  EXPECT_EQ(answered(404, "").code, "not_found");
  EXPECT_EQ(answered(404, "").exit, ExitCode::refused);
  EXPECT_EQ(answered(401, "").code, "unauthorized");
  EXPECT_EQ(answered(503, R"({"message":"later","code":503})").exit, ExitCode::unreachable);
  EXPECT_EQ(answered(504, "").exit, ExitCode::timeout);
  EXPECT_EQ(answered(501, R"({"message":"no DHCP","code":501})").message, "no DHCP");
  EXPECT_THAT(answered(418, "teapot").message, HasSubstr("418"));
  EXPECT_THAT(answered(302, "").message, HasSubstr("302"));
}

TEST_F(MidonetDocuments, ViolationsAreKept) {
  const Failure failure = answered(
      400, R"({"message":"x","code":400,"violations":[{"property":"name","message":"is too long"},{"property":7}]})");
  ASSERT_EQ(failure.violations.size(), 2U);
  EXPECT_EQ(failure.violations[0].field, "name");
  EXPECT_EQ(failure.violations[0].message, "is too long");
}

TEST_F(MidonetDocuments, WhatIsNoneIsAFailure) {
  for (const char* body : {"", "null", "[]", "<html>", "\xff", "7"})
    EXPECT_EQ(answered(200, body).code, "protocol") << body;
  for (const char* body : {"", "{}", "[1]", "[[]]"}) {
    source.then(200, body);
    EXPECT_EQ(documents.list("bridges").failure().code, "protocol") << body;
  }
  source.then(201, "");
  EXPECT_THAT(documents.create("bridges", Json::object()).failure().message, HasSubstr("does not say where"));
  source.then(201, "", "http://api/other/bridges/x");
  EXPECT_THAT(documents.create("bridges", Json::object()).failure().message, HasSubstr("not below /midonet-api"));
}

TEST_F(MidonetDocuments, NoPasswordIsTraced) {
  std::string traced;
  documents.trace([&](const std::string& line) { traced += line + "\n"; });
  source.then(200, R"([{"password":"secret","address":"10.0.0.2"}])");
  ASSERT_TRUE(documents.list("routers/x/bgp_peers"));
  EXPECT_THAT(traced, HasSubstr("> GET routers/x/bgp_peers\n< 200 [{\"password\":\"…\",\"address\":\"10.0.0.2\"}]"));
  source.then(400, "");
  EXPECT_FALSE(documents.replace("bgp_peers/y", {{"password", "secret"}}, {}));
  EXPECT_THAT(traced, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace viaduct::api::midonet_cli::testing
