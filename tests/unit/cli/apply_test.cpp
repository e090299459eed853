// apply against a daemon with the real rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kExample = CLI_SOURCE_DIR "/examples/two-bridges.yaml";

struct Apply : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  Outcome apply(const std::string& yaml, std::vector<std::string> more = {}) {
    Tool with_input = tool;
    with_input.input = yaml;
    std::vector<std::string> arguments = {"apply", "-f", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return with_input(arguments);
  }
  Json port(const std::string& name) { return tool({"port", "show", name, "--json"}).json(); }
};

TEST_F(Apply, TheExampleIsAcceptedAndTwiceChangesNothing) {
  Outcome first = tool({"apply", "-f", kExample, "--wait"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("  + bridge blue\n"));
  EXPECT_THAT(first.out, HasSubstr("  + port vm1 of bridge blue\n"));
  EXPECT_THAT(first.out, HasSubstr("      host: node-1\n      interface: vt-vm1\n"));
  EXPECT_THAT(first.out, HasSubstr("plan: 11 to create, 0 to update, 0 to delete\nrevision 2, applied\n"));
  EXPECT_EQ(port("blue-r1")["peer_name"], "r1-blue");
  EXPECT_EQ(port("r1-blue")["peer_name"], "blue-r1");
  EXPECT_EQ(port("vm4")["interface"], "vt-vm4");

  size_t asked = daemon.requests().size();
  Outcome again = tool({"apply", "-f", kExample});
  EXPECT_EQ(again.code, 0);
  EXPECT_EQ(again.out, "nothing to do: the topology is as the file says\n");
  for (size_t i = asked; i < daemon.requests().size(); ++i)
    EXPECT_THAT(daemon.requests()[i], Not(HasSubstr("transact")));
}

TEST_F(Apply, UpdatesSayFromWhatToWhat) {
  ASSERT_EQ(tool({"apply", "-f", kExample}).code, 0);
  Outcome change = apply("routers: [{name: r1, ports: [{name: r1-blue, mtu: 1400}]}]\n");
  ASSERT_EQ(change.code, 0) << change.err;
  EXPECT_EQ(change.out,
            "  ~ port r1-blue of router r1\n"
            "      mtu: 1500 -> 1400\n"
            "plan: 0 to create, 1 to update, 0 to delete\n"
            "revision 3\n");
  EXPECT_EQ(port("r1-blue")["addresses"].size(), 2U) << "what is not named stays";
  EXPECT_EQ(port("r1-blue")["peer_name"], "blue-r1");
}

TEST_F(Apply, RoutesAndStaticEntriesAreKnownByWhatTheyAreAbout) {
  const std::string yaml = R"(
bridges:
  - name: blue
    ports: [{name: vm1}]
    static-macs: [{mac: "02:00:00:00:00:01", port: vm1}]
    static_neighbours: [{ip: 10.0.1.10, mac: "02:00:00:00:00:01"}]
routers:
  - name: r1
    ports: [{name: up, addresses: [192.0.2.2/24]}]
    routes:
      - {to: 0.0.0.0/0, via: 192.0.2.1, port: up, weight: 10}
      - {to: 10.9.0.0/16, blackhole: true}
)";
  ASSERT_EQ(apply(yaml).code, 0);
  EXPECT_EQ(apply(yaml).out, "nothing to do: the topology is as the file says\n");
  std::string heavier = yaml;
  heavier.replace(heavier.find("weight: 10"), 10, "weight: 20");
  EXPECT_EQ(apply(heavier).out,
            "  ~ route 0.0.0.0/0 port up via 192.0.2.1 of router r1\n"
            "      weight: 10 -> 20\n"
            "plan: 0 to create, 1 to update, 0 to delete\n"
            "revision 3\n");
}

TEST_F(Apply, PruneDeletesWhatTheFileLeavesOut) {
  ASSERT_EQ(tool({"apply", "-f", kExample}).code, 0);
  const std::string blue = "bridges: [{name: blue, ports: [{name: vm1}, {name: blue-r1}]}]\n";
  EXPECT_EQ(apply(blue).out, "nothing to do: the topology is as the file says\n") << "without --prune nothing goes";
  Outcome asked = apply(blue, {"--prune"});
  EXPECT_EQ(asked.code, 2) << "nobody to ask";
  EXPECT_THAT(asked.err, HasSubstr("--yes"));
  Outcome pruned = apply(blue, {"--prune", "--yes"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_THAT(pruned.out, HasSubstr("  - router r1\n"));
  EXPECT_THAT(pruned.out, HasSubstr("  - port r1-blue of router r1 (with router r1)\n"));
  EXPECT_THAT(pruned.out, HasSubstr("  - port vm2 of bridge blue\n"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::port), 2U);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::host), 1U) << "hosts are kept";
  EXPECT_TRUE(port("blue-r1")["peer"].is_null());
  EXPECT_EQ(apply(blue, {"--prune", "--yes"}).out, "nothing to do: the topology is as the file says\n");
}

TEST_F(Apply, DryRunLetsTheDaemonJudge) {
  Outcome dry = tool({"apply", "-f", kExample, "--dry-run"});
  EXPECT_EQ(dry.code, 0);
  EXPECT_THAT(dry.out, HasSubstr("nothing was committed"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 0U);
  Outcome refused = apply(
      "routers: [{name: r1, ports: [{name: a, addresses: [10.0.0.1/24]}, {name: b, addresses: [10.0.0.130/25]}]}]\n",
      {"--dry-run"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("subnets_overlap"));
}

TEST_F(Apply, AsksOnATerminal) {
  tool.terminal = Terminal::interactive;
  tool.input = "n\n";
  Outcome no = tool({"apply", "-f", kExample});
  EXPECT_EQ(no.code, 1);
  EXPECT_THAT(no.out, HasSubstr("apply? [y/N]"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 0U);
  tool.input = "y\n";
  EXPECT_EQ(tool({"apply", "-f", kExample}).code, 0);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 2U);
  tool.input = "";
  EXPECT_EQ(tool({"apply", "-f", kExample, "--yes"}).code, 0);
}

TEST_F(Apply, HoldsNoConnectionWhileItAsks) {
  tool.terminal = Terminal::interactive;
  tool.input = "y\n";
  ASSERT_EQ(tool({"apply", "-f", kExample}).code, 0);
  EXPECT_EQ(daemon.connections(), 2) << "one for the plan, one for the change";
  ASSERT_EQ(tool({"apply", "-f", kExample}).code, 0);
  EXPECT_EQ(daemon.connections(), 3) << "nothing to ask";
}

TEST_F(Apply, PlanInJson) {
  Json first = tool({"apply", "-f", kExample, "--json"}).json();
  EXPECT_EQ(first["plan"][0]["action"], "create");
  EXPECT_EQ(first["plan"][0]["kind"], "bridge");
  EXPECT_EQ(first["plan"][0]["name"], "blue");
  EXPECT_EQ(first["committed"]["revision"], 2);
  Json second = tool({"apply", "-f", kExample, "--json"}).json();
  EXPECT_EQ(second["plan"], Json::array());
  EXPECT_EQ(second["committed"], nullptr);
}

TEST_F(Apply, LinksMayBeMovedAndUndone) {
  ASSERT_EQ(tool({"apply", "-f", kExample}).code, 0);
  Outcome moved = apply(R"(
bridges:
  - name: blue
    ports: [{name: blue-r1, admin-up: false}, {name: blue-new, peer: r1-blue}]
)");
  EXPECT_EQ(moved.code, 1) << "a link is not taken away unsaid";
  Outcome undone = apply("routers: [{name: r1, ports: [{name: r1-blue, peer: none}]}]\n");
  ASSERT_EQ(undone.code, 0) << undone.err;
  EXPECT_TRUE(port("blue-r1")["peer"].is_null());
}

TEST_F(Apply, BothEndsOfALinkMustAgree) {
  Outcome torn = apply(R"(
bridges:
  - name: b
    ports: [{name: p, peer: q}]
routers:
  - name: r
    ports: [{name: q, peer: s}, {name: s}]
)");
  EXPECT_EQ(torn.code, 2);
  EXPECT_THAT(torn.err, HasSubstr("but that one names another"));
}

TEST_F(Apply, ComplaintsNameTheLine) {
  EXPECT_THAT(apply("bridges:\n  - name: b\n    ports:\n      - {name: p, mtu: huge}\n").err,
              HasSubstr("(standard input):4:19: --mtu: 'huge' is not a number"));
  EXPECT_THAT(apply("routes:\n  - {router: nope, to: 10.0.0.0/8, reject: true}\n").err,
              HasSubstr(":2:6: route: there is no router 'nope'"));
  EXPECT_THAT(apply("bridges:\n  - name: b\n  - name: b\n").err, HasSubstr(":3:5: this bridge is described twice"));
  EXPECT_THAT(apply("routers: [{name: r, routes: [{via: 10.0.0.1}]}]\n").err, HasSubstr("this route has no to"));
  EXPECT_EQ(apply("nonsense: 1\n").code, 2);
  EXPECT_EQ(tool({"apply", "-f", "/no/such/file.yaml"}).code, 2);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::bridge), 0U);
}

TEST_F(Apply, AmbiguousLiveNamesAreListed) {
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  ASSERT_EQ(tool({"bridge", "create", "blue"}).code, 0);
  Outcome ambiguous = apply("bridges: [{name: blue}]\n");
  EXPECT_EQ(ambiguous.code, 2);
  EXPECT_THAT(ambiguous.err, HasSubstr("2 bridges of the topology are called 'blue'"));
  EXPECT_THAT(ambiguous.err, HasSubstr("say which is meant (id: UUID)"));
}

}  // namespace
}  // namespace viaduct::api::cli
