// The table of deletion policies, row by row: what it says, and that the builder does it.
#include "topology/deletion_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/topology/literals.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

struct Row {
  Reference reference;
  OnDelete policy;
  ObjectRef target, referrer;
};

ObjectRef ref(Kind kind, uint64_t number) { return {kind, Uuid::from_words(0, number)}; }

const std::vector<Row>& rows() {
  static const std::vector<Row> rows = {
      {Reference::port_bridge, OnDelete::cascade, ref(Kind::bridge, 10), ref(Kind::port, 11)},
      {Reference::port_router, OnDelete::cascade, ref(Kind::router, 20), ref(Kind::port, 21)},
      {Reference::port_host, OnDelete::refuse, ref(Kind::host, 1), ref(Kind::port, 11)},
      {Reference::port_peer, OnDelete::clear, ref(Kind::port, 12), ref(Kind::port, 21)},
      {Reference::route_router, OnDelete::cascade, ref(Kind::router, 20), ref(Kind::route, 40)},
      {Reference::route_next_hop_port, OnDelete::cascade, ref(Kind::port, 22), ref(Kind::route, 40)},
      {Reference::static_mac_bridge, OnDelete::cascade, ref(Kind::bridge, 10), ref(Kind::static_mac, 50)},
      {Reference::static_mac_port, OnDelete::cascade, ref(Kind::port, 11), ref(Kind::static_mac, 50)},
      {Reference::static_neighbour_bridge, OnDelete::cascade, ref(Kind::bridge, 10), ref(Kind::static_neighbour, 60)},
      {Reference::tunnel_zone_host_zone, OnDelete::cascade, ref(Kind::tunnel_zone, 70),
       ref(Kind::tunnel_zone_host, 71)},
      {Reference::tunnel_zone_host_host, OnDelete::cascade, ref(Kind::host, 2), ref(Kind::tunnel_zone_host, 71)},
      {Reference::port_inbound_filter, OnDelete::clear, ref(Kind::chain, 80), ref(Kind::port, 11)},
      {Reference::port_outbound_filter, OnDelete::clear, ref(Kind::chain, 80), ref(Kind::port, 11)},
      {Reference::bridge_inbound_filter, OnDelete::clear, ref(Kind::chain, 80), ref(Kind::bridge, 10)},
      {Reference::bridge_outbound_filter, OnDelete::clear, ref(Kind::chain, 81), ref(Kind::bridge, 10)},
      {Reference::router_local_redirect, OnDelete::clear, ref(Kind::chain, 80), ref(Kind::router, 20)},
      {Reference::router_inbound_filter, OnDelete::clear, ref(Kind::chain, 80), ref(Kind::router, 20)},
      {Reference::router_forward_filter, OnDelete::clear, ref(Kind::chain, 81), ref(Kind::router, 20)},
      {Reference::router_outbound_filter, OnDelete::clear, ref(Kind::chain, 81), ref(Kind::router, 20)},
      {Reference::router_load_balancer, OnDelete::clear, ref(Kind::load_balancer, 93), ref(Kind::router, 20)},
      {Reference::rule_chain, OnDelete::cascade, ref(Kind::chain, 80), ref(Kind::rule, 83)},
      {Reference::rule_jump, OnDelete::cascade, ref(Kind::chain, 81), ref(Kind::rule, 82)},
      {Reference::rule_port_group, OnDelete::refuse, ref(Kind::port_group, 84), ref(Kind::rule, 83)},
      {Reference::rule_in_port_group, OnDelete::refuse, ref(Kind::port_group, 85), ref(Kind::rule, 83)},
      {Reference::rule_out_port_group, OnDelete::refuse, ref(Kind::port_group, 86), ref(Kind::rule, 83)},
      {Reference::rule_in_ports, OnDelete::clear, ref(Kind::port, 12), ref(Kind::rule, 83)},
      {Reference::rule_out_ports, OnDelete::clear, ref(Kind::port, 22), ref(Kind::rule, 83)},
      {Reference::rule_ip_src_group, OnDelete::refuse, ref(Kind::ip_group, 87), ref(Kind::rule, 83)},
      {Reference::rule_ip_dst_group, OnDelete::refuse, ref(Kind::ip_group, 88), ref(Kind::rule, 83)},
      {Reference::port_group_port_group, OnDelete::cascade, ref(Kind::port_group, 90), ref(Kind::port_group_port, 89)},
      {Reference::port_group_port_port, OnDelete::cascade, ref(Kind::port, 11), ref(Kind::port_group_port, 89)},
      {Reference::ip_group_address_group, OnDelete::cascade, ref(Kind::ip_group, 91), ref(Kind::ip_group_address, 92)},
      {Reference::pool_load_balancer, OnDelete::clear, ref(Kind::load_balancer, 93), ref(Kind::pool, 94)},
      {Reference::pool_health_monitor, OnDelete::clear, ref(Kind::health_monitor, 95), ref(Kind::pool, 94)},
      {Reference::pool_member_pool, OnDelete::cascade, ref(Kind::pool, 94), ref(Kind::pool_member, 96)},
      {Reference::vip_pool, OnDelete::cascade, ref(Kind::pool, 94), ref(Kind::vip, 97)},
      {Reference::bgp_peer_router, OnDelete::cascade, ref(Kind::router, 20), ref(Kind::bgp_peer, 98)},
      {Reference::bgp_network_router, OnDelete::cascade, ref(Kind::router, 20), ref(Kind::bgp_network, 99)},
  };
  return rows;
}

// Rule 82 jumps, rule 83 names a group in each of its fields, and two ports.
Snapshot with_functions(Snapshot snapshot) {
  Rule r83 = rule(83, 80, 20);
  r83.condition.port_group.value = id<PortGroupId>(84);
  r83.condition.in_port_group.value = id<PortGroupId>(85);
  r83.condition.out_port_group.value = id<PortGroupId>(86);
  r83.condition.in_ports.value = {id<PortId>(12), id<PortId>(21)};
  r83.condition.out_ports.value = {id<PortId>(21), id<PortId>(22)};
  r83.condition.ip_src_group.value = id<IpGroupId>(87);
  r83.condition.ip_dst_group.value = id<IpGroupId>(88);
  const std::vector<Object> objects = {chain(80),
                                       chain(81),
                                       jump(82, 80, 81, 10),
                                       r83,
                                       port_group(84),
                                       port_group(85),
                                       port_group(86),
                                       ip_group(87),
                                       ip_group(88),
                                       port_group_port(89, 90, 11),
                                       port_group(90),
                                       ip_group(91),
                                       ip_group_address(92, 91, "10.9.0.0/16"),
                                       load_balancer(93),
                                       pool(94, 93, 95),
                                       health_monitor(95),
                                       pool_member(96, 94, "10.0.0.96", 8080),
                                       vip(97, 94, "10.0.0.97", 80)};
  for (const Object& object : objects) snapshot.put(share(object));
  return snapshot;
}

// host1 ~ 11 -- bridge10 -- 12 === 21 -- router20 -- 22, a route through 22, static entries on the bridge; zone70: host2
Snapshot everything() {
  Bridge b10 = bridge(10);
  b10.inbound_filter = id<ChainId>(80);
  b10.outbound_filter = id<ChainId>(81);
  Router r20 = router(20);
  r20.local_redirect = r20.inbound_filter = id<ChainId>(80);
  r20.forward_filter = r20.outbound_filter = id<ChainId>(81);
  r20.load_balancer = id<LoadBalancerId>(93);
  r20.as_number = 65'000;
  BgpPeer far = bgp_peer(98, 20, "192.0.2.98");
  far.multihop = 2;
  Port p11 = bridge_port(11, 10), p12 = bridge_port(12, 10), p21 = router_port(21, 20, "10.0.0.1/24");
  p11.host = id<HostId>(1);
  p11.interface = "eth0";
  p11.inbound_filter = p11.outbound_filter = id<ChainId>(80);
  p12.peer = p21.id;
  p21.peer = p12.id;
  return with_functions(snapshot_of(host(1), b10, p11, p12, r20, p21, router_port(22, 20),
                                    route(40, 20, "0.0.0.0/0", 22), static_mac(50, 10, "02:00:00:00:00:09", 11),
                                    static_neighbour(60, 10, "10.0.0.9", "02:00:00:00:00:09"), host(2), tunnel_zone(70),
                                    tunnel_zone_host(71, 70, 2, "192.0.2.2"), far, bgp_network(99, 20, "10.0.0.0/8")));
}

bool names(const Object& object, Reference reference, const Uuid& target) {
  bool found = false;
  for_each_reference(object, [&](Reference r, const Uuid& t) { found |= r == reference && t == target; });
  return found;
}

TEST(DeletionPolicy, HasARowForEachReference) {
  ASSERT_EQ(rows().size(), static_cast<size_t>(Reference::count_));
  for (size_t i = 0; i < rows().size(); ++i) EXPECT_EQ(rows()[i].reference, static_cast<Reference>(i));
}

TEST(DeletionPolicy, TheBuilderFollowsEachRow) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(std::string(to_string(info_of(row.reference).from)) + "." + std::string(info_of(row.reference).field));
    EXPECT_EQ(policy_of(row.reference), row.policy);
    EXPECT_EQ(info_of(row.reference).to, row.target.kind);
    EXPECT_EQ(info_of(row.reference).from, row.referrer.kind);
    const Snapshot before = everything();
    ASSERT_TRUE(names(*before.find(row.referrer), row.reference, row.target.id));
    const auto result = build(before, {Erase{row.target}}, 2);
    const auto after = result.next.find(row.referrer);
    if (row.policy == OnDelete::refuse) {
      ASSERT_EQ(result.violations.size(), 1u);
      EXPECT_EQ(result.violations[0].rule, BrokenRule::still_referenced);
      EXPECT_EQ(result.violations[0].object, row.target);
      continue;
    }
    ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
    EXPECT_EQ(result.next.find(row.target), nullptr);
    EXPECT_EQ(after == nullptr, row.policy == OnDelete::cascade);
    if (after) {
      EXPECT_FALSE(names(*after, row.reference, row.target.id));
    }
  }
}

TEST(DeletionPolicy, WhatIsDeletedTogetherIsNoObstacle) {
  const auto result = build(everything(), {Erase{ref(Kind::host, 1)}, Erase{ref(Kind::bridge, 10)}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(result.next.count(Kind::host), 1u);
}

TEST(DeletionPolicy, ClearingAReferenceClearsNothingElse) {
  for (const Row& row : rows()) {
    Object object = *everything().find(row.referrer);
    clear_reference(object, row.reference, row.target.id);
    EXPECT_FALSE(names(object, row.reference, row.target.id));
    EXPECT_EQ(ref_of(object), row.referrer);
    EXPECT_EQ(name_of(object), name_of(*everything().find(row.referrer)));
  }
}

// Chain 80 with one rule whose condition names these ports of bridge 10.
Snapshot rule_on_ports(std::vector<uint64_t> ports, bool inverted) {
  Rule r = rule(83, 80, 10);
  r.condition.in_ports.inverted = inverted;
  r.condition.in_ports.value.emplace();
  for (uint64_t port : ports) r.condition.in_ports.value->push_back(id<PortId>(port));
  return snapshot_of(bridge(10), bridge_port(11, 10), bridge_port(12, 10), chain(80), r);
}

TEST(DeletionPolicy, ARuleThatLosesItsLastPortGoesWithIt) {
  const auto result = build(rule_on_ports({11, 12}, false), {Erase{ref(Kind::bridge, 10)}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(result.next.count(Kind::rule), 0u);
  const auto gone = std::find_if(result.changes.begin(), result.changes.end(),
                                 [](const AppliedChange& change) { return change.object == ref(Kind::rule, 83); });
  ASSERT_NE(gone, result.changes.end());
  EXPECT_EQ(gone->action, Action::deleted);
  EXPECT_EQ(gone->cause, "port port11 deleted") << "the first of its ports";
}

TEST(DeletionPolicy, ARuleForAllButOnePortIsForAllWhenThatIsGone) {
  const auto result = build(rule_on_ports({11}, true), {Erase{ref(Kind::port, 11)}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(result.next.find(id<RuleId>(83))->condition, Condition{});
}

TEST(DeletionPolicy, ARuleThatIsChangedToNameADeletedPortIsRefused) {
  Rule changed = *rule_on_ports({11}, false).find(id<RuleId>(83));
  changed.condition.in_ports.value = {id<PortId>(12)};
  const auto result = build(rule_on_ports({11}, false), {Update{changed}, Erase{ref(Kind::port, 12)}}, 2);
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_EQ(result.violations[0].rule, BrokenRule::ports_missing);
}

}  // namespace
}  // namespace viaduct::topology
