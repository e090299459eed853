// The configuration file: every key is heard, every mistake is named at its place.
#include <fstream>

#include "actors/daemons/config_text.hpp"
#include "support.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Another value than the default that is allowed.
SettingValue other_than_default(const Setting& setting) {
  SettingValue value = setting.get(Config{});
  if (const auto* number = std::get_if<uint64_t>(&value)) {
    uint64_t least = std::max<uint64_t>(setting.allowed.least, 1);
    return *number == least ? least + 1 : least;
  }
  if (const auto* truth = std::get_if<bool>(&value)) return !*truth;
  for (std::string text : {"cluster", "fake", "/x/", "/x/y", "debug", "::1", "10.0.0.1:7", "none", "https://h/v3"}) {
    std::vector<std::string> list = {text};
    SettingValue other = std::holds_alternative<std::string>(value) ? SettingValue(text) : SettingValue(list);
    if (other != value && !check_value(setting, other)) return other;
  }
  ADD_FAILURE() << setting.key;
  return value;
}

TEST(ConfigFile, AnEmptyFileIsTheDefaults) {
  auto source = read("");
  EXPECT_THAT(lines(source), IsEmpty());
  EXPECT_EQ(source.config.datapath.kind, "auto");
  EXPECT_EQ(source.config.admin.port, 6677);
  EXPECT_EQ(source.config.cluster.lease, seconds(10));
  EXPECT_TRUE(source.config.has_role("cluster") && source.config.has_role("agent"));
  EXPECT_FALSE(source.config.is_distributed());
}

TEST(ConfigFile, EveryKeyIsHeardAloneAndMovesNoOther) {
  for (const Setting& setting : kSettings) {
    SettingValue wanted = other_than_default(setting);
    std::string table = setting.table().empty() ? "" : "[" + std::string(setting.table()) + "]\n";
    ConfigSource source;
    read_config_text(table + std::string(setting.leaf()) + " = " + to_toml(wanted), "f.toml", source);
    EXPECT_THAT(lines(source), IsEmpty()) << setting.key;
    for (const Setting& each : kSettings)
      EXPECT_EQ(each.get(source.config), &each == &setting ? wanted : each.get(Config{})) << each.key;
    EXPECT_THAT(source.where_of(setting.key), StartsWith("f.toml:")) << setting.key;
  }
}

TEST(ConfigFile, ValuesHaveTheirUnits) {
  auto source = read(
      "[underlay]\nprobe_interval = 250\nmtu = 1400\n[bridge]\nmac_timeout = 60\n[agent]\nreconnect_min = 20\n"
      "[datapath]\nflow_idle_timeout = 30");
  ASSERT_THAT(lines(source), IsEmpty());
  EXPECT_EQ(source.config.underlay.probe_interval, milliseconds(250));
  EXPECT_EQ(source.config.underlay.mtu, 1400U);
  EXPECT_EQ(source.config.bridge.mac_timeout, seconds(60));
  EXPECT_EQ(source.config.agent.reconnect_min, milliseconds(20));
  EXPECT_EQ(source.config.datapath.flow_idle_timeout, seconds(30));
}

TEST(ConfigFile, AnUnknownNameIsRefusedWithTheNearestKnownOne) {
  EXPECT_THAT(problems_of("\n[datapath]\n  worker = 2"),
              ElementsAre(AllOf(StartsWith("f.toml:3:3: datapath.worker: there is no such key"),
                                HasSubstr("did you mean datapath.workers?"))));
  EXPECT_THAT(problems_of("[datapaht]\nworkers = 2"),
              ElementsAre(AllOf(HasSubstr("datapaht: there is no such table"), HasSubstr("did you mean datapath?"))));
  EXPECT_THAT(problems_of("workers = 2"), ElementsAre(HasSubstr("did you mean datapath.workers?")));
  EXPECT_THAT(problems_of("[bridge]\nprobe_interval = 2"),
              ElementsAre(HasSubstr("did you mean underlay.probe_interval?")));
  EXPECT_THAT(problems_of("zzzzzzzzzzzz = 1"),
              ElementsAre(AllOf(HasSubstr("zzzzzzzzzzzz"), Not(HasSubstr("did you mean")))));
}

TEST(ConfigFile, AWrongKindSaysWhatIsAllowed) {
  EXPECT_THAT(
      problems_of("[datapath]\nworkers = \"two\""),
      ElementsAre("f.toml:2:11: datapath.workers: it is a text; write a whole number, without quotes: 0 to 64"));
  EXPECT_THAT(problems_of("[datapath]\nworkers = 2.5"), ElementsAre(HasSubstr("a number with a fraction")));
  EXPECT_THAT(problems_of("[datapath]\nkind = 3"), ElementsAre(HasSubstr("write a text in quotes: auto, ovs")));
  EXPECT_THAT(problems_of("[underlay]\ncopy_dscp = 1"), ElementsAre(HasSubstr("write true or false, without quotes")));
  EXPECT_THAT(problems_of("roles = \"agent\""), ElementsAre(HasSubstr("it is a text; write a list of texts")));
  EXPECT_THAT(problems_of("roles = [1]"), ElementsAre(HasSubstr("it is a list of other things")));
  EXPECT_THAT(problems_of("state_dir = 1979-05-27"), ElementsAre(HasSubstr("a date or a time")));
  EXPECT_THAT(problems_of("datapath = 1"), ElementsAre(HasSubstr("write [datapath] on a line of its own")));
  EXPECT_THAT(problems_of("[[datapath]]\nworkers = 1"), ElementsAre(HasSubstr("datapath: it is a list, not a table")));
}

TEST(ConfigFile, AValueThatIsNotAllowedSaysWhatIs) {
  EXPECT_THAT(problems_of("[datapath]\nworkers = 65"),
              ElementsAre("f.toml:2:11: datapath.workers: 65 is out of range: 0 to 64; allowed: 0 to 64"));
  EXPECT_THAT(problems_of("[datapath]\nworkers = -1"), ElementsAre(HasSubstr("it is below zero; allowed: 0 to 64")));
  EXPECT_THAT(problems_of("[underlay]\nmtu = 576"), ElementsAre(HasSubstr("allowed: 0, or 1280 to 65535 bytes")));
  EXPECT_THAT(problems_of("[datapath]\nkind = \"dpdk\""), ElementsAre(HasSubstr("auto, ovs, ebpf or fake")));
  EXPECT_THAT(problems_of("[datapath]\nname = \"sixteen-letters-\""), ElementsAre(HasSubstr("1 to 15 characters")));
  EXPECT_THAT(problems_of("[metrics]\naddress = \"0.0.0.0\""), ElementsAre(HasSubstr("has no authentication")));
  EXPECT_THAT(problems_of("[rest]\naddress = \"0.0.0.0\""), ElementsAre(HasSubstr("tokens would cross the network")));
  EXPECT_THAT(problems_of("[rest]\naddress = \"::\"\nauthentication = \"none\""),
              ElementsAre(HasSubstr("could change everything"), HasSubstr("tokens would cross the network")));
  EXPECT_THAT(problems_of("[rest]\nauthentication = \"password\""), ElementsAre(HasSubstr("nobody has a password")));
  EXPECT_THAT(problems_of("[rest]\nauthentication = \"keystone\"\nkeystone_user = \"u\""),
              ElementsAre(HasSubstr("rest.keystone_url: it is not set"), HasSubstr("rest.keystone_password_file"),
                          HasSubstr("rest.keystone_project")));
  EXPECT_THAT(problems_of("[rest]\nkeystone_user = \"u\""), ElementsAre(HasSubstr("nothing uses it")));
  for (const char* url : {"http://192.0.2.1:5000/v3", "https://192.0.2.1:5000", "192.0.2.1:5000/v3", "https:///v3",
                          "https://user@host/v3", "https://host/v3?x", "ftp://127.0.0.1/v3", "https://host:99999/v3",
                          "http://localhost.evil/v3", "http://::1/v3", "http://127.0.0.1.evil/v3"})
    EXPECT_THAT(problems_of("[rest]\nkeystone_url = \"" + std::string(url) + "\""),
                ElementsAre(HasSubstr("http:// to a loopback address")))
        << url;
  for (const char* url : {"https://keystone.example/v3", "https://192.0.2.1:5000/identity/v3/",
                          "http://127.0.0.1:5000/v3", "http://[::1]:5000/v3", "http://localhost:5000/v3"})
    EXPECT_THAT(problems_of("[rest]\nkeystone_url = \"" + std::string(url) + "\""),
                ElementsAre(HasSubstr("nothing uses it")))
        << url;
  EXPECT_THAT(problems_of("[rest]\npasswords = \"/p\""), ElementsAre(HasSubstr("nothing uses it")));
  EXPECT_THAT(problems_of("[rest]\ntoken_lifetime = 59"), ElementsAre(HasSubstr("allowed: 60 to 2592000 seconds")));
  EXPECT_THAT(problems_of("[rest]\nkey = \"/k\""), ElementsAre(HasSubstr("a certificate needs its key")));
  EXPECT_THAT(problems_of("[log]\nlevels = \"loud\""), ElementsAre(HasSubstr("LEVEL,COMPONENT=LEVEL")));
  EXPECT_THAT(problems_of("roles = [\"agent\", \"boss\"]"), ElementsAre(HasSubstr("'boss' is not cluster, agent")));
  EXPECT_THAT(problems_of("roles = [\"agent\", \"agent\"]"), ElementsAre(HasSubstr("'agent' stands there twice")));
  EXPECT_THAT(problems_of("state_dir = \"\""), ElementsAre(HasSubstr("state_dir: '' is not a directory")));
  EXPECT_THAT(problems_of("[etcd]\nprefix = \"viaduct\""), ElementsAre(HasSubstr("begins and ends with a slash")));
}

TEST(ConfigFile, AllProblemsAreSaidAtOnce) {
  EXPECT_THAT(problems_of("stat_dir = \"/x\"\n[datapath]\nworkers = 99\nkind = 1\n[cluster]\nlease = 0"),
              ::testing::UnorderedElementsAre(HasSubstr("f.toml:1:1: stat_dir"), HasSubstr("datapath.workers"),
                                              HasSubstr("datapath.kind"), HasSubstr("cluster.lease")));
}

TEST(ConfigFile, WhatIsNotAllowedIsNotTakenOver) {
  auto source = read("[datapath]\nworkers = 99\nmax_flows = 2048");
  EXPECT_EQ(source.config.datapath.workers, 0U);
  EXPECT_EQ(source.config.datapath.max_flows, 2048U);
}

TEST(ConfigFile, AFileThatIsNotThere) {
  topology::store::testing::TemporaryDirectory directory;
  std::string file = (directory.path() / "viaductd.toml").string();
  ConfigSource allowed, wanted;
  read_config_file(file, Absence::allowed, allowed);
  EXPECT_THAT(lines(allowed), IsEmpty());
  EXPECT_EQ(allowed.file, "");
  read_config_file(file, Absence::problem, wanted);
  EXPECT_THAT(lines(wanted), ElementsAre(AllOf(HasSubstr("No such file"), HasSubstr("--config"))));
}

TEST(ConfigFile, AFileIsReadAndItsNameIsInEveryProblem) {
  topology::store::testing::TemporaryDirectory directory;
  std::string file = (directory.path() / "viaductd.toml").string();
  std::ofstream(file) << "[admin]\nport = 7000\nprot = 1\n";
  ConfigSource source;
  read_config_file(file, Absence::allowed, source);
  EXPECT_EQ(source.config.admin.port, 7000);
  EXPECT_THAT(lines(source), ElementsAre(StartsWith(file + ":3:1: admin.prot")));
}

}  // namespace
}  // namespace viaduct::actors::testing
