// The small parts of a daemon's start and supervision: host identity, back-off, policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "actors/daemons/host_identity.hpp"
#include "actors/runtime/backoff.hpp"
#include "actors/runtime/policy.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

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
  for (const char* auxiliary : {"bridge", "router", "learned_state", "admin_endpoint", "admin", "rest_gateway"}) {
    EXPECT_EQ(on_death(auxiliary), OnDeath::restart) << auxiliary;
  }
  EXPECT_EQ(on_death("forgotten in the table"), OnDeath::end_daemon);
}

}  // namespace
}  // namespace viaduct::actors
