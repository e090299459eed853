// Paths, media types, statuses.
#include "api/rest/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/media_type.hpp"
#include "api/rest/problem.hpp"
#include "api/rest/request_id.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  EXPECT_TRUE(split_path(path, out)) << path;
  return out;
}

TEST(RestPath, SegmentsAreDecoded) {
  EXPECT_THAT(segments("/midonet-api//bridges/"), ElementsAre("midonet-api", "bridges"));
  EXPECT_THAT(segments("ip_addrs/2001%3adb8%3A%3A7"), ElementsAre("ip_addrs", "2001:db8::7"));
  EXPECT_TRUE(segments("").empty());
}

TEST(RestPath, WhatHidesSomethingIsRefused) {
  std::vector<std::string> out;
  for (const char* path : {"/a/%2e%2e/b", "/..", "/a/%2fb", "/%00", "/a%0a", "/%", "/%4", "/%zz", "/a\x7f"}) {
    EXPECT_FALSE(split_path(path, out)) << path;
  }
}

TEST(RestPath, EncodingComesBack) {
  const std::string text = "2001:db8::7 /ä%";
  EXPECT_EQ(encode_segment("plain-1.2_3~"), "plain-1.2_3~");
  EXPECT_EQ(encode_segment(text), "2001%3Adb8%3A%3A7%20%2F%C3%A4%25");
}

TEST(RestMedia, TheTypeThatIsAskedForIsAnswered) {
  const Resource& bridges = *find_resource("bridges");
  EXPECT_EQ(acceptable("", bridges, Form::one), "application/json");
  EXPECT_EQ(acceptable("*/*", bridges, Form::one), "application/json");
  EXPECT_EQ(acceptable("application/vnd.org.midonet.bridge-v5+json; q=1", bridges, Form::one),
            "application/vnd.org.midonet.Bridge-v5+json");
  EXPECT_EQ(acceptable("text/html, application/vnd.org.midonet.collection.Bridge-v4+json", bridges, Form::list),
            "application/vnd.org.midonet.collection.Bridge-v4+json");
  EXPECT_FALSE(acceptable("application/vnd.org.midonet.Router-v3+json", bridges, Form::one));
  EXPECT_TRUE(consumes("Application/JSON;charset=utf-8", bridges));
  EXPECT_FALSE(consumes("text/plain", bridges));
}

TEST(RestProblem, EveryFailureHasItsStatus) {
  auto status = [](std::string code) { return problem({ExitCode::refused, std::move(code), "m", "c", {}}).status; };
  EXPECT_EQ(status("not_found"), 404);
  EXPECT_EQ(status("unauthorized"), 401);
  EXPECT_EQ(status("forbidden"), 403);
  EXPECT_EQ(status("unsupported"), 501);
  EXPECT_EQ(status("timeout"), 503);
  EXPECT_EQ(status("what nobody knows"), 400);
  const Failure taken{ExitCode::refused, "invalid", "", "", {{"duplicate_id", "bridge", "", "", "id", "m", "c"}}};
  EXPECT_EQ(problem(taken).status, 409);
  EXPECT_EQ(Json::parse(problem(taken).body), Json({{"message", "id: m c"}, {"code", 409}}));
}

TEST(RestRequestId, TheClientsOwnIsKeptIfItCanBeLogged) {
  EXPECT_EQ(request_id("deploy-7.retry_2"), "deploy-7.retry_2");
  EXPECT_EQ(request_id(std::string(64, 'a')), std::string(64, 'a'));
  for (const std::string& other : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\nb"),
                                   std::string("\"x\""), std::string("\xc3\xa4")}) {
    EXPECT_TRUE(Uuid::parse(request_id(other))) << other;
  }
  EXPECT_NE(request_id(""), request_id(""));
}

TEST(RestRequestId, IsInErrors) {
  const Failure failure{ExitCode::refused, "not_found", "m", {}, {}};
  EXPECT_EQ(Json::parse(problem(failure, "r-1").body), Json({{"message", "m"}, {"code", 404}, {"requestId", "r-1"}}));
}

}  // namespace
}  // namespace viaduct::api::rest
