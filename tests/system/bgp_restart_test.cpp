// Daemons of a speaker die, and nobody's packets notice; the speaker ends, and nothing is left.
#include <thread>

#include "../unit/eventually.hpp"
#include "bgp_fixture.hpp"

namespace viaduct::routing::bgp {
namespace {

class BgpRestartTest : public BgpSpeakerTest {
 protected:
  void set_up_routes() {
    start_speaker();
    bird_.start(BirdText{}.text());
    ASSERT_TRUE(until([&] { return has_both() && established("10.9.0.2") && established("2001:db8:9::2"); }));
    ASSERT_TRUE(until([&] { return knows(bird_, "203.0.113.0/24") && knows(bird_, "2001:db8:100::/48"); }));
    removals_ = 0;
  }
  bool back(FrrDaemon daemon) {
    return speaker_->daemon(daemon).starts == 2 && speaker_->daemon(daemon).running && established("10.9.0.2") &&
           established("2001:db8:9::2") && speaker_->rib().phase() == Rib::Phase::normal;
  }
  // Until everything is normal again; and neither side takes a route away meanwhile.
  void expect_hitless(FrrDaemon daemon) {
    bool peer_forwards = true;
    EXPECT_TRUE(until([&] {
      peer_forwards = peer_forwards && knows(bird_, "203.0.113.0/24") && knows(bird_, "2001:db8:100::/48");
      return back(daemon);
    }));
    EXPECT_EQ(removals_, 0);
    EXPECT_TRUE(has_both());
    EXPECT_TRUE(peer_forwards);
  }
};

TEST_F(BgpRestartTest, BgpdIsKilled) {
  set_up_routes();
  kill_daemon(FrrDaemon::bgpd);
  EXPECT_TRUE(until([&] { return speaker_->rib().phase() != Rib::Phase::normal; }));
  expect_hitless(FrrDaemon::bgpd);
  EXPECT_EQ(speaker_->daemon(FrrDaemon::zebra).starts, 1U);
  EXPECT_NE(speaker_->daemon(FrrDaemon::bgpd).last_end.find("killed by SIGKILL"), std::string::npos);
}

TEST_F(BgpRestartTest, WhatAPeerForgotMeanwhileGoesAfterwards) {
  set_up_routes();
  kill_daemon(FrrDaemon::bgpd);
  BirdText changed;
  changed.static6 = "route 2001:db8:300::/48 blackhole;";
  bird_.reconfigure(changed.text());
  EXPECT_TRUE(until(
      [&] { return back(FrrDaemon::bgpd) && has("2001:db8:300::/48", {ip("2001:db8:9::2")}) && removals_ == 1; }));
  EXPECT_EQ(routes_.count(net("2001:db8:200::/48")), 0U);
  EXPECT_TRUE(has("192.0.2.0/24", {ip("10.9.0.2")}));
}

TEST_F(BgpRestartTest, ZebraIsKilled) {
  set_up_routes();
  kill_daemon(FrrDaemon::zebra);
  EXPECT_TRUE(until([&] { return speaker_->rib().phase() != Rib::Phase::normal; }));
  expect_hitless(FrrDaemon::zebra);
  EXPECT_EQ(speaker_->daemon(FrrDaemon::bgpd).starts, 2U);
}

TEST_F(BgpRestartTest, BfddIsKilled) {
  for (SpeakerPeer& one : config_.peers) one.bfd = true;
  start_speaker();
  bird_.start(BirdText{.more = "bfd graceful;"}.text());
  const auto bfd_up = [&] { return status("10.9.0.2") != nullptr && status("10.9.0.2")->bfd == BfdState::up; };
  EXPECT_TRUE(until([&] { return has_both() && bfd_up(); }));
  kill_daemon(FrrDaemon::bfdd);
  EXPECT_TRUE(until([&] { return speaker_->daemon(FrrDaemon::bfdd).starts == 2 && has_both() && bfd_up(); }));
}

TEST_F(BgpRestartTest, ReconfiguredWhileItIsAway) {
  set_up_routes();
  kill_daemon(FrrDaemon::bgpd);
  config_.networks.push_back(net("198.51.100.0/24"));
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return back(FrrDaemon::bgpd) && knows(bird_, "198.51.100.0/24"); }));
  EXPECT_EQ(removals_, 0);
}

TEST_F(BgpRestartTest, AnEndLeavesNothing) {
  set_up_routes();
  std::vector<int> pids;
  for (const FrrDaemon one : {FrrDaemon::zebra, FrrDaemon::bfdd, FrrDaemon::bgpd})
    pids.push_back(speaker_->daemon(one).pid);
  EXPECT_EQ(speaker_->stop(), std::nullopt);
  for (const int pid : pids) EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_TRUE(leftovers(options_.name).namespaces.empty());
  EXPECT_TRUE(until([&] {
    return output_of("ip -n " + peers_ + " link show " + options_.uplink.outer).find("does not exist") !=
           std::string::npos;
  }));
  EXPECT_FALSE(std::filesystem::exists(options_.run_directory));
  // The peer heard of it, and does not wait for a restart.
  EXPECT_TRUE(until([&] { return !knows(bird_, "203.0.113.0/24"); }));
}

// FRR keeps what the kernel would forget, had it changed its user itself.
TEST_F(BgpRestartTest, DaemonsDieWithTheThreadThatStartedThem) {
  std::vector<std::string> processes;
  std::thread([&] {
    speaker_ = std::make_unique<FrrSpeaker>(options_, config_);
    ASSERT_EQ(speaker_->start(), std::nullopt);
    for (const FrrDaemon one : {FrrDaemon::zebra, FrrDaemon::bfdd, FrrDaemon::bgpd}) {
      ASSERT_TRUE(until([&] { return speaker_->daemon(one).running; }));
      processes.push_back("/proc/" + std::to_string(speaker_->daemon(one).pid) + "/stat");
    }
  }).join();
  for (const std::string& one : processes) {
    EXPECT_TRUE(eventually([&] {
      std::string pid, name, state;
      std::ifstream(one) >> pid >> name >> state;
      return state == "Z";  // dead, and we have not asked how
    })) << one;
  }
}

TEST_F(BgpRestartTest, AnEarlierLifeIsCleanedUp) {
  ASSERT_EQ(make_namespace(options_.name), std::nullopt);
  ASSERT_EQ(make_uplink(options_.name, options_.uplink), std::nullopt);
  ChildProcess old;
  std::string what;
  ASSERT_FALSE(old.start({"/bin/sleep", {"1000"}, options_.name, {}, {}}, what)) << what;
  EXPECT_EQ(leftovers(stem_ + "-").namespaces.size(), 2U);
  start_speaker();
  bird_.start(BirdText{}.text());
  EXPECT_TRUE(until([&] { return has_both(); }));
  const auto ended = old.reap();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->signal, SIGKILL);
}

TEST_F(BgpRestartTest, WithoutFrrItNamesThePackage) {
  options_.frr_directory = "/nonexistent";
  FrrSpeaker speaker(options_, config_);
  EXPECT_EQ(speaker.start(), "/nonexistent/zebra is missing: install the package frr");
  EXPECT_TRUE(leftovers(options_.name).namespaces.empty());
}

TEST_F(BgpRestartTest, ADaemonThatCannotLiveIsTriedEverMoreSlowly) {
  options_.frr_directory = directory_;
  for (const char* one : {"zebra", "bfdd", "bgpd"}) {
    std::ofstream(directory_ + "/" + one) << "#!/bin/sh\necho this is why\nexit 3\n";
    must_run("chmod 755 " + directory_ + " " + directory_ + "/" + one);
  }
  speaker_ = std::make_unique<FrrSpeaker>(options_, config_);
  ASSERT_EQ(speaker_->start(), std::nullopt);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(until([&] { return speaker_->daemon(FrrDaemon::zebra).starts == 5; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 1500ms);  // 100 + 200 + 400 + 800
  EXPECT_EQ(speaker_->daemon(FrrDaemon::zebra).last_end, "exit status 3: this is why");
  EXPECT_EQ(speaker_->daemon(FrrDaemon::bgpd).starts, 0U);
}

}  // namespace
}  // namespace viaduct::routing::bgp
