// Chains, rules, groups and load balancers against a daemon with the real rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct RuleCommands : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  void done(std::vector<std::string> arguments) {
    const Outcome outcome = tool(std::move(arguments));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
  }
  void create_rule(std::vector<std::string> fields) {
    fields.insert(fields.begin(), {"rule", "create"});
    done(std::move(fields));
  }
  // In the order of their positions.
  std::vector<topology::Rule> rules() {
    std::map<uint32_t, topology::Rule> by_position;
    const auto snapshot = daemon.snapshot();
    snapshot.for_each(topology::Kind::rule, [&](const topology::Object& object) {
      const auto& rule = std::get<topology::Rule>(object);
      by_position.emplace(rule.position, rule);
    });
    std::vector<topology::Rule> out;
    for (const auto& [position, rule] : by_position) out.push_back(rule);
    return out;
  }
  Json rule_json(size_t index) { return tool({"rule", "show", rules().at(index).id.to_string(), "--json"}).json(); }
};

TEST_F(RuleCommands, AFirewallByHand) {
  done({"chain", "create", "web", "--tenant", "acme"});
  done({"bridge", "create", "blue"});
  done({"port", "create", "p1", "--bridge", "blue"});
  create_rule({"--chain", "web", "--ip-proto", "tcp", "--l4-dst", "80", "--action", "accept"});
  create_rule({"--chain", "web", "--not-ip-src", "10.0.0.0/8", "--drop"});
  done({"port", "set", "p1", "--inbound-filter", "web"});
  const auto made = rules();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].position, 10U);
  EXPECT_EQ(made[0].condition.ip_proto.value, 6);
  EXPECT_EQ(made[0].condition.l4_dst.value, (topology::PortRange{80, 80}));
  EXPECT_EQ(made[0].condition.fragments, topology::FragmentPolicy::header) << "what has ports";
  EXPECT_EQ(made[1].position, 20U);
  EXPECT_TRUE(made[1].condition.ip_src.inverted);
  EXPECT_EQ(made[1].condition.ip_src.value, IpPrefix::parse("10.0.0.0/8"));
  EXPECT_EQ(made[1].condition.fragments, topology::FragmentPolicy::any);
  EXPECT_EQ(made[1].action, topology::RuleAction::drop);

  const Outcome list = tool({"rule", "list", "--chain", "web"});
  EXPECT_THAT(list.out,
              AllOf(HasSubstr("CHAIN  POSITION  MATCH"), HasSubstr("ip-proto tcp; l4-dst 80; fragments header"),
                    HasSubstr("not-ip-src 10.0.0.0/8")));
  EXPECT_LT(list.out.find("l4-dst"), list.out.find("not-ip-src"));
  const Outcome show = tool({"chain", "show", "web"});
  EXPECT_THAT(show.out, HasSubstr("\nrules:\nPOSITION  MATCH"));
  EXPECT_THAT(tool({"port", "show", "p1"}).out, HasSubstr("inbound_filter  web"));
}

TEST_F(RuleCommands, JsonHasWhatIsAskedFor) {
  done({"chain", "create", "web"});
  done({"ip-group", "create", "partners"});
  done({"ip-group-address", "create", "--group", "partners", "--ip", "198.51.100.0/24"});
  create_rule({"--chain", "web", "--not-ip-src-group", "partners", "--eth-type", "ipv4", "--reject"});
  const Json json = rule_json(0);
  EXPECT_EQ(json["chain_name"], "web");
  EXPECT_EQ(json["position"], 10);
  EXPECT_EQ(json["not_ip_src_group_name"], "partners");
  EXPECT_EQ(json["eth_type"], "ipv4");
  EXPECT_EQ(json["action"], "reject");
  EXPECT_FALSE(json.contains("ip_src_group"));
  EXPECT_FALSE(json.contains("ip_src"));
}

TEST_F(RuleCommands, SettingTheOppositeReplacesAMatch) {
  done({"chain", "create", "web"});
  create_rule({"--chain", "web", "--ip-src", "10.0.0.0/8", "--in-port", "none"});
  const std::string id = rules()[0].id.to_string();
  done({"rule", "set", id, "--not-ip-src", "10.1.0.0/16"});
  EXPECT_TRUE(rules()[0].condition.ip_src.inverted);
  EXPECT_EQ(rules()[0].condition.ip_src.value, IpPrefix::parse("10.1.0.0/16"));
  done({"rule", "set", id, "--not-ip-src", "none", "--ip-proto", "udp", "--l4-dst", "53"});
  EXPECT_EQ(rules()[0].condition.ip_src.value, std::nullopt);
  EXPECT_EQ(rules()[0].condition.fragments, topology::FragmentPolicy::header);
  EXPECT_EQ(rules()[0].position, 10U);
}

TEST_F(RuleCommands, PortsGroupsJumpsAndTraversedDevices) {
  done({"chain", "create", "web"});
  done({"chain", "create", "common"});
  done({"router", "create", "r1"});
  for (const char* port : {"p1", "p2"}) done({"port", "create", port, "--router", "r1"});
  done({"port-group", "create", "uplinks", "--stateful", "true"});
  done({"port-group-port", "create", "--group", "uplinks", "--port", "p1"});
  create_rule({"--chain", "web", "--in-port", "p1", "--in-port", "p2", "--not-out-port", "p1", "--jump", "common"});
  create_rule({"--chain", "web", "--port-group", "uplinks", "--traversed", "r1", "--return"});
  const Json json = rule_json(0);
  EXPECT_EQ(json["in_ports_names"], (Json{"p1", "p2"}));
  EXPECT_EQ(json["not_out_ports_names"], (Json{"p1"}));
  EXPECT_EQ(json["action"], "jump");
  EXPECT_EQ(json["jump_name"], "common");
  EXPECT_EQ(rule_json(1)["traversed_device_name"], "r1");
  EXPECT_THAT(tool({"rule", "list"}).out, HasSubstr("port-group uplinks; traversed r1"));
  const Outcome refused = tool({"port-group", "delete", "uplinks"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("still_referenced"));
}

TEST_F(RuleCommands, Nat) {
  done({"chain", "create", "edge"});
  create_rule({"--chain", "edge", "--nat", "snat", "--target", "203.0.113.1-203.0.113.9:1024-65535"});
  create_rule({"--chain", "edge", "--ip-src", "fd00:1::/48", "--snat", "--target", "2001:db8:1::/48"});
  create_rule({"--chain", "edge", "--ip-proto", "tcp", "--l4-dst", "443", "--dnat", "--target", "10.0.0.7:8443",
               "--target", "10.0.0.8:8443"});
  create_rule({"--chain", "edge", "--reverse-snat"});
  const auto made = rules();
  ASSERT_EQ(made.size(), 4U);
  EXPECT_EQ(made[0].targets[0],
            (topology::NatTarget{*IpAddress::parse("203.0.113.1"), *IpAddress::parse("203.0.113.9"), 1024, 65535, 0}));
  EXPECT_EQ(made[0].condition.fragments, topology::FragmentPolicy::unfragmented);
  EXPECT_EQ(made[1].targets[0].prefix_length, 48);
  EXPECT_EQ(made[1].condition.fragments, topology::FragmentPolicy::any) << "nothing has ports";
  EXPECT_EQ(made[2].targets.size(), 2U);
  EXPECT_EQ(made[3].nat, topology::NatKind::reverse_snat);
  EXPECT_THAT(tool({"rule", "list"}).out,
              AllOf(HasSubstr("203.0.113.1-203.0.113.9:1024-65535"), HasSubstr("10.0.0.7:8443, 10.0.0.8:8443")));
}

TEST_F(RuleCommands, RefusalsSayWhatToDo) {
  done({"chain", "create", "web"});
  const Outcome ports = tool({"rule", "create", "--chain", "web", "--ip-proto", "gre", "--l4-dst", "80"});
  EXPECT_EQ(ports.code, 1);
  EXPECT_THAT(ports.err, AllOf(HasSubstr("l4_without_protocol"), HasSubstr("cure: Make ip_proto one of")));
  done({"rule", "create", "--chain", "web", "--l4-dst", "80"});
  const Outcome target = tool({"rule", "create", "--chain", "web", "--snat", "--target", "10.0.0.1-10.0.0.9"});
  EXPECT_THAT(target.err, HasSubstr("as in :1024-65535"));
  const Outcome any =
      tool({"rule", "create", "--chain", "web", "--ip-proto", "tcp", "--l4-dst", "80", "--fragments", "any"});
  EXPECT_THAT(any.err, HasSubstr("fragments_without_ports")) << "what was given is not changed";
  EXPECT_EQ(tool({"rule", "create", "--chain", "web", "--l4-dst", "http"}).code, 2);
}

TEST_F(RuleCommands, ALoadBalancer) {
  done({"router", "create", "r1"});
  done({"port", "create", "up", "--router", "r1", "--address", "203.0.113.1/24"});
  done({"load-balancer", "create", "front"});
  done({"router", "set", "r1", "--load-balancer", "front"});
  done({"health-monitor", "create", "site", "--type", "http", "--http-path", "/ok", "--delay", "10"});
  done({"pool", "create", "web", "--load-balancer", "front", "--health-monitor", "site"});
  done({"pool-member", "create", "--pool", "web", "--ip", "10.0.1.10", "--port", "8080", "--weight", "3"});
  done({"vip", "create", "www", "--pool", "web", "--ip", "203.0.113.10", "--port", "80", "--sticky", "true"});
  EXPECT_THAT(tool({"pool", "show", "web"}).out, AllOf(HasSubstr("\nvips:\nNAME  ADDRESS       PORT  STICKY"),
                                                       HasSubstr("\npool-members:\nADDRESS    PORT  WEIGHT")));
  EXPECT_THAT(tool({"load-balancer", "show", "front"}).out, AllOf(HasSubstr("\nrouters:\n"), HasSubstr("\npools:\n")));
  EXPECT_EQ(tool({"vip", "create", "v6", "--pool", "web", "--ip", "2001:db8::1", "--port", "80"}).code, 1);
  const Json monitor = tool({"health-monitor", "show", "site", "--json"}).json();
  EXPECT_EQ(monitor["http_status"], 200);
  EXPECT_EQ(monitor["timeout"], 5);
}

// --- apply -----------------------------------------------------------------------------------------

constexpr const char* kPolicy = R"(
routers:
  - name: r1
    outbound-filter: edge
    load-balancer: front
    ports:
      - {name: up, addresses: [203.0.113.1/24], inbound-filter: web}
chains:
  - name: web
    rules:
      - {ip-proto: tcp, l4-dst: 80}
      - {in-port: [up], not-ip-src-group: partners, drop: true}
      - {jump: common}
  - {name: common}
  - name: edge
    rules:
      - {position: 5, snat: true, target: ["203.0.113.1:1024-65535"]}
ip-groups:
  - name: partners
    ip-group-addresses: [{ip: 198.51.100.0/24}]
load-balancers:
  - name: front
    pools:
      - name: web
        health-monitor: ping
        pool-members: [{ip: 10.0.1.10, port: 8080}]
        vips: [{name: www, ip: 203.0.113.10, port: 80}]
health-monitors:
  - {name: ping, type: icmp}
)";

TEST_F(RuleCommands, ApplyTakesThemByName) {
  tool.input = kPolicy;
  const Outcome first = tool({"apply", "-f", "-", "--yes"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("  + rule 10 of chain web\n"), HasSubstr("      not_ip_src_group: partners\n"),
                               HasSubstr("  + rule 5 of chain edge\n"), HasSubstr("  + vip www of pool web\n")));
  const auto snapshot = daemon.snapshot();
  EXPECT_EQ(snapshot.count(topology::Kind::rule), 4U);
  EXPECT_EQ(snapshot.count(topology::Kind::vip), 1U);
  EXPECT_THAT(tool({"apply", "-f", "-", "--yes"}).out, HasSubstr("nothing to do"));
}

// The second rule goes, and the third takes its position: nothing of the second stays in it.
TEST_F(RuleCommands, ARuleOfAFileIsWhatTheFileSays) {
  done({"chain", "create", "web"});
  tool.input =
      "chains: [{name: web, rules: [{ip-proto: tcp, l4-dst: 80}, {ip-src: 10.0.0.0/8, drop: true}, {action: accept}]}]";
  ASSERT_EQ(tool({"apply", "-f", "-", "--yes"}).code, 0);
  tool.input = "chains: [{name: web, rules: [{ip-proto: tcp, l4-dst: 80}, {action: accept}]}]";
  const Outcome outcome = tool({"apply", "-f", "-", "--yes", "--prune"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("  ~ rule 20 of chain web\n"), HasSubstr("      ip_src: 10.0.0.0/8 -> none\n"),
                    HasSubstr("  - rule 30 of chain web"), Not(HasSubstr("rule 10"))));
  ASSERT_EQ(rules().size(), 2U);
  EXPECT_EQ(rules()[1].condition, topology::Condition{});
  EXPECT_EQ(rules()[1].action, topology::RuleAction::accept);
}

TEST_F(RuleCommands, RulesOfAFileNeedAPlace) {
  done({"chain", "create", "web"});
  tool.input = "rules: [{chain: web, drop: true}]";
  const Outcome outcome = tool({"apply", "-f", "-", "--yes"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("this rule has no position"));
}

}  // namespace
}  // namespace viaduct::api::cli
