#include "routing/underlay/peers.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace viaduct::routing::underlay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using topology::TunnelType;

HostId host(uint64_t n) { return HostId(Uuid::from_words(1, n)); }
TunnelZoneId zone(uint64_t n) { return TunnelZoneId(Uuid::from_words(2, n)); }
IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// A world of hosts and zones, and what each host sees of it.
struct World {
  std::vector<topology::TunnelZone> zones;
  std::vector<topology::TunnelZoneHost> members;

  World& with(uint64_t id, TunnelType type) {
    zones.push_back({zone(id), 0, "z" + std::to_string(id), type});
    return *this;
  }
  World& member(uint64_t zone_id, uint64_t host_id, const char* address) {
    const auto id = TunnelZoneHostId(Uuid::from_words(3, members.size()));
    members.push_back({id, 0, zone(zone_id), host(host_id), ip(address)});
    return *this;
  }
  // With every address that the zones give it on a good interface of its own.
  PeerFacts seen_by(uint64_t host_id, uint32_t mtu = 1500) const {
    PeerFacts facts;
    facts.self = host(host_id);
    facts.zones = zones;
    facts.members = members;
    for (const auto& member : members) {
      facts.names[member.host] = "h" + std::to_string(member.host.uuid().low());
      const std::string interface = "eth" + std::to_string(member.zone.uuid().low());
      if (member.host == facts.self) facts.local.push_back({member.address, interface, mtu, true});
    }
    return facts;
  }
};

World two_hosts(TunnelType type, const char* one, const char* two) {
  return World().with(1, type).member(1, 1, one).member(1, 2, two);
}

TEST(Peers, TwoHostsOfAZoneReachEachOther) {
  const World world = two_hosts(TunnelType::vxlan, "10.0.0.1", "10.0.0.2");
  const Peers found = find_peers(world.seen_by(1));
  EXPECT_THAT(found.problems, IsEmpty());
  ASSERT_THAT(found.paths, SizeIs(1));
  EXPECT_EQ(found.paths.at(host(2)), (PeerPath{zone(1), TunnelType::vxlan, ip("10.0.0.1"), ip("10.0.0.2"), 1450}));
  EXPECT_THAT(found.sources.at(host(2)), ElementsAre(ip("10.0.0.2")));
}

// The sizes of the headers, from their RFCs: see peers.hpp.
TEST(Peers, WhatFitsIntoEachCarrier) {
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v4}, 1500), 1450);
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v6}, 1500), 1430);
  EXPECT_EQ(inner_mtu({TunnelType::gre, IpFamily::v4}, 1500), 1458);
  EXPECT_EQ(inner_mtu({TunnelType::gre, IpFamily::v6}, 1500), 1438);
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v4}, 9000), 8950);
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v4}, 65536), 65485) << "no IPv4 packet is longer than 65535";
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v4}, 50 + 68), 68);
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v4}, 50 + 67), 0);
  EXPECT_EQ(inner_mtu({TunnelType::vxlan, IpFamily::v4}, 0), 0);
}

TEST(Peers, TheRoutesMtuCountsWhenItIsLess) {
  const World world = two_hosts(TunnelType::gre, "2001:db8::1", "2001:db8::2");
  PeerFacts facts = world.seen_by(1);
  facts.route_mtu[{ip("2001:db8::1"), ip("2001:db8::2")}] = 1400;
  EXPECT_EQ(find_peers(facts).paths.at(host(2)).mtu, 1400 - 62);
  facts.route_mtu[{ip("2001:db8::1"), ip("2001:db8::2")}] = 9000;
  EXPECT_EQ(find_peers(facts).paths.at(host(2)).mtu, 1500 - 62);
}

TEST(Peers, OfSeveralZonesBothEndsTakeTheSame) {
  World world;
  world.with(3, TunnelType::vxlan).with(1, TunnelType::gre).with(2, TunnelType::vxlan);
  for (uint64_t z : {3, 1, 2}) {
    const std::string net = "10." + std::to_string(z) + ".0.";
    for (uint64_t h : {2, 1}) world.member(z, h, (net + std::to_string(h)).c_str());
  }
  const Peers one = find_peers(world.seen_by(1)), two = find_peers(world.seen_by(2));
  EXPECT_EQ(one.paths.at(host(2)).zone, zone(1));
  EXPECT_EQ(two.paths.at(host(1)).zone, zone(1));
  EXPECT_EQ(one.paths.at(host(2)).dst, two.paths.at(host(1)).src);
  EXPECT_THAT(one.sources.at(host(2)), ElementsAre(ip("10.1.0.2"), ip("10.2.0.2"), ip("10.3.0.2")));
}

// Host 1 has no GRE, and has said so: host 2 takes the next zone too.
TEST(Peers, AKindThatOneEndLacksIsPassedOverByBoth) {
  World world;
  world.with(1, TunnelType::gre).with(2, TunnelType::vxlan);
  world.member(1, 1, "10.1.0.1").member(1, 2, "10.1.0.2").member(2, 1, "10.2.0.1").member(2, 2, "10.2.0.2");
  PeerFacts first = world.seen_by(1), second = world.seen_by(2);
  first.unavailable[{TunnelType::gre, IpFamily::v4}] = "Operation not supported";
  second.peer_unavailable[host(1)] = {{TunnelType::gre, IpFamily::v4}};
  const Peers one = find_peers(first), two = find_peers(second);
  EXPECT_EQ(one.paths.at(host(2)).zone, zone(2));
  EXPECT_EQ(two.paths.at(host(1)).zone, zone(2));
  ASSERT_THAT(one.problems, SizeIs(1));
  EXPECT_EQ(one.problems[0].zone, zone(1));
  EXPECT_EQ(one.problems[0].host, host(1));
  EXPECT_THAT(one.problems[0].text,
              AllOf(HasSubstr("'h1'"), HasSubstr("GRE over IPv4"), HasSubstr("'z1'"),
                    HasSubstr("Operation not supported"), HasSubstr("ip_gre"), HasSubstr("linux-image-amd64")));
  ASSERT_THAT(two.problems, SizeIs(1));
  EXPECT_EQ(two.problems[0].host, host(1));
}

TEST(Peers, AnAddressOnNoInterfaceIsAProblemAndTheNextZoneServes) {
  World world;
  world.with(1, TunnelType::vxlan).with(2, TunnelType::vxlan);
  world.member(1, 1, "10.1.0.1").member(1, 2, "10.1.0.2").member(2, 1, "10.2.0.1").member(2, 2, "10.2.0.2");
  PeerFacts facts = world.seen_by(1);
  std::erase_if(facts.local, [](const LocalAddress& local) { return local.address == ip("10.1.0.1"); });
  const Peers found = find_peers(facts);
  EXPECT_EQ(found.paths.at(host(2)).zone, zone(2));
  EXPECT_THAT(found.sources.at(host(2)), ElementsAre(ip("10.1.0.2"), ip("10.2.0.2")))
      << "the peer may still choose zone 1";
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_THAT(found.problems[0].text, AllOf(HasSubstr("'h1'"), HasSubstr("10.1.0.1"), HasSubstr("interface")));
}

TEST(Peers, NoSharedZone) {
  World world;
  world.with(1, TunnelType::vxlan).with(2, TunnelType::vxlan).member(1, 1, "10.0.0.1").member(2, 2, "10.0.0.2");
  const Peers found = find_peers(world.seen_by(1));
  EXPECT_THAT(found.paths, IsEmpty());
  EXPECT_THAT(found.sources, IsEmpty());
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].zone, zone(2));
  EXPECT_THAT(found.problems[0].text, AllOf(HasSubstr("'h1'"), HasSubstr("'h2'"), HasSubstr("'z2'")));
}

TEST(Peers, MixedFamilies) {
  const Peers found = find_peers(two_hosts(TunnelType::vxlan, "10.0.0.1", "2001:db8::2").seen_by(1));
  EXPECT_THAT(found.paths, IsEmpty());
  EXPECT_THAT(found.sources, IsEmpty());
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_EQ(found.problems[0].host, host(2));
  EXPECT_THAT(found.problems[0].text, HasSubstr("one family"));
}

TEST(Peers, APeerWithAnAddressOfOurs) {
  PeerFacts facts = two_hosts(TunnelType::vxlan, "10.0.0.1", "10.0.0.2").seen_by(1);
  facts.local.push_back({ip("10.0.0.2"), "eth7", 1500, true});
  const Peers found = find_peers(facts);
  EXPECT_THAT(found.paths, IsEmpty());
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_THAT(found.problems[0].text, AllOf(HasSubstr("10.0.0.2"), HasSubstr("eth7"), HasSubstr("'h2'")));
}

TEST(Peers, AnInterfaceThatIsDownKeepsItsPath) {
  PeerFacts facts = two_hosts(TunnelType::vxlan, "10.0.0.1", "10.0.0.2").seen_by(1);
  facts.local[0].up = false;
  const Peers found = find_peers(facts);
  EXPECT_THAT(found.paths, SizeIs(1));
  ASSERT_THAT(found.problems, SizeIs(1));
  EXPECT_THAT(found.problems[0].text, AllOf(HasSubstr("eth1"), HasSubstr("down")));
}

TEST(Peers, ANetworkWithTooSmallPackets) {
  const World world = two_hosts(TunnelType::vxlan, "10.0.0.1", "10.0.0.2");
  const Peers narrow = find_peers(world.seen_by(1, 1280));
  EXPECT_EQ(narrow.paths.at(host(2)).mtu, 1230) << "good for IPv4";
  ASSERT_THAT(narrow.problems, SizeIs(1));
  EXPECT_THAT(narrow.problems[0].text, AllOf(HasSubstr("IPv6"), HasSubstr("1330")));
  const Peers none = find_peers(world.seen_by(1, 100));
  EXPECT_THAT(none.paths, IsEmpty());
  EXPECT_THAT(none.problems, SizeIs(1));
  EXPECT_THAT(find_peers(world.seen_by(1, 1330)).problems, IsEmpty());
}

TEST(Peers, AZoneWithoutOthersIsNoProblem) {
  World world;
  world.with(1, TunnelType::gre).member(1, 1, "10.0.0.1");
  PeerFacts facts = world.seen_by(1);
  facts.local.clear();
  facts.unavailable[{TunnelType::gre, IpFamily::v4}] = "no";
  EXPECT_EQ(find_peers(facts), Peers{});
}

TEST(Peers, MembersOfAZoneThatIsNotKnownYetAreLeftOut) {
  World world;
  world.member(1, 1, "10.0.0.1").member(1, 2, "10.0.0.2");
  EXPECT_EQ(find_peers(world.seen_by(1)), Peers{});
}

TEST(Peers, TheOrderOfTheFactsDoesNotMatter) {
  World world;
  for (uint64_t z = 1; z <= 4; ++z) {
    world.with(z, z % 2 == 0 ? TunnelType::gre : TunnelType::vxlan);
    for (uint64_t h = 1; h <= 20; ++h) {
      if ((h + z) % 3 != 0) world.member(z, h, ("10." + std::to_string(z) + ".0." + std::to_string(h)).c_str());
    }
  }
  PeerFacts facts = world.seen_by(1);
  facts.unavailable[{TunnelType::gre, IpFamily::v4}] = "no";
  const Peers forward = find_peers(facts);
  std::reverse(facts.members.begin(), facts.members.end());
  std::reverse(facts.zones.begin(), facts.zones.end());
  std::reverse(facts.local.begin(), facts.local.end());
  EXPECT_EQ(find_peers(facts), forward);
  EXPECT_THAT(forward.paths, SizeIs(19)) << "each two hosts share a vxlan zone or one of two";
}

}  // namespace
}  // namespace viaduct::routing::underlay
