#include "routing/bgp/frr_config.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "literals.hpp"

namespace viaduct::routing::bgp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// What stands between two lines.
std::string section(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from), end = text.find(to, begin);
  return begin == std::string::npos || end == std::string::npos ? "" : text.substr(begin, end - begin);
}

TEST(FrrConfig, FamiliesAreNotMixed) {
  const std::string text = render(two_peers(), 2620).bgpd;
  const std::string v4 = section(text, "address-family ipv4 unicast", "exit-address-family");
  const std::string v6 = section(text, "address-family ipv6 unicast", "exit-address-family");
  EXPECT_THAT(v4, HasSubstr("neighbor 10.9.0.2 activate\n"));
  EXPECT_THAT(v4, HasSubstr("network 203.0.113.0/24\n"));
  EXPECT_THAT(v4, Not(HasSubstr("2001:")));
  EXPECT_THAT(v6, HasSubstr("neighbor 2001:db8:9::2 activate\n"));
  EXPECT_THAT(v6, HasSubstr("neighbor 2001:db8:9::2 route-map viaduct-global-next-hop in\n"));
  EXPECT_THAT(v6, HasSubstr("network 2001:db8:100::/48\n"));
  EXPECT_THAT(v6, Not(HasSubstr("10.9.")));
  EXPECT_THAT(text, HasSubstr("no bgp default ipv4-unicast\n"));
}

TEST(FrrConfig, AnnouncesOwnPathsOnly) {
  const std::string text = render(two_peers(), 2620).bgpd;
  EXPECT_THAT(text, HasSubstr("bgp as-path access-list viaduct-own seq 5 permit ^$\n"));
  EXPECT_THAT(text, HasSubstr("neighbor 10.9.0.2 filter-list viaduct-own out\n"));
  EXPECT_THAT(text, HasSubstr("neighbor 2001:db8:9::2 filter-list viaduct-own out\n"));
}

TEST(FrrConfig, SaysWhatAPeerHas) {
  SpeakerConfig config = two_peers();
  SpeakerPeer& peer = config.peers[0];
  peer.keep_alive = std::chrono::seconds(3);
  peer.hold_time = std::chrono::seconds(9);
  peer.connect_retry = std::chrono::seconds(1);
  peer.password = "s3cret";
  peer.bfd = true;
  peer.multihop = 4;
  peer.prefix_limit = 1000;
  peer.graceful_restart = false;
  const std::string text = render(config, 2620).bgpd;
  for (const char* line :
       {"remote-as 65002", "timers 3 9", "timers connect 1", "password s3cret", "bfd profile viaduct",
        "ebgp-multihop 4", "maximum-prefix 1000 warning-only", "graceful-restart-disable"}) {
    EXPECT_THAT(text, HasSubstr("neighbor 10.9.0.2 " + std::string(line) + "\n"));
    if (std::string(line) != "remote-as 65002") {
      EXPECT_THAT(text, Not(HasSubstr("neighbor 2001:db8:9::2 " + std::string(line) + "\n")));
    }
  }
  peer.as_number = config.as_number;  // inside an AS there are no hops to count
  EXPECT_THAT(render(config, 2620).bgpd, Not(HasSubstr("ebgp-multihop")));
}

TEST(FrrConfig, FiltersAreListsOfThePeersFamily) {
  SpeakerConfig config = two_peers();
  config.peers[0].import_filter = {{net("10.0.0.0/8"), 16, 24, true}, {net("2001:db8::/32"), 0, 0, true}};
  config.peers[1].import_filter = {{net("10.0.0.0/8"), 0, 0, true}};
  const std::string text = render(config, 2620).bgpd;
  EXPECT_THAT(text, HasSubstr(" seq 5 permit 10.0.0.0/8 ge 16 le 24\n"));
  EXPECT_THAT(text, HasSubstr(" seq 10 deny 0.0.0.0/0 le 32\n"));
  EXPECT_THAT(text, HasSubstr(" seq 5 deny ::/0 le 128\n"));  // rules, but none of its family: nothing passes
  EXPECT_THAT(text, Not(HasSubstr("2001:db8::/32")));
}

TEST(FrrConfig, ZebraTurnsIdsOffBeforeItConnects) {
  EXPECT_EQ(render(two_peers(), 4711).zebra, "no fpm use-next-hop-groups\nfpm address 127.0.0.1 port 4711\n");
}

TEST(FrrChanges, NothingForTheSame) {
  EXPECT_THAT(changes(two_peers(), two_peers()).bgpd, IsEmpty());
  EXPECT_THAT(changes(two_peers(), two_peers()).bfdd, IsEmpty());
}

TEST(FrrChanges, ANetworkTouchesNoPeer) {
  SpeakerConfig after = two_peers();
  after.networks = {net("2001:db8:100::/48"), net("198.51.100.0/24")};
  EXPECT_THAT(
      changes(two_peers(), after).bgpd,
      ElementsAre("configure terminal", "router bgp 65001", "address-family ipv4 unicast", "network 198.51.100.0/24",
                  "no network 203.0.113.0/24", "exit-address-family", "exit", "end"));
}

TEST(FrrChanges, APeerGoesInOneLine) {
  SpeakerConfig before = two_peers(), after = two_peers();
  before.peers[0].import_filter = {{net("10.0.0.0/8")}};
  after.peers.erase(after.peers.begin());
  const auto lines = changes(before, after).bgpd;
  EXPECT_THAT(lines, Contains("no neighbor 10.9.0.2"));
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(), [](auto& one) { return one.find("10.9.0.2") != std::string::npos; }),
      1);
  EXPECT_THAT(lines, Contains(StartsWith("no ip prefix-list ")));  // its list
}

TEST(FrrChanges, AFilterIsReplacedInOneStep) {
  SpeakerConfig before = two_peers(), after = two_peers();
  before.peers[0].import_filter = {{net("10.0.0.0/8")}};
  after.peers[0].import_filter = {{net("10.0.0.0/8"), 0, 24}};
  const auto lines = changes(before, after).bgpd;
  const auto at = [&](const char* begin) {
    const auto found = std::find_if(lines.begin(), lines.end(), [&](auto& one) { return one.starts_with(begin); });
    EXPECT_NE(found, lines.end()) << begin;
    return found - lines.begin();
  };
  EXPECT_LT(at("ip prefix-list "), at("neighbor 10.9.0.2 prefix-list "));
  EXPECT_LT(at("neighbor 10.9.0.2 prefix-list "), at("no ip prefix-list "));
  EXPECT_THAT(lines, Not(Contains(StartsWith("no neighbor"))));
  // And away altogether.
  EXPECT_THAT(changes(after, two_peers()).bgpd, Contains(StartsWith("no neighbor 10.9.0.2 prefix-list ")));
}

TEST(FrrChanges, ASharedListStaysWithThePeerThatHasIt) {
  SpeakerConfig before = two_peers();
  before.peers.push_back({.address = ip("10.9.0.3"), .as_number = 65003});
  before.peers[0].export_filter = before.peers[2].export_filter = {{net("203.0.113.0/24")}};
  SpeakerConfig after = before;
  after.peers[0].export_filter.clear();
  EXPECT_THAT(changes(before, after).bgpd, Not(Contains(StartsWith("no ip prefix-list "))));
}

TEST(FrrChanges, GracefulRestartNeedsANewSession) {
  SpeakerConfig after = two_peers();
  after.peers[0].graceful_restart = false;
  const auto lines = changes(two_peers(), after).bgpd;
  EXPECT_THAT(lines, Contains("neighbor 10.9.0.2 graceful-restart-disable"));
  EXPECT_EQ(lines.back(), "clear bgp 10.9.0.2");
}

TEST(FrrChanges, AnotherAsIsAnotherSpeaker) {
  SpeakerConfig after = two_peers();
  after.as_number = 65009;
  const auto lines = changes(two_peers(), after).bgpd;
  EXPECT_EQ(lines[1], "no router bgp 65001");
  EXPECT_THAT(lines, Contains("router bgp 65009"));
  EXPECT_THAT(lines, Contains("neighbor 10.9.0.2 remote-as 65002"));
}

TEST(FrrChanges, BfdIntervalsAreBfddsMatter) {
  SpeakerConfig after = two_peers();
  after.bfd_interval = std::chrono::milliseconds(50);
  const FrrChanges both = changes(two_peers(), after);
  EXPECT_THAT(both.bgpd, IsEmpty());
  EXPECT_THAT(both.bfdd, Contains("receive-interval 50"));
}

}  // namespace
}  // namespace viaduct::routing::bgp
