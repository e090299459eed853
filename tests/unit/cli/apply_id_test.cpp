// apply: objects that say their id.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

constexpr const char* kA = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
constexpr const char* kB = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
constexpr const char* kC = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

// yaml("… %a …"): with the ids in place.
std::string yaml(std::string text) {
  for (auto [sign, id] : {std::pair("%a", kA), std::pair("%b", kB), std::pair("%c", kC)})
    for (size_t at = text.find(sign); at != std::string::npos; at = text.find(sign)) text.replace(at, 2, id);
  return text;
}

struct ApplyById : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  Outcome apply(const std::string& text, std::vector<std::string> more = {}) {
    Tool with_input = tool;
    with_input.input = yaml(text);
    more.insert(more.begin(), {"apply", "-f", "-"});
    return with_input(more);
  }
  void is_done(const std::string& text) {
    const Outcome first = apply(text);
    EXPECT_EQ(first.code, 0) << first.err;
    EXPECT_EQ(apply(text).out, "nothing to do: the topology is as the file says\n");
  }
  Json show(const std::string& kind, const std::string& id) { return tool({kind, "show", id, "--json"}).json(); }
};

TEST_F(ApplyById, MakesObjectsOfOneNameAndTellsThemApart) {
  is_done("bridges: [{id: %a, name: blue, ports: [{name: p}]}, {id: %b, name: blue, tenant: t}, {id: %c}]\n");
  EXPECT_EQ(show("bridge", kA)["name"], "blue");
  EXPECT_EQ(show("bridge", kB)["tenant"], "t");
  EXPECT_EQ(show("bridge", kC)["name"], "") << "what has an id needs no name";
  EXPECT_EQ(show("port", "p")["bridge"], kA);
}

TEST_F(ApplyById, RenamesAndLeavesTheRest) {
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", kA, "--tenant", "t"}).code, 0);
  const Outcome renamed = apply("bridges: [{id: %a, name: azure}]\n");
  EXPECT_THAT(renamed.out, HasSubstr("name: blue -> azure"));
  EXPECT_EQ(show("bridge", kA)["tenant"], "t");
}

TEST_F(ApplyById, WhatTheIdNamesIsNotFoundByItsName) {
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", kA}).code, 0);
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", kB}).code, 0);
  const Outcome done = apply("bridges: [{id: %a, tenant: one}, {name: blue, tenant: two}]\n");
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(show("bridge", kA)["tenant"], "one");
  EXPECT_EQ(show("bridge", kB)["tenant"], "two");
}

TEST_F(ApplyById, OthersMayNameItByItsId) {
  is_done(R"(
chains: [{id: %a, name: none, rules: [{drop: true}]}, {name: web, rules: [{jump: %a, action: jump}]}]
bridges: [{id: %b, name: twin}, {id: %c, name: twin, inbound-filter: %a}]
ports: [{name: p, bridge: %c}]
)");
  EXPECT_EQ(show("port", "p")["bridge"], kC);
  EXPECT_EQ(show("bridge", kC)["inbound_filter"], kA);
}

TEST_F(ApplyById, RoutesThatAreAboutTheSame) {
  const std::string routes = R"(
routers:
  - name: r
    routes: [{id: %a, to: 10.0.0.0/8, reject: true, weight: 1}, {id: %b, to: 10.0.0.0/8, reject: true, weight: 2}]
)";
  is_done(routes);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::route), 2U);
  EXPECT_EQ(apply("routers: [{name: r, routes: [{id: %b, to: 11.0.0.0/8, reject: true}]}]\n").code, 0);
  EXPECT_EQ(show("route", kB)["destination"], "11.0.0.0/8") << "an id beats what the route is about";
  EXPECT_EQ(show("route", kB)["weight"], 2) << "what is not named stays";
}

TEST_F(ApplyById, RulesAreWhatTheFileSays) {
  is_done("chains: [{name: c, rules: [{id: %a, ip-proto: tcp, l4-dst: 80, drop: true}]}]\n");
  is_done("chains: [{name: c, rules: [{id: %a, position: 30, ip-src: 10.0.0.0/8}]}]\n");
  const Json rule = show("rule", kA);
  EXPECT_EQ(rule["position"], 30);
  EXPECT_EQ(rule["action"], "accept");
  EXPECT_FALSE(rule.contains("l4_dst"));
}

TEST_F(ApplyById, PruneKeepsWhatTheIdNames) {
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", kA}).code, 0);
  ASSERT_EQ(tool({"bridge", "create", "blue", "--id", kB}).code, 0);
  const Outcome pruned = apply("bridges: [{id: %b, name: blue}]\n", {"--prune", "--yes"});
  EXPECT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 1U);
  EXPECT_EQ(show("bridge", kB)["name"], "blue");
}

TEST_F(ApplyById, IdsThatCannotBe) {
  EXPECT_THAT(apply("bridges: [{id: %a, name: x}, {id: %a, name: y}]\n").err, HasSubstr("stands twice in the file"));
  ASSERT_EQ(tool({"router", "create", "r", "--id", kC}).code, 0);
  EXPECT_THAT(apply("bridges: [{id: %c, name: x}]\n").err, HasSubstr("is that of a router, not of a bridge"));
  EXPECT_THAT(apply("bridges: [{name: x}]\nports: [{name: p, bridge: %c}]\n").err, HasSubstr("there is no bridge"));
}

}  // namespace
}  // namespace viaduct::api::cli
