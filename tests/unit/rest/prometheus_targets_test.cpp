// What Prometheus is told to scrape. tests/system/alerts_test.py has a Prometheus that does.
#include "api/rest/prometheus_targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/gateway.hpp"
#include "tests/support/memory_daemon.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kOne = "00000000-0000-0000-0000-000000000001", kTwo = "00000000-0000-0000-0000-000000000002";
const Json kStatus = {
    {"agents",
     {{{"host", kOne}, {"name", "h1"}, {"state", "served"}}, {{"host", kTwo}, {"name", "h2"}, {"state", "away"}}}},
    {"nodes", {{{"name", "n1"}}, {{"name", "h1"}}, {{"name", "n1"}}}}};

std::vector<std::string> targets(const Json& groups) {
  std::vector<std::string> out;
  for (const Json& group : groups) {
    EXPECT_EQ(group.at("targets").size(), 1u);
    out.push_back(group.at("labels").at("__meta_viaduct_job").get<std::string>() + " " +
                  group.at("targets").at(0).get<std::string>());
  }
  return out;
}

TEST(PrometheusTargets, HostsThatAreAwayAreThereToo) {
  const Json groups = prometheus_targets(kStatus, {}, {});
  EXPECT_THAT(targets(groups), ElementsAre("viaduct-agent h1:9464", "viaduct-agent h2:9464", "viaduct-cluster n1:9464"))
      << "one daemon has both roles on h1, and is an agent";
  EXPECT_EQ(groups.at(1).at("labels"), Json({{"__meta_viaduct_job", "viaduct-agent"},
                                             {"__meta_viaduct_host", "h2"},
                                             {"__meta_viaduct_host_id", kTwo},
                                             {"__meta_viaduct_state", "away"}}));
  EXPECT_EQ(groups.at(2).at("labels"),
            Json({{"__meta_viaduct_job", "viaduct-cluster"}, {"__meta_viaduct_host", "n1"}}));
}

TEST(PrometheusTargets, TwoPortsAreTwoDaemons) {
  EXPECT_THAT(targets(prometheus_targets(kStatus, {}, {"viaduct-cluster", 9464, 9465, false})),
              ElementsAre("viaduct-cluster n1:9465", "viaduct-cluster h1:9465"));
  EXPECT_THAT(targets(prometheus_targets(kStatus, {}, {"viaduct-agent", 443, 9465, false})),
              ElementsAre("viaduct-agent h1:443", "viaduct-agent h2:443"));
}

TEST(PrometheusTargets, AddressesInTunnelZonesAreTheHosts) {
  EXPECT_THAT(targets(prometheus_targets(kStatus, {{kOne, "2001:db8::1"}}, {"", 1, 2, true})),
              ElementsAre("viaduct-agent [2001:db8::1]:1", "viaduct-agent h2:1", "viaduct-cluster n1:2",
                          "viaduct-cluster [2001:db8::1]:2"));
}

class PrometheusPath : public ::testing::Test {
 protected:
  Response ask(const std::string& name, const std::string& value, Headers headers, Method method = Method::get) {
    Request request{.method = method, .path = "/midonet-api/prometheus/targets", .headers = std::move(headers)};
    if (!name.empty()) request.query.emplace_back(name, value);
    return gateway.answer(request);
  }
  viaduct::support::MemoryDaemon daemon;
  Gateway gateway{
      {[this](std::chrono::milliseconds) { return Result<std::unique_ptr<Client>>(daemon.connect()); },
       std::make_shared<TokenAccess>(*parse_tokens("0123456789abcdef admin ops\nfedcba9876543210 reader prometheus\n"
                                                   "aaaaaaaaaaaaaaaa member:blue bob")),
       [](const Request&, const User&, const Response&) {}}};
  const Headers reader{{"authorization", "Bearer fedcba9876543210"}};
};

TEST_F(PrometheusPath, IsForOperatorsWhoAreKnown) {
  const Response answer = ask("", "", reader);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.media_type, "application/json");
  EXPECT_EQ(answer.body, "[]") << "this daemon has no hosts";
  EXPECT_EQ(ask("", "", {{"authorization", "bearer fedcba9876543210"}}).status, 200);
  EXPECT_EQ(ask("", "", {{"x-auth-token", "fedcba9876543210"}}).status, 200);
  EXPECT_EQ(ask("", "", {{"authorization", "Bearer fedcba987654321"}}).status, 401);
  EXPECT_EQ(ask("", "", {{"authorization", "Basic fedcba9876543210"}}).status, 401);
  EXPECT_EQ(ask("", "", {{"authorization", "Bearer"}}).status, 401);
  EXPECT_EQ(ask("", "", {}).status, 401);
  EXPECT_EQ(ask("", "", {{"x-auth-token", "aaaaaaaaaaaaaaaa"}}).status, 403) << "what hosts there are is no tenant's";
  EXPECT_EQ(ask("", "", {{"x-auth-token", "0123456789abcdef"}}, Method::post).status, 405);
}

TEST_F(PrometheusPath, ParametersThatMakeNoSenseAreRefused) {
  EXPECT_EQ(ask("address", "tunnel", reader).status, 200);
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"job", "viaduct"},
                                                                                    {"address", "dns"},
                                                                                    {"agent_port", "0"},
                                                                                    {"agent_port", "65536"},
                                                                                    {"cluster_port", "9464x"}}) {
    const Response answer = ask(name, value, reader);
    EXPECT_EQ(answer.status, 400) << name << "=" << value;
    EXPECT_THAT(answer.body, HasSubstr(name + ": must be"));
  }
}

}  // namespace
}  // namespace viaduct::api::rest
