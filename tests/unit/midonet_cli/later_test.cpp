// What the API does not have: its reason, and an exit code that is not 0. And objects of it, over answers that are made up.
#include "tests/unit/midonet_cli/session.hpp"

namespace viaduct::api::midonet_cli::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MidonetLater, HasItsReason) {
  Session run(Aliases::Mode::given);
  run("create bridge");
  run("create router");
  run("create chain");
  run("router0 add port address 10.0.0.1 net 10.0.0.0/24");
  const std::string bridge = run("bridge0 show id");
  const std::pair<std::string, const char*> all[] = {
      {"list tenant", "tenants"},
      {"list vtep", "hardware VTEPs"},
      {"create vtep management-ip 10.0.0.1 management-port 6640", "hardware VTEPs"},
      {"list tracerequest", "stored traces"},
      {"create tracerequest name t bridge bridge0 src 10.0.0.1", "stored traces"},
      {"list mirror", "port mirrors"},
      {"create mirror to-port router0:port0", "port mirrors"},
      {"list l2insertion", "L2 service insertion"},
      {"list container", "service containers"},
      {"list container-group", "service containers"},
      {"create container-group policy least", "service containers"},
      {"list qos-policy", "quality of service"},
      {"create qos-policy name q shared true", "quality of service"},
      {"bridge0 list dhcp", "DHCP"},
      {"bridge0 add dhcp subnet 10.0.0.0/24 gw 10.0.0.1", "DHCP"},
      {"router0:port0 list remote-peers", "router peering"},
      {"create tunnel-zone name z type vtep", "hardware VTEPs"},
      {"chain0 add rule type trace traceid " + bridge, "rules of the type trace"},
      {"chain0 add rule type l2-transform action accept pop-vlan true", "rules of the type l2_transform"},
      {"bridge0 set qos-policy " + bridge, "qos"},
      {"router0:port0 set in-mirrors " + bridge, "irror"},
      {"list pool-statistic", "statistics of pools"},
      {"pool-statistic ps0 show", "statistics of pools"},
  };
  for (const auto& [line, reason] : all) {
    const Failure failure = run.fails(line);
    EXPECT_EQ(failure.exit, ExitCode::refused) << line;
    EXPECT_EQ(failure.code, "unsupported") << line;
    EXPECT_THAT(Session::text_of_failure(failure), HasSubstr(reason)) << line;
  }
}

struct MadeUp : ::testing::Test {
  MadeUpSource source;
  std::ostringstream out, err;
  Aliases aliases;
  Interpreter interpreter{source, aliases, {out, err, Output::lines}};

  std::string run(const std::string& line) {
    out.str({});
    auto done = interpreter.run(line);
    if (!done) return "FAILURE " + Session::text_of_failure(done.failure());
    return without_end(out.str());
  }
};

const std::string kId = "5a0c6e4a-1b3d-4a0a-8f0d-3d3f4e0b7a11";
const std::string kUri = "http://api:8181/midonet-api/";
const std::string kMirror =
    R"({"id":")" + kId + R"(","uri":")" + kUri + "mirrors/" + kId + R"(","conditions":[{"nwProto":17}]})";

TEST_F(MadeUp, MatchesArePartsOfTheirMirror) {
  source.then(200, kMirror);
  EXPECT_EQ(run("mirror " + kId + " list matches"), "proto 17");
  source.then(200, kMirror);
  source.then(204, "");
  EXPECT_EQ(run("mirror " + kId + " add matches src 10.0.0.0/8"), "src 10.0.0.0/8");
  EXPECT_THAT(source.asked.back(), HasSubstr(R"("conditions":[{"nwProto":17},{"nwSrcAddress":"10.0.0.0")"));
  EXPECT_THAT(source.asked.back(), ::testing::StartsWith("PUT mirrors/" + kId));
  source.then(200, kMirror);
  source.then(200, kMirror);
  source.then(204, "");
  EXPECT_EQ(run("mirror " + kId + " matches proto 17 delete"), "");
  EXPECT_THAT(source.asked.back(), HasSubstr(R"("conditions":[])"));
  source.then(200, kMirror);
  EXPECT_THAT(run("mirror " + kId + " matches proto 17 set proto 6"), HasSubstr("delete it, and create another"));
}

TEST_F(MadeUp, TracesNameTheirDevice) {
  const std::string trace = R"({"id":")" + kId + R"(","uri":")" + kUri + "traces/" + kId + R"(","name":"t",)" +
                            R"("deviceType":"BRIDGE","deviceId":")" + kId + R"(","enabled":false,)" +
                            R"("condition":{"nwProto":6}})";
  source.then(201, "", kUri + "traces/" + kId);
  source.then(200, trace);
  EXPECT_EQ(run("create tracerequest name t bridge " + kId + " proto 6"), kId);
  EXPECT_EQ(source.asked.front(), R"(POST traces {"name":"t","deviceId":")" + kId +
                                      R"(","deviceType":"BRIDGE","condition":{"nwProto":6,"invNwProto":false}})");
  source.then(200, "[" + trace + "]");
  EXPECT_EQ(run("list tracerequest"), "tr " + kId + " proto 6 name t bridge " + kId + " enabled false");
}

TEST_F(MadeUp, DhcpHostsLieBelowTheirSubnet) {
  const std::string bridge = R"({"id":")" + kId + R"(","uri":")" + kUri + "bridges/" + kId + R"("})";
  const std::string subnet = R"({"subnetPrefix":"10.0.0.0","subnetLength":24,"uri":")" + kUri + "bridges/" + kId +
                             R"(/dhcp/10.0.0.0_24","opt121Routes":[]})";
  const std::string host = R"({"macAddr":"02:00:00:00:00:01","ipAddr":"10.0.0.2","name":null,"uri":")" + kUri +
                           "bridges/" + kId + R"(/dhcp/10.0.0.0_24/hosts/02:00:00:00:00:01"})";
  source.then(200, bridge);
  source.then(200, "[" + subnet + "]");
  source.then(201, "", kUri + "bridges/" + kId + "/dhcp/10.0.0.0_24/hosts/02:00:00:00:00:01");
  source.then(200, host);
  EXPECT_EQ(run("bridge " + kId + " dhcp subnet 10.0.0.0/24 add host address 10.0.0.2 mac 02:00:00:00:00:01"),
            "address 10.0.0.2 mac 02:00:00:00:00:01");
  EXPECT_THAT(source.asked,
              ElementsAre("GET bridges/" + kId, "GET bridges/" + kId + "/dhcp",
                          "POST bridges/" + kId +
                              R"(/dhcp/10.0.0.0_24/hosts {"ipAddr":"10.0.0.2","macAddr":"02:00:00:00:00:01"})",
                          "GET bridges/" + kId + "/dhcp/10.0.0.0_24/hosts/02:00:00:00:00:01"));
}

TEST_F(MadeUp, QosRules) {
  const std::string policy = R"({"id":")" + kId + R"(","uri":")" + kUri + "qos_policies/" + kId + R"("})";
  const std::string rule = R"({"id":")" + kId + R"(","uri":")" + kUri + "qos_bw_limit_rules/" + kId +
                           R"(","policyId":")" + kId + R"(","maxKbps":100,"maxBurstKb":5})";
  source.then(200, policy);
  source.then(201, "", kUri + "qos_bw_limit_rules/" + kId);
  source.then(200, rule);
  EXPECT_EQ(run("qos-policy " + kId + " add bw-limit-rule max-kbps 100 max-burst-kbps 5"), kId);
  EXPECT_EQ(source.asked[1], "POST qos_policies/" + kId + R"(/qos_bw_limit_rules {"maxKbps":100,"maxBurstKb":5})");
  source.then(200, policy);
  source.then(200, "[" + rule + "]");
  EXPECT_EQ(run("qos-policy " + kId + " list bw-limit-rule"),
            "qos-bw-limit-rule " + kId + " max-kbps 100 max-burst-kb 5");
}

TEST_F(MadeUp, Tenants) {
  source.then(200, R"([{"id":"admin","name":"Admin","enabled":true}])");
  EXPECT_EQ(run("list tenant"), "tenant-id admin name Admin enabled true");
}

}  // namespace
}  // namespace viaduct::api::midonet_cli::testing
