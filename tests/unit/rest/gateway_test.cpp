// Requests and answers, over a daemon in memory. tests/system/rest_test.py has the exchanges of MidoNet's client.
#include "api/rest/gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_daemon.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::HasSubstr;

class RestGateway : public ::testing::Test {
 protected:
  Response ask(Method method, std::string path, const Json& body = nullptr, Headers headers = {}) {
    Request request{
        .method = method, .path = "/midonet-api/" + path.substr(0, path.find('?')), .headers = std::move(headers)};
    if (const size_t query = path.find('?'); query != path.npos) {
      const size_t equals = path.find('=', query);
      request.query.emplace_back(path.substr(query + 1, equals - query - 1), path.substr(equals + 1));
    }
    request.headers.try_emplace("host", "api.example:8181");
    request.headers.try_emplace("x-auth-token", "0123456789abcdef");
    if (!body.is_null()) request.body = body.dump();
    return gateway.answer(request);
  }
  std::string create(const std::string& where, const Json& body) {
    const Response response = ask(Method::post, where, body);
    EXPECT_EQ(response.status, 201) << response.body;
    for (const auto& [name, value] : response.headers) {
      if (name == "Location") return value.substr(value.find("/midonet-api/") + 13);
    }
    return {};
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  viaduct::support::MemoryDaemon daemon;
  std::vector<std::string> audited;
  Gateway gateway{
      {[this](std::chrono::milliseconds) { return Result<std::unique_ptr<Client>>(daemon.connect()); },
       std::make_shared<TokenAccess>(*parse_tokens("0123456789abcdef admin ops\nfedcba9876543210 reader robot")),
       [this](const Request& request, const User& user, const Response& response) {
         audited.push_back(user.name + " " + std::string(to_string(request.method)) + " " +
                           std::to_string(response.status));
       }}};
};

TEST_F(RestGateway, UrisAreAsTheClientSeesTheServer) {
  auto base = [&](Headers headers) {
    return Json::parse(ask(Method::get, "", nullptr, std::move(headers)).body).at("uri").get<std::string>();
  };
  EXPECT_EQ(base({}), "http://api.example:8181/midonet-api/");
  EXPECT_EQ(base({{"x-forwarded-host", "proxy"}, {"x-forwarded-proto", "https"}}), "https://proxy/midonet-api/");
  EXPECT_EQ(base({{"host", "[::1]:8181"}}), "http://[::1]:8181/midonet-api/");
  EXPECT_EQ(base({{"host", "x\"><script>"}}), "http://localhost/midonet-api/");
}

TEST_F(RestGateway, RolesDecide) {
  EXPECT_EQ(ask(Method::get, "bridges", nullptr, {{"x-auth-token", "nonsense"}}).status, 401);
  EXPECT_EQ(ask(Method::get, "bridges", nullptr, {{"x-auth-token", "fedcba9876543210"}}).status, 200);
  EXPECT_EQ(ask(Method::post, "bridges", Json::object(), {{"x-auth-token", "fedcba9876543210"}}).status, 403);
  EXPECT_EQ(ask(Method::options, "bridges", nullptr, {{"x-auth-token", ""}}).status, 200);
  EXPECT_THAT(audited, ::testing::ElementsAre("robot POST 403"));
}

TEST_F(RestGateway, AnotherChangeInBetweenIsSeen) {
  const std::string bridge = create("bridges", {{"name", "b"}});
  const Response read = ask(Method::get, bridge);
  const std::string tag = header(read, "ETag");
  EXPECT_EQ(ask(Method::get, bridge, nullptr, {{"if-none-match", "\"1\", " + tag}}).status, 304);
  EXPECT_EQ(ask(Method::put, bridge, {{"name", "c"}}, {{"if-match", tag}}).status, 204);
  const Response late = ask(Method::put, bridge, {{"name", "d"}}, {{"if-match", tag}});
  EXPECT_EQ(late.status, 412);
  EXPECT_THAT(late.body, HasSubstr("has changed"));
  EXPECT_EQ(ask(Method::put, bridge, {{"name", "d"}}, {{"if-match", "*"}}).status, 204);
}

TEST_F(RestGateway, ADryRunChangesNothing) {
  const Response dry = ask(Method::post, "bridges?dry-run=true", {{"name", "b"}});
  EXPECT_EQ(dry.status, 200);
  EXPECT_EQ(Json::parse(dry.body).at("changes").at(0).at("action"), "created");
  EXPECT_EQ(ask(Method::get, "bridges").body, "[]");
}

TEST_F(RestGateway, PutKeepsWhatNoMemberSays) {
  const std::string router = create("routers", {{"name", "r"}});
  auto stored = std::get<topology::Router>(
      *daemon.snapshot().find({topology::Kind::router, *Uuid::parse(router.substr(router.find('/') + 1))}));
  stored.advertise_nat = true;
  ASSERT_TRUE(daemon.commit(stored));
  EXPECT_EQ(ask(Method::put, router, {{"name", "renamed"}}).status, 204);
  auto now = std::get<topology::Router>(*daemon.snapshot().find({topology::Kind::router, stored.id.uuid()}));
  EXPECT_EQ(now.name, "renamed");
  EXPECT_TRUE(now.advertise_nat);
}

TEST_F(RestGateway, RulesAreInsertedWhereTheyBelong) {
  const std::string chain = create("chains", {{"name", "c"}});
  std::vector<int> expected;
  for (int i = 0; i < 60; ++i) {  // between the first and the second, until no number is left there
    const int position = expected.empty() ? 1 : 2;
    create(chain + "/rules", {{"type", "accept"}, {"nwTos", i}, {"position", position}});
    expected.insert(expected.begin() + position - 1, i);
  }
  std::vector<int> seen;
  for (const Json& rule : Json::parse(ask(Method::get, chain + "/rules").body)) seen.push_back(rule.at("nwTos"));
  EXPECT_EQ(seen, expected);
}

TEST_F(RestGateway, ReadersSeeNoPasswords) {
  const std::string router = create("routers", {{"asNumber", 65000}});
  create(router + "/ports", {{"type", "Router"}, {"portSubnet", {"10.9.0.1/24"}}});
  const std::string peer =
      create(router + "/bgp_peers", {{"asNumber", 65001}, {"address", "10.9.0.2"}, {"password", "secret"}});
  EXPECT_EQ(Json::parse(ask(Method::get, peer).body).at("password"), "secret");
  const Response seen = ask(Method::get, peer, nullptr, {{"x-auth-token", "fedcba9876543210"}});
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(Json::parse(seen.body).at("password"), nullptr);
}

TEST_F(RestGateway, ThePageBehindHasTheSameFilter) {
  for (int i = 0; i < 3; ++i) create("bridges", {{"tenantId", "a b"}});
  Request request{
      .method = Method::get, .path = "/midonet-api/bridges", .query = {{"tenant_id", "a b"}, {"limit", "2"}}};
  request.headers = {{"x-auth-token", "0123456789abcdef"}};
  EXPECT_THAT(header(gateway.answer(request), "Link"), HasSubstr("&tenant_id=a%20b>"));
}

TEST(RestGatewayRates, BeyondTheLimitIs429) {
  viaduct::support::MemoryDaemon daemon;
  std::vector<std::string> refused;
  auto entries = *parse_tokens("0123456789abcdef admin ops\nfedcba9876543210 reader robot\naaaaaaaaaaaaaaaa admin own");
  entries.back().user.counted = false;
  const Gateway gateway({[&](std::chrono::milliseconds) { return Result<std::unique_ptr<Client>>(daemon.connect()); },
                         std::make_shared<TokenAccess>(entries),
                         {},
                         [&](std::string_view reason) { refused.emplace_back(reason); }},
                        {.rate = {.per_second = 1, .burst = 2}});
  auto status = [&](const std::string& token, const std::string& peer) {
    return gateway
        .answer(
            {.method = Method::get, .path = "/midonet-api/bridges", .headers = {{"x-auth-token", token}}, .peer = peer})
        .status;
  };
  auto three = [&](const std::string& token, const std::string& peer) {
    return std::vector<int>{status(token, peer), status(token, peer), status(token, peer)};
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(three("0123456789abcdef", "192.0.2.1"), ElementsAre(200, 200, 429));
  EXPECT_THAT(three("fedcba9876543210", "192.0.2.1"), ElementsAre(200, 200, 429));
  EXPECT_THAT(three("aaaaaaaaaaaaaaaa", "192.0.2.1"), ElementsAre(200, 200, 200));
  EXPECT_THAT(three("nobody", "192.0.2.1"), ElementsAre(401, 401, 429));
  EXPECT_THAT(three("nobody", "2001:db8::1"), ElementsAre(401, 401, 429));
  EXPECT_EQ(status("nobody", "2001:db8::ffff"), 429);
  EXPECT_EQ(status("nobody", "2001:db8:0:1::1"), 401);
  EXPECT_EQ(status("aaaaaaaaaaaaaaaa", "2001:db8::1"), 200);
  EXPECT_THAT(refused, ElementsAre("rate_user", "rate_user", "rate_address", "rate_address", "rate_address"));
}

TEST(RestGatewayDefects, AnExceptionEndsItsRequestOnly) {
  const Gateway broken({[](std::chrono::milliseconds) -> Result<std::unique_ptr<Client>> { throw std::bad_alloc(); },
                        std::make_shared<OpenAccess>()});
  EXPECT_EQ(broken.answer({.method = Method::get, .path = "/midonet-api/bridges"}).status, 500);
}

TEST_F(RestGateway, PathsThatAreNoneAre404AndWhatComesLaterIs501) {
  for (const char* path : {"nonsense", "bridges/nonsense", "bridges/00000000-0000-4000-8000-000000000001/nonsense"}) {
    EXPECT_EQ(ask(Method::get, path).status, 404) << path;
  }
  for (const char* path : {"mirrors", "neutron/networks", "bridges/00000000-0000-4000-8000-000000000001/dhcp"}) {
    EXPECT_EQ(ask(Method::get, path).status, 501) << path;
  }
  EXPECT_EQ(gateway.answer({.path = "/elsewhere"}).status, 404);
}

TEST_F(RestGateway, WhatTheNodeCountsIsNullWithoutTheAgentRole) {
  const Headers reader = {{"x-auth-token", "fedcba9876543210"}};
  const Response response = ask(Method::get, "node_status", nullptr, reader);
  ASSERT_EQ(response.status, 200) << response.body;
  const Json status = Json::parse(response.body);
  for (const char* counted : {"ports", "drops", "tunnels", "datapath", "flows"}) {
    EXPECT_TRUE(status.at(counted).is_null()) << counted;
  }
  EXPECT_TRUE(status.at("hosts").is_array());
  EXPECT_EQ(ask(Method::post, "node_status").status, 405);
}

TEST_F(RestGateway, ATraceIsOfAPortAndOfAPacketThatMakesSense) {
  const std::string bridge = create("bridges", {{"name", "b"}});
  const std::string trace = create(bridge + "/ports", {{"type", "Bridge"}}) + "/trace";
  const Response nonsense = ask(Method::get, trace + "?packet=tcp towards 10.0.0.1");
  EXPECT_EQ(nonsense.status, 400);
  EXPECT_THAT(nonsense.body, HasSubstr("'towards' is not a word"));
  EXPECT_EQ(ask(Method::get, trace).status, 400);
  EXPECT_EQ(ask(Method::post, trace).status, 405);
  EXPECT_EQ(ask(Method::get, "ports/00000000-0000-4000-8000-000000000001/trace?packet=icmp to 10.0.0.1").status, 404);
  // The daemon in memory has no datapath.
  const Headers reader = {{"x-auth-token", "fedcba9876543210"}};
  EXPECT_EQ(ask(Method::get, trace + "?packet=icmp to 10.0.0.1", nullptr, reader).status, 503);
}

}  // namespace
}  // namespace viaduct::api::rest
