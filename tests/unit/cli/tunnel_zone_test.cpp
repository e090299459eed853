// Tunnel zones and hosts, as an operator sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli/fake_daemon.hpp"
#include "topology/codec.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// underlay: node-1 (192.0.2.1)      bridge blue: vm1, bound to node-1
struct TunnelZones : testing::Test {
  FakeDaemon daemon;
  Tool tool{daemon};

  TunnelZones() {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{"host", "create", "node-2"},
                                               {"bridge", "create", "blue"},
                                               {"port", "create", "vm1", "--bridge", "blue"},
                                               {"bind", "vm1", "tap1"},
                                               {"tunnel-zone", "create", "underlay"},
                                               {"tunnel-zone", "add-host", "underlay", "node-1", "192.0.2.1"}})
      EXPECT_EQ(tool(arguments).code, 0) << testing::PrintToString(arguments);
  }
};

TEST_F(TunnelZones, HostsHaveInterfaces) {
  const HostId node = HostId(Uuid::parse(FakeDaemon::kHostId).value());
  daemon.answer(schema::AdminRequest::FACTS, [&](schema::AdminRequest::Reader request, auto reply) {
    const Uuid asked = topology::decode(request.getFacts().getDevice());
    auto facts = reply.initFacts();
    if (!asked.is_nil() && asked != node.uuid()) return;
    const topology::HostInterface eth{"eth0", *MacAddress::parse("02:00:00:00:00:07"), 9'000, "", true,
                                      false,  {*IpAddress::parse("192.0.2.1")}};
    topology::encode(topology::StateEntry{node, node.uuid(), 0, eth}, facts.initEntries(1)[0]);
  });
  EXPECT_THAT(tool({"host", "interfaces"}).out,
              AllOf(HasSubstr("node-1"), HasSubstr("device"), HasSubstr("no carrier"), HasSubstr("192.0.2.1")));
  const Json one = tool({"host", "interfaces", "node-1", "--json"}).json();
  EXPECT_EQ(one, Json::parse(R"([{"host": "node-1", "name": "eth0", "mac": "02:00:00:00:00:07", "mtu": 9000, "kind": "",
                                  "state": "no carrier", "addresses": ["192.0.2.1"]}])"));
  EXPECT_THAT(tool({"host", "interfaces", "node-2"}).out, HasSubstr("no interfaces are known of host node-2"));
  EXPECT_EQ(tool({"host", "interfaces", "node-3"}).code, 1);
}

TEST_F(TunnelZones, AreOfATypeAndHaveAName) {
  EXPECT_EQ(tool({"tunnel-zone", "show", "underlay", "--json"}).json()["type"], "vxlan");
  ASSERT_EQ(tool({"tunnel-zone", "create", "rack", "--gre"}).code, 0);
  EXPECT_EQ(tool({"tunnel-zone", "show", "rack", "--json"}).json()["type"], "gre");
  ASSERT_EQ(tool({"tunnel-zone", "set", "rack", "--type", "vxlan"}).code, 0);
  EXPECT_THAT(tool({"tunnel-zone", "create", "rack"}).err, HasSubstr("duplicate_name"));
  EXPECT_EQ(tool({"tunnel-zone", "create", "moon", "--type", "geneve"}).code, 2);
  Outcome fixed = tool({"tunnel-zone", "set", "underlay", "--type", "gre"});
  EXPECT_EQ(fixed.code, 1);
  EXPECT_THAT(fixed.err, AllOf(HasSubstr("tunnel_type_in_use"), HasSubstr("It has 1 host")));
}

TEST_F(TunnelZones, HostsJoinAndLeave) {
  ASSERT_EQ(tool({"tunnel-zone", "add-host", "underlay", "node-2", "192.0.2.2", "--wait"}).code, 0);
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::tunnel_zone_host), 2U);
  EXPECT_THAT(tool({"tunnel-zone", "add-host", "underlay", "node-2", "192.0.2.3"}).err,
              AllOf(HasSubstr("host_already_in_zone"), HasSubstr("host node-2 is in tunnel-zone underlay already")));
  ASSERT_EQ(tool({"tunnel-zone", "remove-host", "underlay", "node-2"}).code, 0);
  Outcome again = tool({"tunnel-zone", "remove-host", "underlay", "node-2"});
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(again.err,
            "viaduct: host node-2 is not in tunnel-zone underlay\n"
            "  cure: viaduct tunnel-zone show underlay lists the hosts that are\n");
  EXPECT_THAT(tool({"tunnel-zone", "remove-host", "moon", "node-2"}).err, HasSubstr("there is no tunnel-zone 'moon'"));
}

TEST_F(TunnelZones, AddressesThatNobodyReachesAreRefused) {
  EXPECT_EQ(tool({"tunnel-zone", "add-host", "underlay", "node-2", "192.0.2.2/24"}).code, 2);
  EXPECT_THAT(tool({"tunnel-zone", "add-host", "underlay", "node-2", "192.0.2.1"}).err,
              HasSubstr("192.0.2.1 is that of host node-1 in this zone too"));
  EXPECT_THAT(tool({"tunnel-zone", "add-host", "underlay", "node-2", "127.0.0.1"}).err,
              HasSubstr("a loopback address"));
  EXPECT_THAT(tool({"tunnel-zone", "add-host", "underlay", "node-2", "2001:db8::2"}).err,
              HasSubstr("the zone has hosts with IPv4 addresses"));
}

TEST_F(TunnelZones, ShowListsTheHosts) {
  Outcome show = tool({"tunnel-zone", "show", "underlay"});
  EXPECT_THAT(show.out, HasSubstr("\ntunnel-zone-hosts:\nHOST    ADDRESS    ID\nnode-1  192.0.2.1  "));
  Json json = tool({"tunnel-zone", "show", "underlay", "--json"}).json();
  ASSERT_EQ(json["tunnel_zone_hosts"].size(), 1U);
  EXPECT_EQ(json["tunnel_zone_hosts"][0]["host_name"], "node-1");
  EXPECT_EQ(json["tunnel_zone_hosts"][0]["address"], "192.0.2.1");
}

TEST_F(TunnelZones, AHostShowsItsZonesAndPorts) {
  Outcome show = tool({"host", "show", "node-1"});
  EXPECT_THAT(show.out, HasSubstr("\ntunnel-zone-hosts:\nZONE      ADDRESS    ID\nunderlay  192.0.2.1  "));
  EXPECT_THAT(
      show.out,
      HasSubstr("\nports:\nNAME  BRIDGE  ADMIN UP  INTERFACE  MTU  ID\nvm1   blue    true      tap1         0  "));
  Json json = tool({"host", "show", "node-1", "--json"}).json();
  EXPECT_EQ(json["tunnel_zone_hosts"][0]["zone_name"], "underlay");
  EXPECT_EQ(json["ports"][0]["name"], "vm1");
  EXPECT_THAT(tool({"host", "show", "node-2"}).out, HasSubstr("\ntunnel-zone-hosts: none\n\nports: none\n"));
  EXPECT_THAT(tool({"host", "list"}).out, AllOf(HasSubstr("node-1"), HasSubstr("node-2")));
}

// One look-up for what is shown with it, whatever else there is.
TEST_F(TunnelZones, ShowAsksOnlyForWhatNamesTheObject) {
  ASSERT_EQ(tool({"tunnel-zone", "show", "underlay"}).code, 0);
  EXPECT_THAT(daemon.requests(), testing::Contains(AllOf(HasSubstr("tunnelZoneHost"), HasSubstr("naming"))));
}

TEST_F(TunnelZones, AnOldDaemonThatSendsTooMuchIsUnderstood) {
  ASSERT_EQ(tool({"tunnel-zone", "create", "rack", "--gre"}).code, 0);
  ASSERT_EQ(tool({"tunnel-zone", "add-host", "rack", "node-2", "192.0.2.9"}).code, 0);
  daemon.ignore_naming();
  EXPECT_THAT(tool({"tunnel-zone", "show", "rack"}).out, AllOf(HasSubstr("node-2"), Not(HasSubstr("node-1"))));
}

TEST_F(TunnelZones, AHostThatIsGoneIsDeletedWithItsMemberships) {
  Outcome bound = tool({"host", "delete", "node-1"});
  EXPECT_EQ(bound.code, 1);
  EXPECT_THAT(bound.err, AllOf(HasSubstr("port vm1"), HasSubstr("Unbind these ports first")));
  ASSERT_EQ(tool({"unbind", "vm1"}).code, 0);
  Outcome gone = tool({"host", "delete", "node-1"});
  EXPECT_EQ(gone.code, 0) << gone.err;
  EXPECT_THAT(gone.out, AllOf(HasSubstr("deleted: tunnel-zone-host"), HasSubstr("(cascade from host node-1)")));
}

TEST_F(TunnelZones, DeletingAZoneTakesItsHostsOut) {
  EXPECT_THAT(tool({"tunnel-zone", "delete", "underlay"}).out, HasSubstr("(cascade from tunnel-zone underlay)"));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::host), 2U);
}

TEST_F(TunnelZones, AreAppliedFromAFile) {
  const std::string yaml = R"(
hosts: [{name: node-3}]
tunnel-zones:
  - name: underlay
    tunnel_zone_hosts:
      - {host: node-1, ip: 192.0.2.11}
      - {host: node-3, ip: 192.0.2.13}
  - {name: six, type: gre}
tunnel-zone-hosts:
  - {zone: six, host: node-3, address: "2001:db8::13"}
)";
  tool.input = yaml;
  Outcome first = tool({"apply", "-f", "-"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("  ~ tunnel-zone-host node-1 of tunnel-zone underlay\n"
                                   "      address: 192.0.2.1 -> 192.0.2.11\n"));
  EXPECT_THAT(first.out, HasSubstr("  + tunnel-zone-host node-3 of tunnel-zone six\n"));
  EXPECT_EQ(tool({"apply", "-f", "-"}).out, "nothing to do: the topology is as the file says\n");
  tool.input = "tunnel-zones: [{name: underlay, tunnel-zone-hosts: [{host: node-3, ip: 192.0.2.13}]}]\n";
  Outcome pruned = tool({"apply", "-f", "-", "--prune", "--yes"});
  ASSERT_EQ(pruned.code, 0) << pruned.err;
  EXPECT_THAT(pruned.out, AllOf(HasSubstr("  - tunnel-zone-host node-1 of tunnel-zone underlay\n"),
                                HasSubstr("  - tunnel-zone six\n"),
                                HasSubstr("  - tunnel-zone-host node-3 of tunnel-zone six (with tunnel-zone six)\n")));
  EXPECT_EQ(daemon.snapshot().count(topology::Kind::tunnel_zone_host), 1U);
}

}  // namespace
}  // namespace viaduct::api::cli
