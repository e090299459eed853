// The small parts of a daemon's start and supervision: options, host identity, back-off, policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "actors/daemons/host_identity.hpp"
#include "actors/daemons/options.hpp"
#include "actors/runtime/backoff.hpp"
#include "actors/runtime/policy.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// --- options --------------------------------------------------------------------------------------

struct Parsed {
  std::optional<DaemonOptions> options;
  int exit_code = -1;
  std::string out, err;
};
Parsed parse(std::vector<std::string> words) {
  words.insert(words.begin(), "viaductd");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  Parsed result;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  result.options = parse_options(static_cast<int>(argv.size()), argv.data(), result.exit_code);
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  return result;
}

TEST(DaemonOptions, WithoutWordsItIsACompleteSystem) {
  auto parsed = parse({});
  ASSERT_TRUE(parsed.options);
  EXPECT_EQ(parsed.options->datapath, "auto");
  EXPECT_EQ(parsed.options->admin_port, 6677);
  EXPECT_FALSE(parsed.options->cleanup);
}

TEST(DaemonOptions, EveryWordIsHeard) {
  auto parsed =
      parse({"--state-dir",  "/s", "--run-dir",      "/r",   "--datapath",          "fake", "--datapath-name", "dp1",
             "--workers",    "2",  "--max-flows",    "2048", "--flow-idle-timeout", "5",    "--mac-timeout",   "7",
             "--admin-port", "0",  "--metrics-port", "1",    "--host-name",         "h",    "--log-level",     "info",
             "--cleanup"});
  ASSERT_TRUE(parsed.options) << parsed.err;
  const DaemonOptions& options = *parsed.options;
  EXPECT_EQ(options.state_dir + options.run_dir + options.datapath + options.datapath_name, "/s/rfakedp1");
  EXPECT_EQ(options.workers, 2);
  EXPECT_EQ(options.max_flows, 2048);
  EXPECT_EQ(options.idle_timeout_s, 5);
  EXPECT_EQ(options.mac_timeout_s, 7);
  EXPECT_EQ(options.admin_port, 0);
  EXPECT_EQ(options.metrics_port, 1);
  EXPECT_EQ(options.host_name, "h");
  EXPECT_TRUE(options.cleanup);
}

TEST(DaemonOptions, MistakesEndWithCodeTwoAndSaySo) {
  using Words = std::vector<std::string>;
  for (const Words& wrong :
       {Words{"--no-such-thing"}, Words{"--datapath", "dpdk"}, Words{"--workers", "65"}, Words{"--workers", "many"},
        Words{"--max-flows", "10"}, Words{"--datapath-name", "a b"}, Words{"--datapath-name", "sixteen-letters-"},
        Words{"--log-level", "loud"}, Words{"--admin-port", "70000"}, Words{"--state-dir"}, Words{"word"}}) {
    auto parsed = parse(wrong);
    EXPECT_FALSE(parsed.options) << wrong[0];
    EXPECT_EQ(parsed.exit_code, 2) << wrong[0];
    EXPECT_NE(parsed.err, "") << wrong[0];
  }
}

TEST(DaemonOptions, HelpAndVersionEndWell) {
  auto help = parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("Examples:"));
  auto version = parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, HasSubstr("viaductd "));
}

// --- host identity --------------------------------------------------------------------------------

TEST(HostIdentity, ItIsMadeOnceAndKept) {
  topology::store::testing::TemporaryDirectory directory;
  std::string error;
  auto first = load_host_identity(directory.path().string(), "h1", error);
  EXPECT_EQ(error, "");
  EXPECT_EQ(first.name, "h1");
  EXPECT_FALSE(first.id.is_nil());
  auto again = load_host_identity(directory.path().string(), "", error);
  EXPECT_EQ(again.id, first.id);
  EXPECT_NE(again.name, "") << "the kernel's";
}

TEST(HostIdentity, ADamagedFileIsNotReplaced) {
  topology::store::testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "host-id") << "garbage\n";
  std::string error;
  load_host_identity(directory.path().string(), "h", error);
  EXPECT_THAT(error, HasSubstr("does not hold a UUID"));
}

TEST(HostIdentity, AnEmptyFileIsNotTakenForANewHost) {
  topology::store::testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "host-id").close();
  std::string error;
  load_host_identity(directory.path().string(), "h", error);
  EXPECT_THAT(error, HasSubstr("does not hold a UUID"));
}

TEST(HostIdentity, ADirectoryThatCannotBeWrittenIsAnError) {
  std::string error;
  load_host_identity("/proc/nonexistent", "h", error);
  EXPECT_THAT(error, HasSubstr("cannot write"));
}

// --- supervision ----------------------------------------------------------------------------------

TEST(Backoff, ItDoublesUpToALimitAndStartsAgainAfterAQuietTime) {
  Backoff backoff(milliseconds(100), milliseconds(500), seconds(60));
  Backoff::Time now{};
  for (int pause : {100, 200, 400, 500, 500}) {
    EXPECT_EQ(backoff.next(now), milliseconds(pause));
    now += seconds(1);
  }
  EXPECT_EQ(backoff.next(now + seconds(61)), milliseconds(100));
  EXPECT_EQ(backoff.deaths(), 6);
}

TEST(Policy, WhatOthersRelyOnEndsTheDaemon) {
  for (const char* core : {"topology_store", "topology_mirror", "datapath", "flow_controller", "devices"}) {
    EXPECT_EQ(on_death(core), OnDeath::end_daemon) << core;
  }
  for (const char* auxiliary : {"bridge", "router", "learned_state", "admin_endpoint", "admin"}) {
    EXPECT_EQ(on_death(auxiliary), OnDeath::restart) << auxiliary;
  }
  EXPECT_EQ(on_death("forgotten in the table"), OnDeath::end_daemon);
}

}  // namespace
}  // namespace viaduct::actors
