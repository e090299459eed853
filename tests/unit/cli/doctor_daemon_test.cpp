// What the doctor says of a daemon, by its status; and the command as a whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/cli/doctor/daemon_checks.hpp"
#include "tests/unit/cli/fake_daemon.hpp"
#include "tests/unit/cli/fake_host.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Json actor(const char* state, int restarts, int mailbox, const char* error = "") {
  return {{"name", "devices"}, {"state", state}, {"restarts", restarts}, {"mailbox", mailbox}, {"last_error", error}};
}
Json tunnel(const char* kind, const char* source, int mtu, const char* state = "up", double loss = 0) {
  return {{"name", "node-2"}, {"kind", kind},   {"source", source}, {"destination", "192.0.2.2"},
          {"mtu", mtu},       {"state", state}, {"loss", loss}};
}

TEST(DoctorOfDaemon, VersionAndStore) {
  const Json status = {{"version", "1.0"}, {"host_name", "node-1"}, {"up_seconds", 61.0}};
  expect_check(check_version(status, "1.0"), Verdict::ok, "viaductd 1.0 on node-1, up 1m 1s");
  expect_check(check_version(status, "1.1"), Verdict::warning, "this tool is viaduct 1.1", "one version");
  expect_check(check_store(Done{}), Verdict::ok, "answers");
  expect_check(check_store(Failure{ExitCode::unreachable, "unavailable", "the store restarts", "", {}}),
               Verdict::failed, "the store restarts", "journalctl");
}

TEST(DoctorOfDaemon, Actors) {
  EXPECT_EQ(check_actors({{"actors", Json::array({actor("running", 0, 3)})}, {"unlisted_actors", 2}}).seen,
            "3 run, none was restarted");
  expect_check(check_actors({{"actors", Json::array({actor("running", 2, 0, "no memory")})}}), Verdict::warning,
               "devices was restarted 2 times (no memory)", "journalctl");
  expect_check(check_actors({{"actors", Json::array({actor("running", 0, 1000)})}}), Verdict::warning,
               "devices has 1000 messages to read", "support-bundle");
  expect_check(check_actors({{"actors", Json::array({actor("backoff", 9, 0), actor("running", 1, 0)})}}),
               Verdict::failed, "devices is backoff; devices was restarted", "journalctl");
}

TEST(DoctorOfDaemon, WhatItSaysItself) {
  expect_check(check_problems(Json::object()), Verdict::ok, "none");
  expect_check(check_problems({{"problems", {"one: do this", "two"}}}), Verdict::warning, "one: do this; two",
               "viaduct status");
  expect_check(check_revisions({{"committed_revision", 7}, {"applied_revision", 7}}), Verdict::ok, "revision 7");
  expect_check(check_revisions({{"committed_revision", 8}, {"applied_revision", 7}}), Verdict::warning,
               "8 is committed, 7 applied", "viaduct wait 8");
}

TEST(DoctorOfDaemon, ClusterAndAgents) {
  expect_check(check_cluster(Json::object()), Verdict::skipped, "no agent");
  expect_check(check_cluster({{"cluster", {{"state", "joined"}, {"node", "db-1"}}}}), Verdict::ok, "joined, by db-1");
  expect_check(
      check_cluster(
          {{"cluster", {{"state", "pause"}, {"node", "db-1"}, {"last_error", "refused"}, {"for_seconds", 3.0}}}}),
      Verdict::failed, "pause for 3.0s: refused", "db-1");
  expect_check(check_agents(Json::object()), Verdict::skipped, "no cluster role");
  const auto agents = [](const char* state, int lag) {
    return Json{{"agents", Json::array({{{"name", "node-2"}, {"state", state}, {"lag_revisions", lag}}})}};
  };
  expect_check(check_agents(agents("served", 0)), Verdict::ok, "1 hosts");
  expect_check(check_agents(agents("elsewhere", 5)), Verdict::ok, "1 hosts");
  expect_check(check_agents(agents("served", 5)), Verdict::warning, "node-2 is 5 revisions behind", "viaduct doctor");
  expect_check(check_agents(agents("away", 0)), Verdict::warning, "node-2 is away", "host delete");
}

TEST(DoctorOfDaemon, Ports) {
  const auto port = [](bool active, int lost) {
    return Json{
        {"ports",
         Json::array(
             {{{"name", "vm1"}, {"active", active}, {"reason", "no interface tap1"}, {"upcalls_lost", lost}}})}};
  };
  expect_check(check_ports(port(true, 0)), Verdict::ok, "1 bound here");
  expect_check(check_ports(port(false, 0)), Verdict::warning, "vm1 is not active: no interface tap1", "unbind");
  expect_check(check_ports(port(true, 4)), Verdict::warning, "lost 4 first packets", "datapath.workers");
}

TEST(DoctorOfDaemon, Tunnels) {
  expect_check(check_tunnels(Json::object()), Verdict::skipped, "needs none");
  const auto one = [](const Json& line) { return Json{{"tunnels", Json::array({line})}}; };
  expect_check(check_tunnels(one(tunnel("vxlan", "192.0.2.1", 1450))), Verdict::ok, "1 up");
  expect_check(check_tunnels(one(tunnel("vxlan", "192.0.2.1", 1450, "down"))), Verdict::failed,
               "to node-2 (vxlan 192.0.2.1 > 192.0.2.2) is down", "firewall");
  expect_check(check_tunnels(one(tunnel("vxlan", "192.0.2.1", 1450, "admin_down"))), Verdict::warning, "admin_down",
               "ping");
  expect_check(check_tunnels(one(tunnel("vxlan", "192.0.2.1", 1450, "up", 0.2))), Verdict::warning,
               "loses 20 % of its probes", "network");
}

TEST(DoctorOfDaemon, WhatFitsIntoTunnels) {
  FakeHost host;
  host.all_interfaces = {
      {"lo", 65536, true, {"127.0.0.1"}}, {"eth0", 1550, true, {"192.0.2.1"}}, {"eth1", 1570, true, {"2001:db8::1"}}};
  const auto mtu_check = [&](const Json& line) { return check_tunnel_mtu(host, {{"tunnels", Json::array({line})}}); };
  expect_check(check_tunnel_mtu(host, Json::object()), Verdict::skipped, "no tunnels");
  expect_check(mtu_check(tunnel("vxlan", "192.0.2.1", 1500)), Verdict::ok, "1500 fits");
  expect_check(mtu_check(tunnel("vxlan", "2001:db8::1", 1500)), Verdict::ok, "1500 fits");
  expect_check(mtu_check(tunnel("gre", "192.0.2.1", 1508)), Verdict::ok, "1500 fits");
  expect_check(mtu_check(tunnel("vxlan", "192.0.2.1", 1501)), Verdict::failed,
               "eth0 has MTU 1550, and packets of 1501 bytes need 1551", "underlay.mtu");
  expect_check(mtu_check(tunnel("vxlan", "2001:db8::1", 1501)), Verdict::failed, "need 1571", "underlay.mtu");
  expect_check(mtu_check(tunnel("vxlan", "192.0.2.1", 1450)), Verdict::warning, "at most 1450 bytes fit",
               "to 1550 (eth0 has 1550)");
  expect_check(mtu_check(tunnel("gre", "192.0.2.9", 1450)), Verdict::failed, "no interface has its source 192.0.2.9",
               "tunnel-zone-host set");
}

TEST(DoctorOfDaemon, Bgp) {
  FakeHost host;
  const Json peer = {{"router", "edge"}, {"peer", "192.0.2.9"}, {"state", "Active"}, {"last_error", "refused"}};
  const Json status = {{"bgp", Json::array({peer})}};
  expect_check(check_bgp(Json::object()), Verdict::skipped, "no port");
  expect_check(check_bgp(status), Verdict::warning, "router edge with 192.0.2.9 is Active: refused", "AS numbers");
  Json good = status;
  good["bgp"][0]["state"] = "Established";
  expect_check(check_bgp(good), Verdict::ok, "1 sessions");
  expect_check(check_frr(host, Json::object()), Verdict::skipped, "no port");
  expect_check(check_frr(host, status), Verdict::failed, "/usr/lib/frr/bgpd", "apt-get install frr");
  for (const char* name : {"bgpd", "zebra", "bfdd"}) host.modes["/usr/lib/frr/" + std::string(name)] = {0755, 0};
  expect_check(check_frr(host, status), Verdict::ok, "bgpd");
}

TEST(DoctorCommand, WithoutADaemonSaysSoAndHowToHaveOne) {
  Tool tool;
  tool.address = "127.0.0.1:1";
  tool.token_file = "/no/such/token";
  const Outcome people = tool({"doctor"});
  EXPECT_EQ(people.code, 1);
  EXPECT_EQ(people.err, "");
  EXPECT_THAT(people.out, AllOf(HasSubstr("failed   daemon: cannot read the token file /no/such/token"),
                                HasSubstr("         do: the daemon writes it when it starts"),
                                HasSubstr("skipped  tunnels: the daemon does not answer\n"), HasSubstr(" failed, ")));
  const Outcome json = tool({"doctor", "--json"});
  EXPECT_EQ(json.code, 1);
  const Json report = json.json();
  EXPECT_EQ(report["checks"][0]["name"], "daemon");
  EXPECT_EQ(report["checks"][0]["result"], "failed");
  EXPECT_GE(report["failed"], 2);
  size_t all = 0;
  for (const char* verdict : {"ok", "warning", "failed", "skipped"}) all += report[verdict].get<size_t>();
  EXPECT_EQ(all, report["checks"].size());
}

TEST(DoctorCommand, SaysTheSameChecksWithADaemonAndWithout) {
  FakeDaemon daemon;
  Tool tool(daemon);
  const Json with = tool({"doctor", "--json"}).json();
  EXPECT_EQ(with["checks"][0]["result"], "ok") << with["checks"][0];
  EXPECT_EQ(with["checks"][1]["name"], "store");
  EXPECT_EQ(with["checks"][1]["result"], "ok");
  tool.address = "127.0.0.1:1";
  const Json without = tool({"doctor", "--json"}).json();
  ASSERT_EQ(with["checks"].size(), without["checks"].size());
  std::set<std::string> names, others;
  for (const Json& check : with["checks"]) names.insert(check["name"]);
  for (const Json& check : without["checks"]) others.insert(check["name"]);
  EXPECT_EQ(names, others);
  EXPECT_EQ(names.size(), with["checks"].size()) << "each once";
}

}  // namespace
}  // namespace viaduct::api::cli
