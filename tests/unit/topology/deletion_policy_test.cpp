// The table of deletion policies, row by row: what it says, and that the builder does it.
#include "topology/deletion_policy.hpp"

#include <gtest/gtest.h>

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
  };
  return rows;
}

// host1 ~ 11 -- bridge10 -- 12 === 21 -- router20 -- 22, a route through 22, static entries on the bridge; zone70: host2
Snapshot everything() {
  Port p11 = bridge_port(11, 10), p12 = bridge_port(12, 10), p21 = router_port(21, 20, "10.0.0.1/24");
  p11.host = id<HostId>(1);
  p11.interface = "eth0";
  p12.peer = p21.id;
  p21.peer = p12.id;
  return snapshot_of(host(1), bridge(10), p11, p12, router(20), p21, router_port(22, 20),
                     route(40, 20, "0.0.0.0/0", 22), static_mac(50, 10, "02:00:00:00:00:09", 11),
                     static_neighbour(60, 10, "10.0.0.9", "02:00:00:00:00:09"), host(2), tunnel_zone(70),
                     tunnel_zone_host(71, 70, 2, "192.0.2.2"));
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
      EXPECT_EQ(result.violations[0].rule, Rule::still_referenced);
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
    clear_reference(object, row.reference);
    EXPECT_FALSE(names(object, row.reference, row.target.id));
    EXPECT_EQ(ref_of(object), row.referrer);
    EXPECT_EQ(name_of(object), name_of(*everything().find(row.referrer)));
  }
}

}  // namespace
}  // namespace viaduct::topology
