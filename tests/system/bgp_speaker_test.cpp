// What a speaker does with real routers of others: BIRD and GoBGP.
#include "bgp_fixture.hpp"

namespace viaduct::routing::bgp {
namespace {

TEST_F(BgpSpeakerTest, RoutesOfBothFamiliesBothWays) {
  start_speaker();
  bird_.start(BirdText{}.text());
  EXPECT_TRUE(until([&] { return has_both(); }));
  EXPECT_TRUE(until([&] { return established("10.9.0.2") && established("2001:db8:9::2"); }));
  EXPECT_TRUE(until([&] { return knows(bird_, "203.0.113.0/24") && knows(bird_, "2001:db8:100::/48"); }));
  EXPECT_TRUE(until([&] { return status("10.9.0.2")->prefixes_in == 1 && status("10.9.0.2")->prefixes_out == 1; }));
  EXPECT_EQ(routes_.size(), 2U);
  BirdText changed;
  changed.static4 = "route 198.51.100.0/24 blackhole;";
  bird_.reconfigure(changed.text());
  EXPECT_TRUE(until([&] { return has("198.51.100.0/24", {ip("10.9.0.2")}) && routes_.size() == 2; }));
}

TEST_F(BgpSpeakerTest, APasswordMustBeRight) {
  config_.peers = {peer("10.9.0.2")};
  config_.peers[0].password = "s3?c|r#t!";
  start_speaker();
  bird_.start(BirdText{.more = "password \"wrong\";"}.text());
  const auto refused = [&] {
    return output_of("ip netns exec " + options_.name + " nstat -az TcpExtTCPMD5Failure")
               .find("MD5Failure                 0 ") == std::string::npos;
  };
  EXPECT_TRUE(until(refused));
  EXPECT_FALSE(established("10.9.0.2"));
  EXPECT_EQ(routes_.size(), 0U);
  bird_.reconfigure(BirdText{.more = "password \"s3?c|r#t!\";"}.text());
  EXPECT_TRUE(until([&] { return has("192.0.2.0/24", {ip("10.9.0.2")}) && established("10.9.0.2"); }));
  config_.peers[0].password = "another";
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return !established("10.9.0.2"); }));
}

TEST_F(BgpSpeakerTest, TheSurplusOfAPeerIsNotUsed) {
  config_.peers[0].prefix_limit = 2;
  start_speaker();
  BirdText many;
  for (const char* one : {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"})
    many.static4 += "route " + std::string(one) + " blackhole;";
  bird_.start(many.text());
  EXPECT_TRUE(until([&] { return routes_.size() == 3 && speaker_->rib().surplus() == 2; }));  // two, and one of IPv6
  EXPECT_TRUE(until([&] { return established("10.9.0.2") && status("10.9.0.2")->prefixes_in == 4; }));
  config_.peers[0].prefix_limit = 0;
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return routes_.size() == 5 && speaker_->rib().surplus() == 0; }));
  EXPECT_EQ(status("10.9.0.2")->sessions_lost, 0U);
}

// Twenty thousand prefixes come within seconds, and go the same way.
TEST_F(BgpSpeakerTest, AFullPeer) {
  config_.peers = {peer("10.9.0.2")};
  config_.peers[0].prefix_limit = 15'000;
  start_speaker();
  BirdText many;
  many.static4.clear();
  for (int i = 0; i < 20'000; ++i) {
    many.static4 += "route 20." + std::to_string(i >> 8) + "." + std::to_string(i & 255) + ".0/24 blackhole;\n";
  }
  bird_.start(many.text());
  EXPECT_TRUE(until([&] { return routes_.size() == 15'000 && speaker_->rib().surplus() == 5'000; }));
  bird_.reconfigure(BirdText{}.text());
  EXPECT_TRUE(until([&] { return has("192.0.2.0/24", {ip("10.9.0.2")}) && routes_.size() == 1; }));
}

TEST_F(BgpSpeakerTest, TwoPeersShareTheLoadAndHearNothingOfEachOther) {
  config_.peers = {peer("10.9.0.2"), peer("10.9.0.3", 65003)};
  start_speaker();
  bird_.start(BirdText{}.text());
  second_.start(BirdText{.id = "10.9.0.3",
                         .v6 = "2001:db8:9::3",
                         .as = "65003",
                         .static4 = "route 192.0.2.0/24 blackhole; route 198.51.100.0/24 blackhole;"}
                    .text());
  const std::vector<IpAddress> both{ip("10.9.0.2"), ip("10.9.0.3")};
  EXPECT_TRUE(until([&] { return has("192.0.2.0/24", both) && has("198.51.100.0/24", {ip("10.9.0.3")}); }));
  EXPECT_TRUE(until([&] { return knows(bird_, "203.0.113.0/24") && knows(second_, "203.0.113.0/24"); }));
  EXPECT_FALSE(knows(bird_, "198.51.100.0/24"));
  removals_ = 0;
  second_.reconfigure(BirdText{.id = "10.9.0.3", .v6 = "2001:db8:9::3", .as = "65003"}.text() + "\n");
  EXPECT_TRUE(until([&] { return routes_.count(net("198.51.100.0/24")) == 0; }));
  EXPECT_TRUE(has("192.0.2.0/24", both));
  second_.reconfigure(
      BirdText{.id = "10.9.0.3", .v6 = "2001:db8:9::3", .as = "65003", .static4 = "route 198.51.100.0/24 blackhole;"}
          .text());
  EXPECT_TRUE(until([&] { return has("192.0.2.0/24", {ip("10.9.0.2")}) && routes_.size() == 2; }));
  EXPECT_EQ(removals_, 1);  // a route that loses a gateway is never away
}

TEST_F(BgpSpeakerTest, AFilterPassesWhatItNames) {
  config_.peers[0].import_filter = {{net("10.0.0.0/8"), 16, 16, true}};
  config_.peers[0].export_filter = {{net("198.51.100.0/24")}};
  start_speaker();
  BirdText many;
  many.static4 = "route 10.1.0.0/16 blackhole; route 10.2.0.0/24 blackhole; route 192.0.2.0/24 blackhole;";
  bird_.start(many.text());
  EXPECT_TRUE(until([&] { return has("10.1.0.0/16", {ip("10.9.0.2")}) && routes_.size() == 2; }));
  config_.peers[0].import_filter[0].max_length = 24;
  config_.peers[0].export_filter[0].prefix = net("203.0.113.0/24");
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return has("10.2.0.0/24", {ip("10.9.0.2")}) && knows(bird_, "203.0.113.0/24"); }));
  EXPECT_EQ(routes_.size(), 3U);
  EXPECT_EQ(status("10.9.0.2")->sessions_lost, 0U);
}

TEST_F(BgpSpeakerTest, BfdFindsASilentPeerWithinASecond) {
  for (SpeakerPeer& one : config_.peers) one.bfd = true;
  start_speaker();
  bird_.start(BirdText{.more = "bfd on;"}.text());
  const auto bfd_up = [&](const char* address) {
    return status(address) != nullptr && status(address)->bfd == BfdState::up;
  };
  EXPECT_TRUE(until([&] { return has_both() && bfd_up("10.9.0.2") && bfd_up("2001:db8:9::2"); }));
  // Another pace reaches sessions that are up.
  config_.bfd_multiplier = 4;
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  const std::string show = "vtysh --vty_socket " + options_.run_directory + " -c 'show bfd peers'";
  EXPECT_TRUE(until([&] { return output_of(show).find("Detect-multiplier: 4") != std::string::npos; }));
  std::ofstream(directory_ + "/silence.nft")
      << "table inet t {\n chain i { type filter hook input priority 0; policy drop; }\n"
         " chain o { type filter hook output priority 0; policy drop; }\n}\n";
  must_run("ip netns exec " + peers_ + " nft -f " + directory_ + "/silence.nft");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(until([&] { return routes_.empty(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  must_run("ip netns exec " + peers_ + " nft flush ruleset");
  EXPECT_TRUE(until([&] { return has_both(); }));
}

TEST_F(BgpSpeakerTest, ANetworkComesAndGoesWithinASession) {
  start_speaker();
  bird_.start(BirdText{}.text());
  EXPECT_TRUE(until([&] { return has_both() && knows(bird_, "203.0.113.0/24"); }));
  config_.networks = {net("2001:db8:100::/48"), net("198.51.100.0/24")};
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return knows(bird_, "198.51.100.0/24") && !knows(bird_, "203.0.113.0/24"); }));
  EXPECT_TRUE(until([&] { return status("10.9.0.2")->prefixes_out == 1; }));
  EXPECT_EQ(status("10.9.0.2")->sessions_lost, 0U);
  EXPECT_EQ(speaker_->daemon(FrrDaemon::bgpd).starts, 1U);
  config_.networks.push_back(net("10.7.7.7/24"));
  EXPECT_EQ(speaker_->reconfigure(config_), "network 10.7.7.7/24: has host bits; write 10.7.7.0/24");
}

TEST_F(BgpSpeakerTest, PeersComeAndGo) {
  config_.peers = {};
  start_speaker();
  bird_.start(BirdText{}.text());
  EXPECT_TRUE(until([&] { return speaker_->daemon(FrrDaemon::bgpd).running; }));
  config_.peers = {peer("10.9.0.2")};
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return has("192.0.2.0/24", {ip("10.9.0.2")}); }));
  config_.peers = {peer("2001:db8:9::2")};
  ASSERT_EQ(speaker_->reconfigure(config_), std::nullopt);
  EXPECT_TRUE(until([&] { return has("2001:db8:200::/48", {ip("2001:db8:9::2")}) && routes_.size() == 1; }));
}

// Its way is changed in a namespace that is in use.
TEST_F(BgpSpeakerTest, APeerBeyondTheLinkComesAndGoesWithinTheOthersSessions) {
  const char* far = "198.18.7.1";
  start_speaker();
  must_run("ip -n " + peers_ + " addr add " + far + "/32 dev lo");
  bird_.start(BirdText{}.text());
  second_.start(BirdText{.id = far,
                         .v6 = "2001:db8:9::3",
                         .as = "65003",
                         .static4 = "route 198.51.100.0/24 blackhole;",
                         .more = "multihop 4;"}
                    .text());
  EXPECT_TRUE(until([&] { return has_both(); }));
  const SpeakerConfig without = config_;
  config_.peers.push_back(peer(far, 65003));
  config_.peers.back().multihop = 4;
  ASSERT_EQ(speaker_->reconfigure(config_, {{net("198.18.7.1/32"), ip("10.9.0.2")}}), std::nullopt);
  EXPECT_TRUE(until([&] { return established(far) && routes_.contains(net("198.51.100.0/24")); }));
  EXPECT_EQ(status("10.9.0.2")->sessions_lost, 0U);
  ASSERT_EQ(speaker_->reconfigure(without), std::nullopt);
  EXPECT_TRUE(until([&] { return !routes_.contains(net("198.51.100.0/24")); }));
  EXPECT_EQ(output_of("ip -n " + options_.name + " route show " + far), "");
  EXPECT_TRUE(has_both());
  EXPECT_EQ(status("10.9.0.2")->sessions_lost, 0U);
  EXPECT_EQ(speaker_->daemon(FrrDaemon::bgpd).starts, 1U);
}

TEST_F(BgpSpeakerTest, GoBgpIsAPeerAsWell) {
  config_.peers = {peer("10.9.0.2")};
  config_.peers[0].password = "s3cret";
  start_speaker();
  PeerRouter gobgp("/usr/bin/gobgpd", peers_, directory_, "gobgp");
  gobgp.start(
      "[global.config]\n  as = 65002\n  router-id = \"10.9.0.2\"\n  local-address-list = [\"10.9.0.2\"]\n"
      "[[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"10.9.0.1\"\n    peer-as = 65001\n"
      "    auth-password = \"s3cret\"\n  [neighbors.timers.config]\n    connect-retry = 1\n");
  EXPECT_TRUE(until([&] { return established("10.9.0.2"); }));
  gobgp.ask("global rib add 192.0.2.0/24 nexthop 10.9.0.2");
  EXPECT_TRUE(until([&] { return has("192.0.2.0/24", {ip("10.9.0.2")}); }));
  EXPECT_TRUE(until([&] { return gobgp.ask("global rib").find("203.0.113.0/24") != std::string::npos; }));
  gobgp.ask("global rib del 192.0.2.0/24 nexthop 10.9.0.2");
  EXPECT_TRUE(until([&] { return routes_.empty(); }));
}

}  // namespace
}  // namespace viaduct::routing::bgp
