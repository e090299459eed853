#include "routing/bgp/child_process.hpp"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "../eventually.hpp"

namespace viaduct::routing::bgp {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

ChildOptions shell(const std::string& script) { return {.program = "/bin/sh", .arguments = {"-c", script}}; }

class Child : public testing::Test {
 protected:
  void start(const ChildOptions& options) {
    std::string what;
    const auto error = child_.start(options, what);
    ASSERT_FALSE(error) << what << ": " << error.message();
  }
  ChildExit wait() {
    pollfd watched{child_.end_fd(), POLLIN, 0};
    EXPECT_EQ(poll(&watched, 1, 60'000), 1);
    return child_.reap().value_or(ChildExit{-1, -1});
  }
  ChildProcess child_;
};

TEST_F(Child, SaysHowItEnded) {
  start(shell("echo one; echo two >&2; exit 7"));
  const ChildExit exit = wait();
  EXPECT_EQ(exit.code, 7);
  EXPECT_EQ(exit.to_string(), "exit status 7");
  EXPECT_THAT(child_.read_output(), ElementsAre("one", "two"));
  EXPECT_FALSE(child_.running());
  start(shell("kill -SEGV $$"));
  EXPECT_EQ(wait().to_string(), "killed by SIGSEGV");
}

TEST_F(Child, WhatCannotStartIsAnError) {
  std::string what;
  EXPECT_EQ(child_.start({.program = "/nonexistent"}, what), std::errc::no_such_file_or_directory);
  EXPECT_EQ(what, "/nonexistent: exec");
  EXPECT_FALSE(child_.running());
  EXPECT_TRUE(child_.start({.program = "/bin/true", .network_namespace = "vtb-none"}, what));
  EXPECT_THAT(what, HasSubstr("network namespace vtb-none"));
  EXPECT_TRUE(child_.start({.program = "/bin/true", .user = "vtb-nobody"}, what));
  EXPECT_EQ(what, "user vtb-nobody");
}

TEST_F(Child, StopsOrIsKilled) {
  start(shell("exec sleep 1000"));
  EXPECT_EQ(child_.stop(ChildProcess::Clock::now() + 60s).signal, SIGTERM);
  start(shell("trap '' TERM; echo ready; while :; do read x; done < /dev/zero"));
  ASSERT_TRUE(eventually([&] { return !child_.read_output().empty(); }));
  EXPECT_EQ(child_.stop(ChildProcess::Clock::now()).signal, SIGKILL);
}

TEST_F(Child, NeverWaitsForAReader) {
  start(
      shell("i=0; while [ $i -lt 20000 ]; do echo line of some length that nobody reads $i; i=$((i+1)); done; exit 5"));
  EXPECT_EQ(wait().code, 5);
  child_.read_output();
  EXPECT_LE(child_.tail().size(), ChildProcess::kTailBytes);
}

TEST_F(Child, DiesWithTheThreadThatStartedIt) {
  std::thread([&] { start(shell("exec sleep 1000")); }).join();
  EXPECT_EQ(wait().signal, SIGKILL);
}

// The user is entered before the program starts: otherwise the kernel forgets with whom it dies.
TEST_F(Child, AnotherUserKeepsItsCapabilitiesAndDiesAsWell) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  ChildOptions options = shell("id -un; grep -E 'Cap(Prm|Amb)' /proc/self/status; exec sleep 1000");
  options.user = "nobody";
  options.capabilities = {CAP_NET_ADMIN, CAP_NET_RAW};
  std::vector<std::string> lines;
  std::thread([&] {
    start(options);
    EXPECT_TRUE(eventually([&] {
      for (std::string& line : child_.read_output()) lines.push_back(std::move(line));
      return lines.size() >= 3;
    }));
  }).join();
  EXPECT_THAT(lines, ElementsAre("nobody", "CapPrm:\t0000000000003000", "CapAmb:\t0000000000003000"));
  EXPECT_EQ(wait().signal, SIGKILL);
}

}  // namespace
}  // namespace viaduct::routing::bgp
