// What MidoNet's own clients and tests send, and expect: over a daemon in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/rest/gateway.hpp"
#include "tests/support/memory_daemon.hpp"

namespace viaduct::api::rest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MidonetClients : public ::testing::Test {
 protected:
  Response ask(Method method, const std::string& path, const Json& body = nullptr) {
    Request request{.method = method, .path = "/midonet-api/" + path, .headers = {}};
    if (!body.is_null()) request.body = body.dump();
    return gateway.answer(request);
  }
  // The path of the new object; empty, unless there is one.
  std::string create(const std::string& where, const Json& body) {
    const Response response = ask(Method::post, where, body);
    EXPECT_EQ(response.status, 201) << where << " " << response.body;
    for (const auto& [name, value] : response.headers) {
      if (name == "Location") return value.substr(value.find("/midonet-api/") + 13);
    }
    return {};
  }
  Json read(const std::string& path) {
    const Response response = ask(Method::get, path);
    EXPECT_EQ(response.status, 200) << path << " " << response.body;
    return response.status == 200 ? Json::parse(response.body) : Json();
  }
  int status(Method method, const std::string& path, const Json& body = nullptr) {
    return ask(method, path, body).status;
  }
  static std::string id(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  std::string router_port(const std::string& router, const std::string& subnet) {
    return create(router + "/ports", {{"type", "Router"}, {"portSubnet", {subnet}}});
  }
  Json route(const std::string& type, const std::string& port, const Json& gateway) const {
    return {{"type", type},
            {"srcNetworkAddr", "0.0.0.0"},
            {"srcNetworkLength", 0},
            {"dstNetworkAddr", "192.0.2.0"},
            {"dstNetworkLength", 24},
            {"nextHopPort", port},
            {"nextHopGateway", gateway}};
  }

  viaduct::support::MemoryDaemon daemon;
  Gateway gateway{{[this](std::chrono::milliseconds) { return Result<std::unique_ptr<Client>>(daemon.connect()); },
                   std::make_shared<OpenAccess>(),
                   {}}};
};

// --- bridges -----------------------------------------------------------------------------------------

TEST_F(MidonetClients, EachVlanHasAMacTable) {
  const std::string bridge = create("bridges", {{"name", "b"}});
  const std::string port = create(bridge + "/ports", {{"type", "Bridge"}});
  const std::string tagged = create(bridge + "/ports", {{"type", "Bridge"}, {"vlanId", 20}});
  const std::string ten = bridge + "/vlans/10/mac_table", plain = bridge + "/mac_table";
  EXPECT_EQ(status(Method::get, ten), 404) << "no such VLAN yet";
  const std::string entry = create(ten, {{"macAddr", "02:00:00:00:00:07"}, {"portId", id(port)}, {"vlanId", 5}});
  EXPECT_EQ(entry, ten + "/02-00-00-00-00-07_" + id(port));
  const std::string untagged = create(plain, {{"macAddr", "02:00:00:00:00:08"}, {"portId", id(port)}});
  ASSERT_EQ(read(ten).size(), 1U);
  EXPECT_EQ(read(ten)[0].at("vlanId"), 10);
  EXPECT_EQ(read(entry), read(ten)[0]);
  EXPECT_EQ(read(plain).size(), 2U);
  EXPECT_EQ(read(bridge + "/vlans/0/mac_table").size(), 1U);
  EXPECT_EQ(read(bridge + "/vlans/20/mac_table").size(), 0U) << "the VLAN of a port";
  EXPECT_EQ(read(bridge + "/vlans/0/mac_table/02-00-00-00-00-08_" + id(port)), read(untagged));
  EXPECT_EQ(status(Method::get, plain + "/02-00-00-00-00-07_" + id(port)), 404) << "VLAN 0";
  EXPECT_EQ(status(Method::post, ten, {{"macAddr", "02:00:00:00:00:09"}, {"portId", id(tagged)}}), 400);
  for (const char* key : {"zz_", "02-00-00-00-00-07_x", "2-0-0-0-0-7_", "02-00-00-00-00-07"}) {
    EXPECT_EQ(status(Method::get, ten + "/" + key + (key[2] == '_' ? id(port) : "")), 400) << key;
  }
  EXPECT_EQ(status(Method::get, bridge + "/arp_table/10.0.0.300_02-00-00-00-00-07"), 400);
  EXPECT_EQ(status(Method::get, bridge + "/arp_table/10.0.0.3_02-00-00-00-00-07"), 404);
  for (const char* vlan : {"4095", "x", "-1", ""}) {
    EXPECT_EQ(status(Method::get, bridge + "/vlans/" + vlan + "/mac_table"), 404) << vlan;
  }
  EXPECT_EQ(status(Method::remove, entry), 204);
  EXPECT_EQ(status(Method::remove, entry), 204);
  EXPECT_EQ(status(Method::get, entry), 404);
}

TEST_F(MidonetClients, MacAddressesMayHaveOneDigitButInTables) {
  const std::string router = create("routers", Json::object()), chain = create("chains", Json::object());
  const std::string port =
      create(router + "/ports", {{"type", "Router"}, {"portAddress", "10.0.0.1"}, {"portMac", "2:0:0:0:0:1"}});
  EXPECT_EQ(read(port).at("portMac"), "02:00:00:00:00:01");
  const std::string rule =
      create(chain + "/rules",
             {{"type", "accept"}, {"dlSrc", "2:0:0:0:A:1"}, {"dlDst", "2:0:0:0:0:0"}, {"dlDstMask", "ffff.0000.0000"}});
  EXPECT_EQ(read(rule).at("dlSrc"), "02:00:00:00:0a:01");
  EXPECT_EQ(read(rule).at("dlDst"), "02:00:00:00:00:00");
  for (const char* wrong : {"2:0:0:0:0", "2:0:0:0:0:", ":0:0:0:0:1", "2:0:0:0:0:100", "2::0:0:0:1"}) {
    EXPECT_EQ(status(Method::post, chain + "/rules", {{"type", "accept"}, {"dlSrc", wrong}}), 400) << wrong;
  }
  const std::string bridge = create("bridges", Json::object());
  EXPECT_EQ(status(Method::post, bridge + "/arp_table", {{"ip", "10.0.0.7"}, {"mac", "2:0:0:0:0:1"}}), 400);
}

// --- rules -------------------------------------------------------------------------------------------

TEST_F(MidonetClients, JumpsAndMetersHaveNames) {
  const std::string chain = create("chains", {{"name", "from"}}), target = create("chains", {{"name", "to"}});
  const std::string rule = create(
      chain + "/rules", {{"type", "jump"}, {"jumpChainId", id(target)}, {"jumpChainName", "to"}, {"meterName", "web"}});
  EXPECT_EQ(read(rule).at("jumpChainName"), "to");
  EXPECT_EQ(read(rule).at("meterName"), "web");
  EXPECT_EQ(read(chain + "/rules")[0], read(rule));
  const std::string plain = create(chain + "/rules", {{"type", "accept"}, {"meterName", nullptr}});
  EXPECT_EQ(read(plain).at("meterName"), nullptr);
  EXPECT_FALSE(read(plain).contains("jumpChainName"));
  EXPECT_EQ(status(Method::post, chain + "/rules", {{"type", "jump"}, {"jumpChainName", "to"}}), 400) << "no id";
}

TEST_F(MidonetClients, PortsNeedNoProtocol) {
  const std::string chain = create("chains", Json::object());
  const Json port_80 = {{"start", 80}, {"end", 80}};
  const std::string rule = create(chain + "/rules", {{"type", "drop"}, {"tpDst", port_80}});
  EXPECT_EQ(read(rule).at("tpDst"), port_80);
  EXPECT_EQ(read(rule).at("nwProto"), nullptr);
  EXPECT_EQ(read(rule).at("fragmentPolicy"), "header");
  const std::string inverted =
      create(chain + "/rules", {{"type", "drop"}, {"tpDst", port_80}, {"nwProto", 17}, {"invNwProto", true}});
  EXPECT_EQ(read(inverted).at("invNwProto"), true);
  EXPECT_EQ(status(Method::post, chain + "/rules", {{"type", "drop"}, {"tpDst", port_80}, {"nwProto", 47}}), 400);
}

TEST_F(MidonetClients, ARangeWithoutPortsIsItsFirstAddress) {
  const std::string chain = create("chains", Json::object());
  const Json target = {
      {"addressFrom", "203.0.113.1"}, {"addressTo", "203.0.113.9"}, {"portFrom", "0"}, {"portTo", "0"}};
  const std::string rule =
      create(chain + "/rules", {{"type", "snat"}, {"flowAction", "accept"}, {"natTargets", Json::array({target})}});
  const Json first = {{"addressFrom", "203.0.113.1"}, {"addressTo", "203.0.113.1"}, {"portFrom", 0}, {"portTo", 0}};
  EXPECT_THAT(read(rule).at("natTargets"), ElementsAre(first));
  EXPECT_EQ(read(rule).at("fragmentPolicy"), "unfragmented") << "not one-to-one, as it was written";
}

// --- routers -----------------------------------------------------------------------------------------

TEST_F(MidonetClients, RoutesWithWhatTheyDoNotNeed) {
  const std::string router = create("routers", Json::object());
  const std::string port = router_port(router, "10.0.0.1/24");
  for (const char* none : {"0.0.0.0", "255.255.255.255", ""}) {
    const std::string made = create(router + "/routes", route("Normal", id(port), none));
    EXPECT_EQ(read(made).at("nextHopGateway"), nullptr) << none;
    EXPECT_EQ(read(made).at("nextHopPort"), id(port));
  }
  for (const char* type : {"BlackHole", "Reject", "Local"}) {
    const std::string made = create(router + "/routes", route(type, id(port), "10.0.0.9"));
    EXPECT_EQ(read(made).at("type"), type);
    EXPECT_EQ(read(made).at("nextHopPort"), nullptr);
    EXPECT_EQ(read(made).at("nextHopGateway"), nullptr);
  }
  EXPECT_EQ(status(Method::post, router + "/routes", route("Normal", id(port), "10.7.0.9")), 400);
  EXPECT_EQ(status(Method::post, router + "/routes", route("Normal", "", "10.0.0.9")), 400);
}

TEST_F(MidonetClients, TwoPortsOfARouterInOneSubnet) {
  const std::string router = create("routers", Json::object());
  router_port(router, "1.1.1.1/24");
  router_port(router, "1.1.1.2/24");
  EXPECT_EQ(status(Method::post, router + "/ports", {{"type", "Router"}, {"portSubnet", {"1.1.1.2/24"}}}), 400);
  EXPECT_EQ(status(Method::post, router + "/ports", {{"type", "Router"}, {"portSubnet", {"1.1.1.3/25"}}}), 400);
}

TEST_F(MidonetClients, ALinkThatIsRefusedSaysItOnce) {
  const std::string router = create("routers", Json::object());
  const std::string one = router_port(router, "10.0.1.1/24"), two = router_port(router, "10.0.2.1/24");
  const Response refused = ask(Method::post, one + "/link", {{"peerId", id(two)}});
  EXPECT_EQ(refused.status, 400);
  const std::string message = Json::parse(refused.body).at("message");
  const size_t first = message.find("Both ports are on the same device");
  ASSERT_NE(first, message.npos) << message;
  EXPECT_EQ(message.find("Both ports are on the same device", first + 1), message.npos) << message;
}

// --- hosts and zones ---------------------------------------------------------------------------------

TEST_F(MidonetClients, WeightsOfHostsAreKept) {
  const std::string uuid = "00000000-0000-4000-8000-00000000000a", host = "hosts/" + uuid;
  create("hosts", {{"id", uuid}, {"name", "h"}, {"containerWeight", nullptr}});
  Json document = read(host);
  EXPECT_EQ(document.at("floodingProxyWeight"), 1);
  EXPECT_EQ(document.at("containerWeight"), 1);
  EXPECT_EQ(document.at("containerLimit"), -1);
  EXPECT_EQ(document.at("enforceContainerLimit"), false);
  const Json wanted = {
      {"floodingProxyWeight", "0"}, {"containerWeight", 7}, {"containerLimit", 9}, {"enforceContainerLimit", true}};
  EXPECT_EQ(status(Method::put, host, wanted), 200);
  EXPECT_EQ(read(host).at("floodingProxyWeight"), 0);
  EXPECT_EQ(read(host).at("containerWeight"), 7);
  EXPECT_EQ(read(host).at("containerLimit"), 9);
  EXPECT_EQ(read(host).at("enforceContainerLimit"), true);
  EXPECT_EQ(read(host).at("name"), "h");
  for (const char* each : {"floodingProxyWeight", "containerWeight", "containerLimit", "enforceContainerLimit"}) {
    document = read(host);
    document[each] = nullptr;
    EXPECT_THAT(ask(Method::put, host, document).body, HasSubstr(std::string(each) + ": may not be null"));
  }
  document = read(host);
  document["containerLimit"] = -2;
  EXPECT_EQ(status(Method::put, host, document), 400);
}

TEST_F(MidonetClients, AnEmptyNameIsNotNull) {
  const Response refused = ask(Method::post, "tunnel_zones", {{"type", "gre"}, {"name", ""}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("name: may not be empty"));
}

// --- load balancing ----------------------------------------------------------------------------------

TEST_F(MidonetClients, MonitorsWithoutTimes) {
  const auto times = [&](const Json& body) {
    const Json made = read(create("health_monitors", body));
    return std::vector<int>{made.at("delay"), made.at("timeout"), made.at("maxRetries")};
  };
  EXPECT_THAT(times({{"type", "TCP"}}), ElementsAre(5, 5, 3));
  EXPECT_THAT(times({{"type", "TCP"}, {"delay", 0}, {"timeout", 0}, {"maxRetries", 0}}), ElementsAre(5, 5, 3));
  EXPECT_THAT(times({{"type", "TCP"}, {"delay", 2}}), ElementsAre(2, 2, 3));
  EXPECT_THAT(times({{"type", "TCP"}, {"timeout", 30}, {"maxRetries", 1}}), ElementsAre(30, 30, 1));
  EXPECT_EQ(status(Method::post, "health_monitors", {{"type", "TCP"}, {"delay", 1}, {"timeout", 2}}), 400);
}

TEST_F(MidonetClients, MembersChangeTheirPool) {
  const Json body = {{"lbMethod", "ROUND_ROBIN"}};
  const std::string one = create("pools", body), two = create("pools", body);
  const std::string member = create(one + "/pool_members", {{"address", "10.0.0.9"}, {"protocolPort", 80}});
  Json document = read(member);
  document["poolId"] = id(two);
  EXPECT_EQ(status(Method::put, member, document), 204);
  EXPECT_EQ(read(one + "/pool_members").size(), 0U);
  EXPECT_EQ(read(two + "/pool_members").size(), 1U);
  document["poolId"] = id(member);
  EXPECT_EQ(status(Method::put, member, document), 404);
}

// --- groups that rules name --------------------------------------------------------------------------

TEST_F(MidonetClients, AGroupThatRulesNameIsDeleted) {
  const std::string chain = create("chains", Json::object());
  const std::string ports = create("port_groups", {{"name", "p"}}),
                    addresses = create("ip_addr_groups", {{"name", "i"}});
  const auto rule = [&](Json body) {
    body["type"] = "accept";
    return create(chain + "/rules", body);
  };
  // With an empty group: never met, met by what else is asked for, and left as it is.
  const std::string from = rule({{"ipAddrGroupSrc", id(addresses)}});
  const std::string not_from = rule({{"ipAddrGroupSrc", id(addresses)}, {"invIpAddrGroupSrc", true}, {"nwProto", 6}});
  const std::string other = rule({{"portGroup", id(ports)}});
  EXPECT_EQ(status(Method::remove, addresses), 204);
  EXPECT_EQ(status(Method::get, addresses), 404);
  EXPECT_EQ(status(Method::get, from), 404);
  EXPECT_EQ(read(not_from).at("ipAddrGroupSrc"), nullptr);
  EXPECT_EQ(read(not_from).at("nwProto"), 6);
  EXPECT_EQ(read(other).at("portGroup"), id(ports));
  // Such a rule would be met by everything.
  const std::string opposite = rule({{"outPortGroup", id(ports)}, {"condInvert", true}});
  EXPECT_EQ(status(Method::remove, ports), 409);
  EXPECT_EQ(read(other).at("portGroup"), id(ports)) << "nothing has changed";
  EXPECT_EQ(status(Method::remove, opposite), 204);
  EXPECT_EQ(status(Method::remove, ports), 204);
  EXPECT_EQ(status(Method::get, other), 404);
}

}  // namespace
}  // namespace viaduct::api::rest
