// What one key demands of another.
#include "support.hpp"

namespace viaduct::actors::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const std::string kTls = "[tls]\nca = \"c\"\ncertificate = \"h\"\nkey = \"k\"\n";

TEST(ConfigRules, ANodeHasARole) {
  EXPECT_THAT(problems_of("roles = []"), ElementsAre(HasSubstr("f.toml:1:1: roles: a node without a role")));
}

TEST(ConfigRules, AnAgentAloneNeedsClusterNodes) {
  EXPECT_THAT(problems_of("roles = [\"agent\"]"), ElementsAre(AllOf(HasSubstr("agent.cluster"), HasSubstr("list"))));
  EXPECT_THAT(problems_of("roles = [\"agent\"]\n" + kTls + "[agent]\ncluster = [\"db1\", \"10.0.0.2:7\"]"), IsEmpty());
}

TEST(ConfigRules, KeysOfARoleThatTheNodeDoesNotHave) {
  EXPECT_THAT(
      problems_of("roles = [\"agent\"]\n" + kTls + "[agent]\ncluster = [\"a\"]\n[cluster]\nlisten = \"10.0.0.1\""),
      ElementsAre(HasSubstr("cluster.listen: only a node with the cluster role")));
  EXPECT_THAT(problems_of("roles = [\"cluster\"]\n" + kTls + "[agent]\ncluster = [\"a\"]"),
              ElementsAre(HasSubstr("agent.cluster: only a node with the agent role")));
  EXPECT_THAT(
      problems_of("roles = [\"agent\"]\n" + kTls + "[agent]\ncluster=[\"a\"]\n[etcd]\nendpoints = [\"127.0.0.1\"]"),
      ElementsAre(HasSubstr("agents never talk to etcd")));
}

TEST(ConfigRules, WhoSpeaksWithOtherHostsNeedsAllThreeFiles) {
  EXPECT_THAT(problems_of("[cluster]\nlisten = \"0.0.0.0\""),
              UnorderedElementsAre(HasSubstr("tls.ca: it is not set"), HasSubstr("tls.certificate"),
                                   AllOf(HasSubstr("tls.key"), HasSubstr("viaduct certs"))));
  EXPECT_THAT(problems_of("[agent]\ncluster = [\"db1\"]\n[tls]\nca = \"c\"\nkey = \"k\""),
              ElementsAre(HasSubstr("tls.certificate: it is not set")));
  EXPECT_THAT(problems_of("[tls]\nrevoked = \"r\""), Contains(HasSubstr("tls.ca")));
  EXPECT_THAT(problems_of("[cluster]\nlisten = \"[::]:7000\"\n" + kTls), IsEmpty());
}

TEST(ConfigRules, EtcdTakesPairs) {
  EXPECT_THAT(problems_of("[etcd]\nendpoints=[\"127.0.0.1\"]\nuser = \"u\""),
              ElementsAre(HasSubstr("etcd.password_file")));
  EXPECT_THAT(problems_of("[etcd]\nendpoints=[\"127.0.0.1\"]\nca=\"c\"\nkey = \"k\""),
              ElementsAre(HasSubstr("etcd.certificate")));
  EXPECT_THAT(problems_of("[etcd]\nuser = \"u\"\npassword_file = \"p\""),
              ElementsAre(HasSubstr("nothing would use it")));
}

TEST(ConfigRules, APasswordDoesNotCrossTheNetworkInTheClear) {
  const std::string user = "[etcd]\nuser = \"u\"\npassword_file = \"p\"\nendpoints = ";
  EXPECT_THAT(problems_of(user + "[\"127.0.0.1:2379\", \"db2:2379\"]"), ElementsAre(HasSubstr("in the clear")));
  EXPECT_THAT(problems_of(user + "[\"127.0.0.1:2379\", \"[::1]:2379\"]"), IsEmpty());
  EXPECT_THAT(problems_of(user + "[\"db2:2379\"]\nca = \"c\""), IsEmpty());
}

TEST(ConfigRules, BackOffHasAnOrder) {
  EXPECT_THAT(problems_of("[agent]\nreconnect_min = 5000\nreconnect_max = 1000"),
              ElementsAre(HasSubstr("agent.reconnect_min: it is longer")));
}

TEST(ConfigRules, AFlowLogIsOfAnAgent) {
  EXPECT_THAT(problems_of("[flow_log]\nfile = \"/var/log/flows.json\"\nipfix = \"[::1]:4739\"\nper_connection = true"),
              IsEmpty());
  EXPECT_THAT(problems_of("roles = [\"cluster\"]\n[flow_log]\nipfix = \"10.0.0.1\""),
              ElementsAre(HasSubstr("flow_log.ipfix: only a node with the agent role has flows")));
  EXPECT_THAT(problems_of("[flow_log]\nper_connection = true"),
              ElementsAre(HasSubstr("flow_log.per_connection: it costs a flow for each connection")));
}

TEST(ConfigRules, AFlowLogsFileHasAWholeNameAndItsCollectorAnAddress) {
  EXPECT_THAT(problems_of("[flow_log]\nfile = \"flows.json\""),
              ElementsAre(HasSubstr("flow_log.file: 'flows.json' is not an absolute file name")));
  EXPECT_THAT(problems_of("[flow_log]\nipfix = \"collector.example:4739\""),
              ElementsAre(HasSubstr("flow_log.ipfix: 'collector.example:4739' is not ADDRESS:PORT")));
  EXPECT_THAT(problems_of("[flow_log]\nsample = 0"), ElementsAre(HasSubstr("flow_log.sample: 0 is out of range")));
}

TEST(ConfigRules, AKeyWithAProblemOfItsOwnGetsNoSecond) {
  EXPECT_THAT(problems_of("[cluster]\nlisten = \"0.0.0.0\"\n[tls]\nca = 1\ncertificate = \"h\"\nkey = \"k\""),
              ElementsAre(HasSubstr("tls.ca: it is a whole number")));
}

TEST(HostPorts, WhatIsReadAndWhatIsNot) {
  auto read = [](const char* text) {
    auto parsed = parse_host_port(text, 6678);
    return parsed ? to_string(*parsed) : "no";
  };
  EXPECT_EQ(read("10.0.0.1"), "10.0.0.1:6678");
  EXPECT_EQ(read("10.0.0.1:1"), "10.0.0.1:1");
  EXPECT_EQ(read("::1"), "[::1]:6678");
  EXPECT_EQ(read("[fd00::1]:99"), "[fd00::1]:99");
  EXPECT_EQ(read("[fd00::1]"), "[fd00::1]:6678");
  EXPECT_EQ(read("db-1.example:65535"), "db-1.example:65535");
  for (const char* wrong : {"", ":1", "a:", "a:0", "a:65536", "a:1x", "a b:1", "[10.0.0.1]:1", "[::1", "[::1]1",
                            "a:1:2", "http://a:1", "-a", "a/b"})
    EXPECT_EQ(read(wrong), "no") << wrong;
}

}  // namespace
}  // namespace viaduct::actors::testing
