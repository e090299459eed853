#include "actors/agent/speaker_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/agent/announced_nat.hpp"
#include "tests/unit/topology/literals.hpp"

namespace viaduct::actors {
namespace {

using namespace topology;
using namespace topology::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const HostId kHere = id<HostId>(1);

// edge (12) AS 65000 ── uplink (22) 10.9.0.1/24, 2001:db8:9::1/64, on this host, eth7
//                   └── other (23) 10.8.0.1/24, on another host
class SpeakerPlanTest : public ::testing::Test {
 protected:
  SpeakerPlanTest() {
    put(router_);
    Port uplink = router_port(22, 12, "10.9.0.1/24");
    uplink.addresses.push_back(prefix("2001:db8:9::1/64"));
    uplink.host = kHere;
    uplink.interface = "eth7";
    put(uplink_ = uplink);
    Port other = router_port(23, 12, "10.8.0.1/24");
    other.host = id<HostId>(2);
    other.interface = "eth7";
    put(other);
    put(router_port(24, 12, "10.0.0.1/24"));
  }
  void put(Object object) { topology_.put(share(std::move(object))); }
  SpeakerPlans plan() const { return plan_speakers(topology_, kHere); }
  SpeakerPlan the_plan() const {
    SpeakerPlans all = plan();
    EXPECT_THAT(all.problems, IsEmpty());
    EXPECT_THAT(all.speakers, SizeIs(1));
    return all.speakers.empty() ? SpeakerPlan{} : all.speakers.begin()->second;
  }
  std::vector<std::string> peers() const {
    std::vector<std::string> out;
    for (const auto& peer : the_plan().config.peers) out.push_back(peer.address.to_string());
    return out;
  }

  Router router_ = bgp_router(12);
  Port uplink_;
  Snapshot topology_;
};

TEST_F(SpeakerPlanTest, APortSpeaksWithThePeersOnItsLinks) {
  put(bgp_peer(30, 12, "2001:db8:9::2"));
  put(bgp_peer(31, 12, "10.9.0.2"));
  put(bgp_peer(32, 12, "10.8.0.2"));  // on the other host's link
  put(bgp_network(40, 12, "203.0.113.0/24"));
  const SpeakerPlan plan = the_plan();
  EXPECT_EQ(plan.config.as_number, 65'000U);
  EXPECT_EQ(plan.config.router_id, ip("10.9.0.1"));
  EXPECT_EQ(plan.interface, "eth7");
  EXPECT_EQ(plan.uplink.mtu, 0U);
  EXPECT_EQ(plan.uplink.mac, uplink_.mac);
  EXPECT_EQ(plan.uplink.addresses, uplink_.addresses);
  EXPECT_THAT(plan.uplink.routes, IsEmpty());
  EXPECT_THAT(plan.config.networks, ElementsAre(prefix("203.0.113.0/24")));
  EXPECT_THAT(peers(), ElementsAre("10.9.0.2", "2001:db8:9::2"));
  EXPECT_EQ(routing::bgp::check(plan.config), std::nullopt);
}

TEST_F(SpeakerPlanTest, NobodySpeaksWithoutAnAsNumberAPeerOrAPortThatIsUp) {
  EXPECT_THAT(plan().speakers, IsEmpty()) << "no peer";
  BgpPeer peer = bgp_peer(31, 12, "10.9.0.2");
  peer.admin_up = false;
  put(peer);
  EXPECT_THAT(plan().speakers, IsEmpty()) << "it is down";
  put(bgp_peer(31, 12, "10.9.0.2"));
  EXPECT_THAT(plan().speakers, SizeIs(1));
  router_.as_number = 0;
  put(router_);
  EXPECT_THAT(plan().speakers, IsEmpty());
  router_.as_number = 65'000;
  put(router_);
  uplink_.admin_up = false;
  put(uplink_);
  EXPECT_THAT(plan().speakers, IsEmpty());
}

TEST_F(SpeakerPlanTest, APeerOnNoLinkIsSaidOnceAndNamesTheCure) {
  put(bgp_peer(30, 12, "10.9.0.2"));
  put(bgp_peer(31, 12, "192.0.2.2"));
  Port second = uplink_;
  second.id = id<PortId>(25);
  second.addresses = {prefix("10.7.0.1/24")};
  put(second);
  const SpeakerPlans all = plan();
  EXPECT_THAT(all.speakers, SizeIs(1)) << "the second port has no peer";
  ASSERT_THAT(all.problems, SizeIs(1));
  EXPECT_THAT(all.problems[0], AllOf(HasSubstr("192.0.2.2"), HasSubstr("router12"), HasSubstr("in no subnet"),
                                     HasSubstr("set multihop")));
}

TEST_F(SpeakerPlanTest, APeerBeyondTheLinkIsReachedByTheMostSpecificRoute) {
  BgpPeer peer = bgp_peer(31, 12, "192.0.2.2");
  peer.multihop = 4;
  put(peer);
  ASSERT_THAT(plan().problems, SizeIs(1));
  EXPECT_THAT(plan().problems[0], HasSubstr("no route with a gateway"));
  put(route(50, 12, "0.0.0.0/0", 22, "10.9.0.254"));
  put(route(51, 12, "192.0.2.0/24", 22, "10.9.0.253"));
  put(route(52, 12, "192.0.2.0/25", 23, "10.8.0.253"));
  const SpeakerPlan plan = the_plan();
  EXPECT_THAT(plan.uplink.routes, ElementsAre(routing::bgp::UplinkRoute{prefix("192.0.2.2/32"), ip("10.9.0.253")}));
  EXPECT_EQ(plan.config.peers.at(0).multihop, 4);
}

TEST_F(SpeakerPlanTest, APeerBeyondTheLinkEndsNoOthersSession) {
  put(bgp_peer(30, 12, "10.9.0.2"));
  put(route(50, 12, "0.0.0.0/0", 22, "10.9.0.254"));
  const SpeakerPlan before = the_plan();
  BgpPeer peer = bgp_peer(31, 12, "192.0.2.2");
  peer.multihop = 4;
  put(peer);
  const SpeakerPlan after = the_plan();
  EXPECT_NE(after, before);
  EXPECT_TRUE(after.same_uplink(before));
  uplink_.addresses.push_back(prefix("10.9.7.1/24"));
  put(uplink_);
  EXPECT_FALSE(the_plan().same_uplink(after));
}

TEST_F(SpeakerPlanTest, ALimitOfZeroTakesNothing) {
  BgpPeer peer = bgp_peer(31, 12, "10.9.0.2");
  peer.prefix_limit = 0;
  put(peer);
  const auto plan = the_plan();
  const auto& wanted = plan.config.peers.at(0);
  EXPECT_EQ(wanted.prefix_limit, 1U) << "the speaker's own 0 is no limit, also for others";
  EXPECT_THAT(wanted.import_filter, ElementsAre(routing::bgp::FilterRule{prefix("0.0.0.0/0"), 0, 32, false}));
}

TEST_F(SpeakerPlanTest, APlanForIpv6AloneHasARouterIdOfItsOwn) {
  uplink_.addresses = {prefix("2001:db8:9::1/64")};
  put(uplink_);
  put(bgp_peer(30, 12, "2001:db8:9::2"));
  EXPECT_TRUE(the_plan().config.router_id.is_v4());
  EXPECT_EQ(the_plan().config.router_id, the_plan().config.router_id);
  EXPECT_TRUE(prefix("128.0.0.0/2").contains(the_plan().config.router_id));
}

TEST_F(SpeakerPlanTest, NatAddressesAreAnnouncedWhereTheRouterSaysSo) {
  put(bgp_peer(31, 12, "10.9.0.2"));
  put(bgp_network(40, 12, "198.51.100.0/24"));
  put(chain(60));
  put(chain(61));
  put(jump(70, 60, 61, 1));
  Rule pool = rule(71, 61, 1);
  pool.nat = NatKind::snat;
  pool.targets = {{ip("203.0.113.8"), ip("203.0.113.11"), 1024, 65535, 0},
                  {ip("10.9.0.1"), ip("10.9.0.1"), 1024, 65535, 0}};
  Rule floating = rule(72, 61, 2);
  floating.nat = NatKind::dnat;
  floating.condition.ip_dst.value = prefix("203.0.113.20/32");
  floating.targets = {{ip("10.0.0.5"), ip("10.0.0.5"), 0, 0, 0}};
  Rule covered = rule(73, 61, 3);
  covered.nat = NatKind::snat;
  covered.targets = {{ip("198.51.100.7"), ip("198.51.100.7"), 0, 0, 0}};
  Rule whole = rule(74, 61, 4);
  whole.nat = NatKind::snat;
  whole.targets = {{ip("2001:db8:77::"), ip("2001:db8:77::"), 0, 0, 48}};
  Rule elsewhere = rule(75, 61, 5);
  elsewhere.nat = NatKind::dnat;
  elsewhere.condition.ip_dst = {prefix("203.0.113.99/32"), true};
  for (const Rule& one : {pool, floating, covered, whole, elsewhere}) put(one);
  put(load_balancer(80));
  put(topology::testing::pool(81, 80));
  put(vip(82, 81, "203.0.113.30", 80));
  Vip down = vip(83, 81, "203.0.113.31", 80);
  down.admin_up = false;
  put(down);
  router_.outbound_filter = id<ChainId>(60);
  router_.load_balancer = id<LoadBalancerId>(80);
  put(router_);
  EXPECT_THAT(the_plan().config.networks, ElementsAre(prefix("198.51.100.0/24"))) << "not asked for";
  router_.advertise_nat = true;
  put(router_);
  EXPECT_THAT(the_plan().config.networks,
              ElementsAre(prefix("198.51.100.0/24"), prefix("203.0.113.8/30"), prefix("203.0.113.20/32"),
                          prefix("203.0.113.30/32"), prefix("2001:db8:77::/48")));
}

TEST(AnnouncedNat, ARangeIsTheFewestPrefixes) {
  const auto cover = [](const char* first, const char* last) {
    std::string out;
    for (const IpPrefix& one : prefixes_of(ip(first), ip(last), 10)) out += one.to_string() + " ";
    return out;
  };
  EXPECT_EQ(cover("10.0.0.1", "10.0.0.1"), "10.0.0.1/32 ");
  EXPECT_EQ(cover("10.0.0.1", "10.0.0.6"), "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32 ");
  EXPECT_EQ(cover("0.0.0.0", "255.255.255.255"), "0.0.0.0/0 ");
  EXPECT_EQ(cover("255.255.255.254", "255.255.255.255"), "255.255.255.254/31 ");
  EXPECT_EQ(cover("2001:db8::", "2001:db8::1:ffff"), "2001:db8::/111 ");
  EXPECT_THAT(prefixes_of(ip("10.0.0.1"), ip("10.255.255.254"), 3), SizeIs(3));
}

TEST(SpeakerNames, FitAndDiffer) {
  const PortId a = PortId::random(), b = PortId::random();
  EXPECT_EQ(speaker_link(kHere, a).size(), 15U);
  EXPECT_NE(speaker_link(kHere, a), speaker_link(kHere, b));
  EXPECT_NE(speaker_link(kHere, id<PortId>(1)), speaker_link(kHere, id<PortId>(2)));
  EXPECT_NE(speaker_link(kHere, a), speaker_link(id<HostId>(2), a));
  EXPECT_NE(speaker_namespace(id<HostId>(1), a), speaker_namespace(id<HostId>(2), a)) << "hosts may share /run/netns";
  EXPECT_THAT(speaker_namespace(kHere, a), ::testing::StartsWith(speaker_namespace_prefix(kHere)));
}

}  // namespace
}  // namespace viaduct::actors
