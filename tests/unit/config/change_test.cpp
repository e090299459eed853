// What SIGHUP does with a new configuration.
#include "actors/daemons/config_change.hpp"

#include "support.hpp"

namespace viaduct::actors::testing {
namespace {

TEST(ConfigChange, NothingChangedIsNothing) {
  auto change = compare(Config{}, Config{});
  EXPECT_TRUE(change.live.empty() && change.restart.empty());
}

TEST(ConfigChange, EachKeyIsNamedOnceAndOnlyLiveOnesAreTaken) {
  Config running, wanted;
  running.agent.cluster = {"a:1"};
  wanted.agent.cluster = {"a:1", "b:1"};
  wanted.log.levels = "debug";
  wanted.underlay.copy_dscp = true;
  wanted.datapath.workers = 3;
  wanted.admin.port = 1;
  auto change = compare(running, wanted);
  EXPECT_EQ(names_of(change.live), "log.levels, agent.cluster, underlay.copy_dscp");
  EXPECT_EQ(names_of(change.restart), "datapath.workers, admin.port");
  EXPECT_TRUE(change.has("log.levels"));
  EXPECT_FALSE(change.has("admin.port"));
  Config next = apply_live(running, wanted, change);
  EXPECT_EQ(next.log.levels, "debug");
  EXPECT_EQ(next.agent.cluster, wanted.agent.cluster);
  EXPECT_TRUE(next.underlay.copy_dscp);
  EXPECT_EQ(next.datapath.workers, 0U);
  EXPECT_EQ(next.admin.port, 6677);
  // The next SIGHUP names what still waits for a restart, and nothing else.
  EXPECT_EQ(names_of(compare(next, wanted).live), "");
  EXPECT_EQ(names_of(compare(next, wanted).restart), "datapath.workers, admin.port");
}

TEST(ConfigChange, ToClusterNodesFromTheOneInThisProcessNeedsARestart) {
  Config alone, member;
  member.agent.cluster = {"a:1"};
  EXPECT_EQ(names_of(compare(alone, member).restart), "agent.cluster");
  EXPECT_EQ(names_of(compare(member, alone).restart), "agent.cluster");
}

}  // namespace
}  // namespace viaduct::actors::testing
