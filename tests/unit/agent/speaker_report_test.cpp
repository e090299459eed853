#include "actors/agent/speaker_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using routing::bgp::PeerState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SpeakerReportTest : public ::testing::Test {
 protected:
  SpeakerReportTest() {
    plan_.router_name = "edge";
    plan_.port_name = "up1";
    plan_.config.peers = {{.address = kPeer, .as_number = 65002}, {.address = kOther, .as_number = 65003}};
  }
  static SpeakerStatus with(PeerState state) {
    SpeakerStatus out;
    out.peers = {{.address = kPeer, .state = state, .last_error = "hold timer expired"}};
    return out;
  }
  double value(const std::string& name, const std::string& label) const {
    for (const auto& family : registry_.collect()) {
      if (family.name != name) continue;
      for (const auto& sample : family.samples) {
        for (const auto& [key, text] : sample.labels) {
          if (text == label) return sample.value;
        }
      }
    }
    return 0;
  }
  double turns(const char* to) const { return value("viaduct_bgp_session_changes_total", to); }

  inline static const IpAddress kPeer = topology::testing::ip("10.9.0.2"),
                                kOther = topology::testing::ip("2001:db8:9::2");
  observability::Registry registry_;
  observability::BgpProbe probe_{registry_};
  SpeakerPlan plan_;
};

TEST_F(SpeakerReportTest, EachPeerThatIsWantedHasALine) {
  SpeakerStatus status = with(PeerState::established);
  status.asked = std::chrono::steady_clock::now();
  status.peers[0].uptime = std::chrono::seconds(90);
  BgpReport out;
  describe(plan_, status, out);
  ASSERT_EQ(out.peers.size(), 2U);
  EXPECT_EQ(out.peers[0].state, "Established");
  EXPECT_GE(out.peers[0].since, std::chrono::seconds(90));
  EXPECT_EQ(out.peers[1].state, "Unknown") << "bgpd has not said anything of it";
  EXPECT_THAT(out.problems, IsEmpty());
}

TEST_F(SpeakerReportTest, WhatIsWrongNamesThePortAndTheCure) {
  SpeakerStatus status;
  status.problem = "/usr/lib/frr/zebra is missing: install the package frr";
  status.daemons[2] = {.running = false, .starts = 3, .last_end = "killed by SIGSEGV"};
  status.surplus = 7;
  BgpReport out;
  describe(plan_, status, out);
  EXPECT_THAT(out.problems,
              ElementsAre(HasSubstr("router edge, port up1: /usr/lib/frr/zebra is missing"),
                          HasSubstr("bgpd was started 3 times, has ended, and is started again: killed by SIGSEGV"),
                          HasSubstr("7 routes are beyond the peers' prefix limits and not used: raise the limits")));
}

TEST_F(SpeakerReportTest, SessionsAreCountedAsTheyComeAndGo) {
  const SpeakerStatus up = with(PeerState::established), down = with(PeerState::active), away;
  tell_changes(plan_, away, down, probe_);
  EXPECT_EQ(turns("up") + turns("down"), 0) << "it was never there";
  tell_changes(plan_, down, up, probe_);
  tell_changes(plan_, up, down, probe_);
  EXPECT_EQ(turns("up"), 1);
  EXPECT_EQ(turns("down"), 1);
  tell_changes(plan_, down, up, probe_);
  tell_changes(plan_, up, away, probe_);
  EXPECT_EQ(turns("down"), 2) << "bgpd died, and its sessions with it";
}

TEST_F(SpeakerReportTest, RestartsAndRefusalsAreCountedAlsoOfASpeakerThatBeganAnew) {
  SpeakerStatus before, now;
  now.daemons[0].starts = 1;
  now.refused[0] = 5;
  tell_changes(plan_, before, now, probe_);
  EXPECT_EQ(value("viaduct_bgp_daemon_restarts_total", "zebra"), 0) << "its first life";
  EXPECT_EQ(value("viaduct_bgp_routes_refused_total", "own_network"), 5);
  before = now;
  now.daemons[0].starts = 3;
  now.refused[0] = 2;
  tell_changes(plan_, before, now, probe_);
  EXPECT_EQ(value("viaduct_bgp_daemon_restarts_total", "zebra"), 2);
  EXPECT_EQ(value("viaduct_bgp_routes_refused_total", "own_network"), 7);
}

TEST_F(SpeakerReportTest, ASpeakerRunsWhenAllOfItsDaemonsDo) {
  SpeakerStatus status = with(PeerState::established);
  BgpNumbers numbers;
  add_numbers(topology::testing::id<PortId>(22), plan_, status, numbers);
  for (auto& daemon : status.daemons) daemon.running = true;
  add_numbers(topology::testing::id<PortId>(22), plan_, status, numbers);
  EXPECT_FALSE(numbers.speakers.at(0).running);
  EXPECT_TRUE(numbers.speakers.at(1).running);
  EXPECT_TRUE(numbers.peers.at(0).established);
}

}  // namespace
}  // namespace viaduct::actors
