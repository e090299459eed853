// export, against daemons with the real rules: what comes out goes in again, and makes the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "api/cli/export_text.hpp"
#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEverything = CLI_TEST_DIR "/everything.yaml";
constexpr const char* kNothingToDo = "nothing to do: the topology is as the file says\n";

struct Site {
  FakeDaemon daemon;
  Tool tool{daemon};

  std::string exported(std::vector<std::string> words = {}) const {
    words.insert(words.begin(), "export");
    const Outcome outcome = tool(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  }
  Outcome apply(const std::string& text, std::vector<std::string> more = {}) const {
    Tool with_input = tool;
    with_input.input = text;
    more.insert(more.begin(), {"apply", "-f", "-"});
    return with_input(more);
  }
};

struct Export : testing::Test {
  Site here, empty;

  void SetUp() override {
    const Outcome made = here.tool({"apply", "-f", kEverything});
    ASSERT_EQ(made.code, 0) << made.err;
  }
};

// Without the comments that tell of secrets.
std::string without_comments(const std::string& yaml) {
  std::istringstream lines(yaml);
  std::string out;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with('#')) out += line.substr(0, line.find("  # ")) + '\n';
  return out;
}

void collect(const Json& document, std::set<std::string>& seen) {
  for (const auto& [section, list] : document.items()) {
    for (const Json& object : list) {
      Json nested = Json::object();
      for (const auto& [key, value] : object.items()) {
        const bool is_section = value.is_array() && !value.empty() && value[0].is_object();
        if (is_section) nested[key] = value;
        seen.insert(section + " " + key);
      }
      collect(nested, seen);
    }
  }
}

TEST_F(Export, ToldOfEverythingThereIs) {
  std::set<std::string> seen;
  collect(Json::parse(here.exported({"--json"}))["document"], seen);
  for (const KindInfo& kind : kinds()) {
    for (const Field& field : kind.fields) {
      const bool nested = std::ranges::find(kind.parents, field.name) != kind.parents.end();
      if (field.type == FieldType::secret || nested) continue;
      EXPECT_TRUE(seen.contains(std::string(kind.plural) + " " + std::string(field.option)))
          << kind.name << " " << field.option << " is not in everything.yaml";
    }
  }
}

TEST_F(Export, AppliedToItsOwnTopologyChangesNothing) {
  for (const auto& words : std::vector<std::vector<std::string>>{{}, {"--all-fields"}, {"rule", "route", "port"}}) {
    const std::string text = here.exported(words);
    EXPECT_EQ(here.apply(text, {"--yes"}).out, kNothingToDo) << text;
  }
  EXPECT_EQ(here.apply(here.exported(), {"--prune", "--yes"}).out, kNothingToDo) << "all is in it";
}

TEST_F(Export, AppliedToNothingMakesTheSame) {
  for (const auto& words : std::vector<std::vector<std::string>>{{}, {"--all-fields"}}) {
    Site there;
    const std::string text = here.exported(words);
    const Outcome made = there.apply(text);
    ASSERT_EQ(made.code, 0) << made.err << text;
    EXPECT_EQ(without_comments(there.exported()), without_comments(here.exported()));
    EXPECT_EQ(there.exported({"--json"}).find("Sesame"), std::string::npos);
    EXPECT_EQ(there.apply(text).out, kNothingToDo);
    for (uint8_t kind = 0; kind < static_cast<uint8_t>(topology::Kind::count_); ++kind) {
      EXPECT_EQ(there.daemon.snapshot().count(static_cast<topology::Kind>(kind)),
                here.daemon.snapshot().count(static_cast<topology::Kind>(kind)));
    }
  }
}

TEST_F(Export, JsonIsTakenByApplyToo) {
  const Json exported = Json::parse(here.exported({"--json"}));
  const Outcome made = empty.apply(exported["document"].dump());
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(without_comments(empty.exported()), without_comments(here.exported()));
  EXPECT_EQ(exported["notes"], Json::array({"bgp-peer tor1: password is set, and not told"}));
}

TEST_F(Export, SecretsStayAndAreNotTold) {
  const std::string text = here.exported();
  EXPECT_THAT(text, AllOf(Not(HasSubstr("Sesame")), HasSubstr("}  # password is set, and not told\n"),
                          HasSubstr("# bgp-peer tor1: password is set, and not told\n")));
  std::string changed = text;
  changed.replace(changed.find("connect-retry: 2"), 16, "connect-retry: 4");
  EXPECT_EQ(here.apply(changed).code, 0);
  bool kept = false;
  here.daemon.snapshot().for_each(topology::Kind::bgp_peer, [&](const topology::Object& object) {
    kept |= std::get<topology::BgpPeer>(object).password == "open.Sesame";
  });
  EXPECT_TRUE(kept) << "apply leaves the stored one alone";
}

TEST_F(Export, TakesBackWithAllFieldsWhatWasSetSince) {
  const std::string brief = here.exported(), full = here.exported({"--all-fields"});
  for (const auto& words : std::vector<std::vector<std::string>>{{"bridge", "set", "green", "--inbound-filter", "web"},
                                                                 {"bridge", "set", "green", "--admin-up", "false"},
                                                                 {"port", "set", "r1-up", "--mtu", "1400"}})
    ASSERT_EQ(here.tool(words).code, 0);
  EXPECT_EQ(here.apply(brief).out, kNothingToDo) << "what is not named stays";
  EXPECT_THAT(here.apply(full).out, HasSubstr("0 to create, 2 to update, 0 to delete"));
  EXPECT_EQ(here.exported(), brief);
}

TEST_F(Export, TwoDifferWhereTheTopologiesDo) {
  const std::string before = here.exported();
  EXPECT_EQ(here.exported(), before);
  ASSERT_EQ(here.tool({"route", "create", "--router", "r1", "--to", "10.200.0.0/16", "--blackhole"}).code, 0);
  std::string after = here.exported();
  const std::string line = "      - {to: 10.200.0.0/16, next-hop: blackhole}\n";
  ASSERT_THAT(after, HasSubstr(line));
  EXPECT_EQ(after.erase(after.find(line), line.size()), before);
}

TEST_F(Export, PartsOfIt) {
  const std::string router = here.exported({"--router", "r1"});
  EXPECT_THAT(router, AllOf(HasSubstr("routers:\n  - name: r1\n"), HasSubstr("name: r1-blue"), HasSubstr("bgp-peers"),
                            Not(HasSubstr("name: blue,")), Not(HasSubstr("chains:"))));
  EXPECT_THAT(router,
              HasSubstr("# Names what is not in this file: chain nat, chain web, load-balancer front, port blue-r1\n"));
  EXPECT_EQ(here.apply(router).out, kNothingToDo);
  const std::string rules = here.exported({"--chain", "nat", "rule"});
  EXPECT_THAT(rules, AllOf(HasSubstr("rules:\n  - {chain: nat, position: 10,"), Not(HasSubstr("chains:"))));
  EXPECT_EQ(here.apply(rules).out, kNothingToDo);
  const std::string tenant = here.exported({"--tenant", "acme", "bridges", "port"});
  EXPECT_THAT(tenant,
              AllOf(HasSubstr("name: blue"), HasSubstr("vm1"), HasSubstr("r1-up"), Not(HasSubstr("name: green"))));
  EXPECT_EQ(here.exported({"--tenant", "nobody"}).find("bridges"), std::string::npos);
  EXPECT_EQ(here.apply(here.exported({"--tenant", "nobody"})).out, kNothingToDo);
}

TEST_F(Export, ToAFile) {
  const std::string path = testing::TempDir() + "viaduct-export-" + std::to_string(::getpid()) + ".yaml";
  const Outcome made = here.tool({"export", "-o", path});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, AllOf(HasSubstr(" objects\n"), HasSubstr("tor1: password is set")));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(here.tool({"diff", "-f", path, "--prune"}).code, 0);
  ::unlink(path.c_str());
  const Outcome nowhere = here.tool({"export", "-o", "/no/such/directory/file"});
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.err, AllOf(HasSubstr("/no/such/directory"), HasSubstr("cure:")));
}

TEST_F(Export, WhatNoFileCanSayIsANote) {
  topology::Bridge bridge;
  bridge.id = BridgeId(*Uuid::parse("0b000000-0000-4000-8000-0000000000ff"));
  bridge.name = "odd";
  bridge.tenant = "none";
  empty.daemon.commit(bridge);
  const std::string text = empty.exported();
  EXPECT_THAT(text, HasSubstr("- name: odd  # tenant is 'none', which no file can say\n"));
  EXPECT_EQ(empty.apply(text).out, kNothingToDo);
}

TEST_F(Export, SaysWhenItIsTooLargeForApply) {
  const auto bridges = [](int first, int last) {
    std::string text = "bridges: [";
    for (int i = first; i <= last; ++i) text += "{name: b" + std::to_string(i) + "}, ";
    return text + "]\n";
  };
  const Outcome refused = empty.apply(bridges(0, 10'000), {"--dry-run"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("10001 changes"), HasSubstr("in parts")));
  ASSERT_EQ(empty.apply(bridges(1, 5'000)).code, 0);
  EXPECT_THAT(empty.exported(), Not(HasSubstr("Too large")));
  ASSERT_EQ(empty.apply(bridges(5'001, 10'000)).code, 0);
  EXPECT_THAT(empty.exported(), HasSubstr("# Too large to be applied to nothing at once (10000 new objects"));
}

TEST_F(Export, NamesOnlySomeOfWhatIsElsewhere) {
  std::string text = "bridges: [";
  for (int i = 100; i < 160; ++i) text += "{name: b" + std::to_string(i) + ", ports: [{name: p}]}, ";
  ASSERT_EQ(empty.apply(text + "]\n").code, 0);
  EXPECT_THAT(empty.exported({"port"}), HasSubstr("bridge b148, bridge b149 and 10 more\n"));
}

TEST_F(Export, WordsThatMakeNoSense) {
  EXPECT_THAT(here.tool({"export", "bridgse"}).err,
              AllOf(HasSubstr("no kind 'bridgse'"), HasSubstr("tunnel-zone-host")));
  EXPECT_EQ(here.tool({"export", "bridgse"}).code, 2);
  EXPECT_THAT(here.tool({"export", "--router", "r9"}).err, HasSubstr("there is no router 'r9'"));
}

TEST_F(Export, OfAnEmptyTopologyIsAFileToo) {
  Site none;
  EXPECT_THAT(none.exported({"bridge"}), HasSubstr("\n{}\n"));
  EXPECT_EQ(none.apply(none.exported({"bridge"})).out, kNothingToDo);
}

TEST_F(Export, DiffSaysWhatApplyWould) {
  const Outcome same = here.tool({"diff", "-f", kEverything});
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(same.out, kNothingToDo);
  const Outcome other = empty.tool({"diff", "-f", kEverything});
  EXPECT_EQ(other.code, 5);
  EXPECT_THAT(other.out, AllOf(HasSubstr("  + router r1\n"), HasSubstr(" to create, 0 to update, 0 to delete\n")));
  EXPECT_EQ(empty.tool({"diff", "-f", kEverything}).out, other.out);
  Tool with_input = here.tool;
  with_input.input = "routers: [{name: r1}]\n";
  EXPECT_EQ(with_input({"diff", "-f", "-"}).code, 0);
  const Outcome pruned = with_input({"diff", "-f", "-", "--prune", "--json"});
  EXPECT_EQ(pruned.code, 5);
  EXPECT_EQ(pruned.json()["differs"], true);
  EXPECT_EQ(pruned.json()["plan"][0]["action"], "delete");
  with_input.input = "nonsense: 1\n";
  EXPECT_EQ(with_input({"diff", "-f", "-"}).code, 2);
  EXPECT_EQ(empty.daemon.snapshot().count(topology::Kind::router), 0U) << "nothing was changed";
}

TEST(YamlText, IsPlainOnlyWhereEverybodyReadsItSo) {
  for (const char* plain : {"blue", "node-1.example", "_x", "10.0.0.0/8", "10.0.0.1-10.0.0.9", "1024-65535",
                            "0e000000-0000-4000-8000-000000000001", "permit 10.0.0.0/8 le 24"})
    EXPECT_EQ(yaml_text(plain), plain);
  for (const char* quoted : {"",     "~",      "true", "No", "null", "12",      "1e9",
                             "10.1", "0x88cc", " x",   "x ", "- x",  "fd00::1", "02:00:00:00:00:01",
                             "a: b", "a #b",   "{",    "[",  "*x",   "&x",      "!x",
                             "%x",   "@x",     "ü"})
    EXPECT_EQ(yaml_text(quoted), "\"" + std::string(quoted) + "\"");
  EXPECT_EQ(yaml_text("a\"b\\c\n"), "\"a\\\"b\\\\c\\x0a\"");
}

}  // namespace
}  // namespace viaduct::api::cli
