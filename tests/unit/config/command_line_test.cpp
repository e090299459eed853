// The command line, and how it goes over the file.
#include "actors/daemons/command_line.hpp"

#include <fstream>

#include "observability/log.hpp"
#include "support.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Words = std::vector<std::string>;

struct Parsed {
  std::optional<Invocation> invocation;
  int exit_code = -1;
  std::string out, err;
};
Parsed parse(Words words) {
  words.insert(words.begin(), "viaductd");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  Parsed result;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  result.invocation = parse_command_line(static_cast<int>(argv.size()), argv.data(), result.exit_code);
  result.out = ::testing::internal::GetCapturedStdout();
  result.err = ::testing::internal::GetCapturedStderr();
  return result;
}
ConfigSource load(const Words& words, const std::string& default_file = "/nonexistent/viaductd.toml") {
  auto parsed = parse(words);
  EXPECT_TRUE(parsed.invocation) << parsed.err;
  return parsed.invocation ? load_config(*parsed.invocation, default_file) : ConfigSource{};
}

TEST(CommandLine, WithoutWordsItIsACompleteSystem) {
  auto parsed = parse({});
  ASSERT_TRUE(parsed.invocation);
  EXPECT_EQ(parsed.invocation->action, Invocation::Action::serve);
  auto source = load({});
  EXPECT_TRUE(source.is_valid());
  EXPECT_EQ(source.config.datapath.kind, "auto");
  EXPECT_EQ(source.config.admin.port, 6677);
}

TEST(CommandLine, EveryWordIsHeard) {
  auto source =
      load({"--state-dir",  "/s", "--run-dir",      "/r",   "--datapath",          "fake", "--datapath-name", "dp1",
            "--workers",    "2",  "--max-flows",    "2048", "--flow-idle-timeout", "5",    "--mac-timeout",   "7",
            "--admin-port", "0",  "--metrics-port", "1",    "--host-name",         "h",    "--log-level",     "debug"});
  ASSERT_THAT(lines(source), IsEmpty());
  const Config& config = source.config;
  EXPECT_EQ(config.state_dir + config.run_dir + config.datapath.kind + config.datapath.name, "/s/rfakedp1");
  EXPECT_EQ(config.datapath.workers, 2U);
  EXPECT_EQ(config.datapath.max_flows, 2048U);
  EXPECT_EQ(config.datapath.flow_idle_timeout, std::chrono::seconds(5));
  EXPECT_EQ(config.bridge.mac_timeout, std::chrono::seconds(7));
  EXPECT_EQ(config.admin.port, 0);
  EXPECT_EQ(config.metrics.port, 1);
  EXPECT_EQ(config.host.name, "h");
  EXPECT_EQ(config.log.levels, "debug");
}

TEST(CommandLine, MistakesEndWithCodeTwoAndSaySo) {
  for (const Words& wrong :
       {Words{"--no-such-thing"}, Words{"--datapath", "dpdk"}, Words{"--workers", "65"}, Words{"--workers", "many"},
        Words{"--max-flows", "10"}, Words{"--datapath-name", "a b"}, Words{"--datapath-name", "sixteen-letters-"},
        Words{"--log-level", "loud"}, Words{"--admin-port", "70000"}, Words{"--state-dir"}, Words{"word"},
        Words{"--cleanup", "--check-config"}, Words{"--workers", "-1"}}) {
    auto parsed = parse(wrong);
    EXPECT_FALSE(parsed.invocation) << wrong[0];
    EXPECT_EQ(parsed.exit_code, 2) << wrong[0];
    EXPECT_NE(parsed.err, "") << wrong[0];
  }
  EXPECT_THAT(parse({"--workers", "65"}).err, HasSubstr("0 to 64"));
}

TEST(CommandLine, CheckingALevelDoesNotSetIt) {
  auto before = observability::log::level(observability::log::Component::store);
  EXPECT_TRUE(parse({"--log-level", "off"}).invocation);
  EXPECT_EQ(observability::log::level(observability::log::Component::store), before);
}

TEST(CommandLine, HelpAndVersionEndWell) {
  auto help = parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
  for (const Setting& setting : kSettings) EXPECT_THAT(help.out, HasSubstr(std::string(setting.option)));
  auto version = parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, HasSubstr("viaductd "));
}

TEST(CommandLine, ActionsAreWords) {
  EXPECT_EQ(parse({"--cleanup"}).invocation->action, Invocation::Action::cleanup);
  EXPECT_EQ(parse({"--check-config"}).invocation->action, Invocation::Action::check_config);
  EXPECT_EQ(parse({"--print-config"}).invocation->action, Invocation::Action::print_config);
}

TEST(CommandLine, ItGoesOverTheFile) {
  topology::store::testing::TemporaryDirectory directory;
  std::string file = (directory.path() / "f.toml").string();
  std::ofstream(file) << "state_dir = \"/file\"\n[datapath]\nworkers = 3\n";
  for (auto source : {load({"--workers", "5", "--config", file}), load({"--workers", "5"}, file)}) {
    EXPECT_EQ(source.config.datapath.workers, 5U);
    EXPECT_EQ(source.config.state_dir, "/file");
    EXPECT_EQ(source.where_of("datapath.workers"), "command line");
    EXPECT_EQ(source.where_of("state_dir"), file + ":1:1");
  }
}

TEST(CommandLine, AFileThatIsNamedMustBeThere) {
  EXPECT_THAT(lines(load({"--config", "/nonexistent/x.toml"})), ElementsAre(HasSubstr("No such file")));
  EXPECT_TRUE(load({}).is_valid());
}

}  // namespace
}  // namespace viaduct::actors::testing
