// Who is told what, in networks small enough to draw.
#include "topology/interest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/topology/closure_oracle.hpp"
#include "topology/builder.hpp"
#include "topology/resume.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Uuid number(uint64_t value) { return Uuid::from_words(0, value); }
Port bound(Port port, uint64_t on) {
  port.host = id<HostId>(on);
  port.interface = "eth" + std::to_string(port.id.uuid().low());
  return port;
}
std::pair<Port, Port> linked(Port a, Port b) {
  a.peer = b.id;
  b.peer = a.id;
  return {a, b};
}

// host1 ~ 11 - bridge10 - 12 == 21 - router20 - 22 == 31 - bridge30 - 32 ~ host2      bridge40 - 41 ~ host3
struct Network {
  Snapshot snapshot;
  Interest interest;
  ClosureDelta told;  // of the last step

  Network() {
    const auto [p12, p21] = linked(bridge_port(12, 10), router_port(21, 20));
    const auto [p22, p31] = linked(router_port(22, 20), bridge_port(31, 30));
    change({Create{host(1)}, Create{host(2)}, Create{host(3)}, Create{bridge(10)}, Create{router(20)},
            Create{bridge(30)}, Create{bridge(40)}, Create{bound(bridge_port(11, 10), 1)}, Create{p12}, Create{p21},
            Create{p22}, Create{p31}, Create{bound(bridge_port(32, 30), 2)}, Create{bound(bridge_port(41, 40), 3)}});
  }
  void change(std::vector<Operation> operations) {
    auto result = build(snapshot, std::move(operations), snapshot.revision() + 1);
    for (const Violation& violation : result.violations) ADD_FAILURE() << to_string(violation);
    snapshot = result.next;
    told = interest.follow(snapshot, result.delta);
  }
  Port port(uint64_t number) const { return *snapshot.find(id<PortId>(number)); }
  // "put port 11", "delete port 11", "forget 10", for the one group with this host; empty: it is told nothing.
  std::vector<std::string> told_to(uint64_t host) const {
    std::vector<std::string> out;
    for (const ClosureGroup& group : told) {
      if (std::find(group.hosts.begin(), group.hosts.end(), id<HostId>(host)) == group.hosts.end()) continue;
      for (const ClosureChange& change : *group.changes) out.push_back(text_of(change));
    }
    return out;
  }
  static std::string text_of(const ClosureChange& change) {
    const auto text = [](std::string_view verb, const ObjectRef& ref) {
      return std::string(verb) + " " + std::string(to_string(ref.kind)) + " " + std::to_string(ref.id.low());
    };
    if (const auto* forget = std::get_if<Forget>(&change)) return "forget " + std::to_string(forget->owner.low());
    if (const auto* ref = std::get_if<ObjectRef>(&change)) return text("delete", *ref);
    return text("put", ref_of(**std::get_if<Ref<Object>>(&change)));
  }
};

TEST(Interest, ReachesOverLinks) {
  Network net;
  EXPECT_THAT(net.interest.joined_to(id<HostId>(1)), UnorderedElementsAre(number(10), number(20), number(30)));
  EXPECT_THAT(net.interest.joined_to(id<HostId>(3)), UnorderedElementsAre(number(40)));
  EXPECT_THAT(net.interest.hosts_of(number(20)), UnorderedElementsAre(id<HostId>(1), id<HostId>(2)));
  EXPECT_TRUE(net.interest.needs(id<HostId>(2), number(10)));
  EXPECT_FALSE(net.interest.needs(id<HostId>(3), number(10)));
  EXPECT_THAT(net.interest.hosts_of(number(99)), IsEmpty());
}

TEST(Interest, AChangeIsMadeOnceForAllWhoNeedIt) {
  Network net;
  net.change({Create{bridge_port(13, 10)}});
  ASSERT_EQ(net.told.size(), 1u);
  EXPECT_THAT(net.told[0].hosts, UnorderedElementsAre(id<HostId>(1), id<HostId>(2)));
  EXPECT_THAT(net.told[0].gained, IsEmpty());
  EXPECT_THAT(net.told_to(1), ElementsAre("put port 13"));
  net.change({Erase{ref_of(bridge_port(13, 10))}});
  EXPECT_THAT(net.told_to(2), ElementsAre("delete port 13"));
  EXPECT_THAT(net.told_to(3), IsEmpty());
}

TEST(Interest, TheFirstBoundPortBringsTheDeviceTheLastTakesIt) {
  Network net;
  net.change({Create{bound(bridge_port(42, 40), 1)}});
  ASSERT_EQ(net.told.size(), 2u);
  EXPECT_THAT(net.told_to(1), ElementsAre("put bridge 40", "put port 41", "put port 42"));
  EXPECT_THAT(net.told_to(3), ElementsAre("put port 42"));
  net.change({Create{bound(bridge_port(43, 40), 1)}});
  EXPECT_EQ(net.told.size(), 1u) << "it is there already";
  net.change({Erase{ref_of(bridge_port(42, 40))}});
  EXPECT_THAT(net.told_to(1), ElementsAre("delete port 42"));
  net.change({Erase{ref_of(bridge_port(43, 40))}});
  EXPECT_THAT(net.told_to(1), ElementsAre("forget 40"));
  EXPECT_THAT(net.told_to(3), ElementsAre("delete port 43"));
}

TEST(Interest, ALinkJoinsAndItsEndParts) {
  Network net;
  const auto [p23, p42] = linked(router_port(23, 20), bridge_port(42, 40));
  net.change({Create{p23}, Create{p42}});
  EXPECT_THAT(net.told_to(1), ElementsAre("put port 23", "put bridge 40", "put port 41", "put port 42"));
  EXPECT_EQ(net.told_to(3).size(), 1u /* port 42 */ + 3 /* devices */ + 7 /* their ports */);
  EXPECT_THAT(net.interest.joined_to(id<HostId>(3)).size(), 4u);
  Port alone = net.port(23);
  alone.peer = {};
  net.change({Update{alone}});
  EXPECT_THAT(net.told_to(1), ElementsAre("forget 40", "put port 23"));
  EXPECT_THAT(net.told_to(3), UnorderedElementsAre("forget 10", "forget 20", "forget 30", "put port 42"));
  EXPECT_THAT(net.interest.joined_to(id<HostId>(3)), ElementsAre(number(40)));
}

TEST(Interest, AWayAroundKeepsTogether) {
  Network net;
  const auto [p13, p25] = linked(bridge_port(13, 10), router_port(25, 20));
  net.change({Create{p13}, Create{p25}});
  Port p12 = net.port(12);
  p12.peer = {};
  net.change({Update{p12}});
  EXPECT_THAT(net.told_to(2), ElementsAre("put port 12", "put port 21"));
  EXPECT_TRUE(net.interest.needs(id<HostId>(2), number(10)));
}

TEST(Interest, AMovedPortIsOneStep) {
  Network net;
  net.change({Update{bound(net.port(11), 3)}});
  EXPECT_THAT(net.told_to(1), UnorderedElementsAre("forget 10", "forget 20", "forget 30"));
  EXPECT_THAT(net.told_to(2), ElementsAre("put port 11"));
  EXPECT_EQ(net.told_to(3).size(), 3u + 6u);
}

TEST(Interest, ADeletedDeviceIsForgottenWhole) {
  Network net;
  net.change({Erase{ref_of(router(20))}});
  EXPECT_THAT(net.told_to(1), UnorderedElementsAre("forget 20", "forget 30", "put port 12"));
  EXPECT_THAT(net.told_to(2), UnorderedElementsAre("forget 20", "forget 10", "put port 31"));
}

// --- what is named by devices ----------------------------------------------------------------------

Port filtered(Port port, uint64_t chain) {
  port.inbound_filter = id<ChainId>(chain);
  return port;
}
Rule about(Rule rule, uint64_t group) {
  rule.condition.ip_src_group.value = id<IpGroupId>(group);
  return rule;
}

TEST(Interest, AFilterBringsItsChainWithAllThatItNames) {
  Network net;
  net.change({Create{chain(80)}, Create{chain(81)}, Create{ip_group(84)},
              Create{ip_group_address(85, 84, "10.0.0.0/8")}, Create{jump(82, 80, 81)},
              Create{about(rule(83, 81), 84)}});
  EXPECT_THAT(net.told, IsEmpty()) << "nobody needs them";
  net.change({Update{filtered(net.port(41), 80)}});
  EXPECT_THAT(net.told_to(3), UnorderedElementsAre("put port 41", "put chain 80", "put rule 82", "put chain 81",
                                                   "put rule 83", "put ip-group 84", "put ip-group-address 85"));
  net.change({Create{rule(86, 81)}});
  EXPECT_THAT(net.told_to(3), ElementsAre("put rule 86"));
  net.change({Erase{ref_of(rule(82, 80))}});
  EXPECT_THAT(net.told_to(3), UnorderedElementsAre("forget 81", "forget 84", "delete rule 82"))
      << "the jump was the only way there";
  net.change({Update{filtered(net.port(41), 0)}});
  EXPECT_THAT(net.told_to(3), ElementsAre("forget 80", "put port 41"));
}

TEST(Interest, TheLastOfSeveralReferencesIsWhatCounts) {
  Network net;
  net.change({Create{chain(80)}, Create{ip_group(84)}, Create{about(rule(82, 80), 84)}, Create{about(rule(83, 80), 84)},
              Update{filtered(net.port(41), 80)}});
  net.change({Erase{ref_of(rule(82, 80))}});
  EXPECT_THAT(net.told_to(3), ElementsAre("delete rule 82"));
  net.change({Update{rule(83, 80)}});
  EXPECT_THAT(net.told_to(3), ElementsAre("forget 84", "put rule 83"));
}

TEST(Interest, SharingAChainJoinsTheClosures) {
  Network net;
  net.change({Create{chain(80)}, Update{filtered(net.port(11), 80)}});
  EXPECT_FALSE(net.interest.needs(id<HostId>(3), number(10)));
  net.change({Update{filtered(net.port(41), 80)}});
  EXPECT_TRUE(net.interest.needs(id<HostId>(3), number(10)));
  EXPECT_TRUE(net.interest.needs(id<HostId>(1), number(40)));
  net.change({Erase{ref_of(chain(80))}});
  EXPECT_FALSE(net.interest.needs(id<HostId>(3), number(10)));
  EXPECT_THAT(net.told_to(3), UnorderedElementsAre("forget 10", "forget 20", "forget 30", "forget 80", "put port 41"));
}

TEST(Interest, TheHostsOfAPortGroupKnowAllItsPorts) {
  Network net;
  net.change({Create{port_group(84)}, Create{port_group_port(85, 84, 11)}});
  EXPECT_THAT(net.told_to(1), UnorderedElementsAre("put port-group 84", "put port-group-port 85"));
  net.change({Create{port_group_port(86, 84, 41)}});
  EXPECT_THAT(net.told_to(1), UnorderedElementsAre("put port-group-port 86", "put bridge 40", "put port 41"));
  EXPECT_TRUE(net.interest.needs(id<HostId>(3), number(30)));
  net.change({Erase{ref_of(net.port(41))}});
  EXPECT_THAT(net.told_to(1), UnorderedElementsAre("delete port-group-port 86", "forget 40"));
}

TEST(Interest, ARouterBringsItsLoadBalancer) {
  Network net;
  Router r20 = router(20);
  r20.load_balancer = id<LoadBalancerId>(93);
  net.change({Create{load_balancer(93)}, Create{health_monitor(95)}, Create{pool(94, 93, 95)},
              Create{pool_member(96, 94, "10.0.0.96", 80)}, Create{vip(97, 94, "10.0.0.97", 80)},
              Create{router_port(24, 20, "10.0.0.1/24")}});
  net.change({Update{r20}});
  EXPECT_THAT(net.told_to(2), UnorderedElementsAre("put router 20", "put load-balancer 93", "put pool 94",
                                                   "put pool-member 96", "put vip 97", "put health-monitor 95"));
  EXPECT_THAT(net.told_to(3), IsEmpty());
  net.change({Update{pool(94, 93)}});
  EXPECT_THAT(net.told_to(2), ElementsAre("forget 95", "put pool 94"));
}

TEST(Interest, ARouterBringsItsPeersAndNetworks) {
  Network net;
  BgpPeer far = bgp_peer(98, 20, "192.0.2.98");
  far.multihop = 2;
  net.change({Update{bgp_router(20)}, Create{far}, Create{bgp_network(99, 20, "10.0.0.0/8")}});
  EXPECT_THAT(net.told_to(2), UnorderedElementsAre("put router 20", "put bgp-peer 98", "put bgp-network 99"));
  EXPECT_THAT(net.told_to(3), IsEmpty());
  net.change({Erase{ref_of(far)}});
  EXPECT_THAT(net.told_to(2), ElementsAre("delete bgp-peer 98"));
}

TEST(Interest, AZoneBringsItsHosts) {
  Network net;
  net.change({Create{tunnel_zone(70)}, Create{tunnel_zone_host(71, 70, 1, "192.0.2.1")}});
  EXPECT_THAT(net.told_to(1), ElementsAre("put tunnel-zone 70", "put tunnel-zone-host 71", "put host 1"));
  EXPECT_THAT(net.told_to(2), IsEmpty());
  net.change({Create{tunnel_zone_host(72, 70, 2, "192.0.2.2")}});
  EXPECT_THAT(net.told_to(1), ElementsAre("put tunnel-zone-host 72", "put host 2"));
  EXPECT_THAT(net.told_to(2), ElementsAre("put tunnel-zone 70", "put tunnel-zone-host 71", "put host 1",
                                          "put tunnel-zone-host 72", "put host 2"));
  Host renamed = host(2);
  renamed.name = "another";
  net.change({Update{renamed}});
  ASSERT_EQ(net.told.size(), 2u);
  EXPECT_THAT(net.told_to(1), ElementsAre("put host 2"));
  EXPECT_THAT(net.told_to(3), IsEmpty());
  net.change({Erase{ref_of(tunnel_zone_host(72, 70, 2, "192.0.2.2"))}});
  EXPECT_THAT(net.told_to(1), ElementsAre("delete tunnel-zone-host 72"));
  EXPECT_THAT(net.told_to(2), ElementsAre("forget 70"));
}

TEST(Interest, AHostKnowsItself) {
  Network net;
  net.change({Create{host(4)}});
  EXPECT_THAT(net.told_to(4), ElementsAre("put host 4"));
  net.change({Erase{ref_of(host(4))}});
  EXPECT_THAT(net.told_to(4), ElementsAre("delete host 4"));
}

// hub 1 with the leaves 1001.., each linked by ports of its own number; host1 is on the hub, host2 on the first leaf.
TEST(Components, TheSmallerSideMoves) {
  Audiences audiences;
  Components components(audiences);
  constexpr uint64_t kLeaves = 1000;
  components.add(number(1));
  components.bind(number(1), id<HostId>(1));
  for (uint64_t leaf = 1001; leaf <= 1000 + kLeaves; ++leaf) {
    components.begin_step();
    components.add(number(leaf));
    components.link(number(1), number(leaf), LinkId::of_peers(id<PortId>(leaf), id<PortId>(leaf + 5000)));
    ASSERT_EQ(components.moved().size(), 1u);
    ASSERT_TRUE(components.moved().contains(number(leaf)));
  }
  components.bind(number(1001), id<HostId>(2));
  components.begin_step();
  components.unlink(number(1), number(1001), LinkId::of_peers(id<PortId>(6001), id<PortId>(1001)));
  EXPECT_EQ(components.moved().size(), 1u);
  EXPECT_TRUE(components.moved().contains(number(1001)));
  EXPECT_THAT(audiences.hosts(components.component_of(number(1001))), ElementsAre(id<HostId>(2)));
  EXPECT_THAT(audiences.hosts(components.component_of(number(2000))), ElementsAre(id<HostId>(1)));
}

TEST(Components, TwoAreJoinedUntilTheirLastLinkGoes) {
  Audiences audiences;
  Components components(audiences);
  components.add(number(1));
  components.add(number(2));
  const LinkId one{Reference::rule_jump, number(11), number(2)}, other{Reference::rule_jump, number(12), number(2)};
  components.link(number(1), number(2), one);
  components.link(number(1), number(2), one);  // again
  components.link(number(2), number(1), other);
  components.link(number(1), number(1), one);  // with itself
  components.unlink(number(2), number(1), one);
  EXPECT_EQ(components.component_of(number(1)), components.component_of(number(2)));
  components.unlink(number(1), number(2), other);
  EXPECT_NE(components.component_of(number(1)), components.component_of(number(2)));
}

TEST(Components, NobodyMovesWhenThereIsAWayAround) {
  Audiences audiences;
  Components components(audiences);
  for (uint64_t device = 1; device <= 3; ++device) components.add(number(device));
  for (uint64_t device = 1; device <= 3; ++device) {
    components.link(number(device), number(device % 3 + 1),
                    LinkId::of_peers(id<PortId>(device), id<PortId>(10 + device)));
  }
  components.begin_step();
  const LinkId between{LinkId::of_peers(id<PortId>(2), id<PortId>(12))};
  components.unlink(number(2), number(3), between);
  EXPECT_THAT(components.moved(), IsEmpty());
  EXPECT_EQ(components.owners(components.component_of(number(1))).size(), 3u);
  components.unlink(number(3), number(2), between);  // again
  components.unlink(number(9), number(2), between);  // of no owner
  EXPECT_THAT(components.moved(), IsEmpty());
}

TEST(Closure, HostsGoWithTheLastMembershipThatNamesThem) {
  const auto have = snapshot_of(host(1), host(2), host(3), tunnel_zone(70), tunnel_zone_host(71, 70, 1, "192.0.2.1"),
                                tunnel_zone_host(72, 70, 2, "192.0.2.2"), tunnel_zone_host(73, 70, 3, "192.0.2.3"),
                                tunnel_zone(80), tunnel_zone_host(83, 80, 3, "192.0.2.3"));
  const Delta delta = delta_of(have, id<HostId>(1), ClosureChanges{Forget{number(70)}}, 7);
  const Snapshot after = delta.apply_to(have);
  EXPECT_EQ(after.revision(), 7u);
  EXPECT_NE(after.find(id<HostId>(1)), nullptr) << "its own";
  EXPECT_EQ(after.find(id<HostId>(2)), nullptr);
  EXPECT_NE(after.find(id<HostId>(3)), nullptr) << "still in zone 80";
  EXPECT_EQ(after.count(Kind::tunnel_zone_host), 1u);
}

TEST(Closure, ListsOneAfterTheOtherAreOneList) {
  const ClosureChanges changes = {share(bridge(1)),         share(bridge_port(5, 1)), Forget{number(1)},
                                  share(bridge_port(6, 2)), share(bridge_port(7, 2)), ref_of(bridge_port(7, 2)),
                                  share(bridge_port(5, 2))};
  const Delta delta = delta_of({}, id<HostId>(1), changes, 3);
  EXPECT_EQ(everything_in(delta.apply_to({})), everything_in(snapshot_of(bridge_port(5, 2), bridge_port(6, 2))));
}

TEST(Resume, HostsWithTheSameGapShareTheAnswer) {
  Network net;
  const uint64_t gap = net.snapshot.revision();
  net.change({Create{bridge_port(13, 10)}, Erase{ref_of(bridge_port(41, 40))}});
  Resumption resumption(net.interest, net.snapshot, {{ref_of(bridge_port(41, 40)), gap + 1, number(40)}});
  const std::vector<Uuid> has = {number(10), number(20), number(30)};
  const auto one = resumption.resume(id<HostId>(1), has, gap), other = resumption.resume(id<HostId>(2), has, gap);
  ASSERT_EQ(one.size(), 2u);
  EXPECT_EQ(one[1], other[1]);
  EXPECT_EQ(Network::text_of(one[1]->at(0)), "put port 13");
  EXPECT_EQ(one[1]->size(), 1u);
  const auto lost = resumption.resume(id<HostId>(3), std::vector{number(40)}, gap);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(Network::text_of(lost[0]->at(0)), "forget 40");
}

}  // namespace
}  // namespace viaduct::topology
