#include "topology/builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/topology/literals.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kNow = 7;

Uuid uuid(uint64_t number) { return Uuid::from_words(0, number); }

std::string text_of(const BuildResult& result) {
  std::string out;
  for (const Violation& violation : result.violations) out += to_string(violation) + "\n";
  return out;
}

AppliedChange change(Action action, Kind kind, uint64_t number, std::string name, std::string cause = "") {
  return {action, {kind, uuid(number)}, std::move(name), std::move(cause)};
}

// vm -- [10: port11, port12] -- [20: port21] router20
Snapshot bridge_and_router() {
  Port p12 = bridge_port(12, 10);
  Port p21 = router_port(21, 20, "10.0.0.1/24");
  p12.peer = p21.id;
  p21.peer = p12.id;
  return snapshot_of(host(1), bridge(10), bridge_port(11, 10), p12, router(20), p21).at_revision(6);
}

TEST(Builder, CreatesObjectsThatNameEachOtherInAnyOrder) {
  const auto result = build({},
                            {Create{router_port(21, 20, "10.0.0.1/24")}, Create{route(1, 20, "::/0", 22, "fd00::9")},
                             Create{router_port(22, 20, "fd00::1/64")}, Create{router(20)}},
                            kNow);
  ASSERT_TRUE(result.ok()) << text_of(result);
  EXPECT_EQ(result.next.revision(), kNow);
  EXPECT_EQ(result.next.size(), 4u);
  EXPECT_EQ(result.next.find(id<RouterId>(20))->revision, kNow);
  EXPECT_EQ(result.delta.changes.size(), 4u);
  EXPECT_THAT(result.ids, ElementsAre(uuid(21), uuid(1), uuid(22), uuid(20)));
  EXPECT_THAT(result.changes, ElementsAre(change(Action::created, Kind::port, 21, "port21"),
                                          change(Action::created, Kind::route, 1, ""),
                                          change(Action::created, Kind::port, 22, "port22"),
                                          change(Action::created, Kind::router, 20, "router20")));
}

TEST(Builder, FillsInIdsMacsAndSources) {
  Bridge nameless;
  Port port = router_port(21, 20);
  port.mac = {};
  Route anywhere = route(1, 20, "2001:db8::/32", 21);
  anywhere.source = {};
  const auto result = build({}, {Create{nameless}, Create{router(20)}, Create{port}, Create{anywhere}}, kNow);
  ASSERT_TRUE(result.ok()) << text_of(result);
  EXPECT_FALSE(result.ids[0].is_nil());
  EXPECT_NE(result.next.find(BridgeId(result.ids[0])), nullptr);
  const MacAddress mac = result.next.find(id<PortId>(21))->mac;
  EXPECT_EQ(mac.bytes()[0], 0x0a);  // locally administered, unicast
  EXPECT_NE(mac, default_mac(result.next, id<PortId>(21))) << "the same id again gets another one";
  EXPECT_EQ(result.next.find(id<RouteId>(1))->source, prefix("::/0"));
}

TEST(Builder, LinkingOnePortLinksItsPeer) {
  const auto before = snapshot_of(bridge(10), bridge_port(11, 10), router(20), router_port(21, 20));
  Port linked = bridge_port(11, 10);
  linked.peer = id<PortId>(21);
  const auto result = build(before, {Update{linked}}, kNow);
  ASSERT_TRUE(result.ok()) << text_of(result);
  EXPECT_EQ(result.next.find(id<PortId>(21))->peer, id<PortId>(11));
  EXPECT_THAT(result.changes,
              ElementsAre(change(Action::updated, Kind::port, 11, "port11"),
                          change(Action::updated, Kind::port, 21, "port21", "linked with port port11")));
}

TEST(Builder, UnlinkingOnePortUnlinksItsPeer) {
  const auto result = build(bridge_and_router(), {Update{bridge_port(12, 10)}}, kNow);
  ASSERT_TRUE(result.ok()) << text_of(result);
  EXPECT_FALSE(result.next.find(id<PortId>(21))->is_interior());
}

TEST(Builder, RelinkingFreesTheOldPeer) {
  Port moved = *bridge_and_router().find(id<PortId>(21));
  moved.peer = id<PortId>(11);
  const auto result = build(bridge_and_router(), {Update{moved}}, kNow);
  ASSERT_TRUE(result.ok()) << text_of(result);
  EXPECT_TRUE(result.next.find(id<PortId>(12))->peer.is_nil());
  EXPECT_EQ(result.next.find(id<PortId>(11))->peer, id<PortId>(21));
}

// A port may be freed and linked anew by one transaction, whatever the order of its operations.
TEST(Builder, AFreedPortMayBeLinkedInTheSameTransaction) {
  const auto before = build(bridge_and_router(), {Create{router(30)}, Create{router_port(31, 30)}}, 6).next;
  Port taker = router_port(31, 30);
  taker.peer = id<PortId>(12);
  Port freed = *before.find(id<PortId>(21));
  freed.peer = {};
  for (const auto& operations :
       {std::vector<Operation>{Update{taker}, Update{freed}}, {Update{freed}, Update{taker}}}) {
    const auto result = build(before, operations, kNow);
    ASSERT_TRUE(result.ok()) << text_of(result);
    EXPECT_EQ(result.next.find(id<PortId>(12))->peer, id<PortId>(31));
    EXPECT_TRUE(result.next.find(id<PortId>(21))->peer.is_nil());
  }
}

TEST(Builder, DeletingABridgeTakesItsPortsAndUnlinksTheRest) {
  const auto before =
      snapshot_of(static_mac(1, 10, "02:00:00:00:00:05", 11), static_neighbour(2, 10, "10.0.0.5", "02:00:00:00:00:05"));
  auto start = bridge_and_router();
  before.for_each(Kind::static_mac, [&](const Object& object) { start = start.with(share(object)); });
  before.for_each(Kind::static_neighbour, [&](const Object& object) { start = start.with(share(object)); });
  const auto result = build(start, {Erase{{Kind::bridge, uuid(10)}}}, kNow);
  ASSERT_TRUE(result.ok()) << text_of(result);
  EXPECT_EQ(result.next.count(Kind::bridge), 0u);
  EXPECT_EQ(result.next.count(Kind::static_mac), 0u);
  EXPECT_EQ(result.next.count(Kind::static_neighbour), 0u);
  EXPECT_EQ(result.next.find(id<PortId>(11)), nullptr);
  EXPECT_FALSE(result.next.find(id<PortId>(21))->is_interior());
  const auto& cause = std::find_if(result.changes.begin(), result.changes.end(), [](const AppliedChange& applied) {
                        return applied.object == ObjectRef{Kind::port, uuid(11)};
                      })->cause;
  EXPECT_EQ(cause, "cascade from bridge bridge10");
  EXPECT_EQ(result.changes.front().cause, "");
}

TEST(Builder, WhatIsCreatedOnADeletedDeviceIsRefused) {
  const auto result = build(bridge_and_router(), {Create{bridge_port(13, 10)}, Erase{{Kind::bridge, uuid(10)}}}, kNow);
  ASSERT_EQ(result.violations.size(), 1u) << text_of(result);
  EXPECT_EQ(result.violations[0].rule, BrokenRule::unknown_parent);
}

TEST(Builder, AnUpdateThatChangesNothingIsNoChange) {
  const auto before = bridge_and_router();
  const auto result = build(before, {Update{bridge(10)}}, kNow);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result.changes, IsEmpty());
  EXPECT_TRUE(result.delta.empty());
  EXPECT_EQ(result.next.find({Kind::bridge, uuid(10)}), before.find({Kind::bridge, uuid(10)}));
}

TEST(Builder, ARefusedTransactionChangesNothingAndSaysEverything) {
  Port bad = router_port(22, 99, "10.9.0.0/24");
  bad.mtu = 1;
  bad.name = "a\nb";
  const auto before = bridge_and_router();
  const auto result = build(before, {Create{bridge(50)}, Create{bad}}, kNow);
  std::vector<BrokenRule> rules;
  for (const Violation& violation : result.violations) {
    rules.push_back(violation.rule);
    EXPECT_EQ(violation.object, (ObjectRef{Kind::port, uuid(22)}));
    EXPECT_FALSE(violation.message.empty());
    EXPECT_FALSE(violation.cure.empty());
  }
  EXPECT_THAT(rules,
              ::testing::UnorderedElementsAre(BrokenRule::unknown_parent, BrokenRule::prefix_does_not_hold_address,
                                              BrokenRule::mtu_out_of_range, BrokenRule::name_invalid));
  EXPECT_EQ(result.next.revision(), before.revision());
  EXPECT_EQ(result.next.size(), before.size());
  EXPECT_TRUE(result.delta.empty());
  EXPECT_THAT(result.changes, IsEmpty());
}

TEST(Builder, NewAddressesOfAPortAreCheckedAgainstItsRoutes) {
  const auto before = build(bridge_and_router(), {Create{route(1, 20, "0.0.0.0/0", 21, "10.0.0.254")}}, 6).next;
  Port renumbered = *before.find(id<PortId>(21));
  renumbered.addresses = {prefix("10.1.0.1/24")};
  const auto result = build(before, {Update{renumbered}}, kNow);
  ASSERT_EQ(result.violations.size(), 1u) << text_of(result);
  EXPECT_EQ(result.violations[0].rule, BrokenRule::prefix_does_not_hold_address);
  EXPECT_EQ(result.violations[0].object, (ObjectRef{Kind::route, uuid(1)}));
  EXPECT_EQ(result.violations[0].field, "gateway");

  const auto both = build(before, {Update{renumbered}, Update{route(1, 20, "0.0.0.0/0", 21, "10.1.0.254")}}, kNow);
  EXPECT_TRUE(both.ok()) << text_of(both);
}

TEST(Builder, TheRevisionOfAnUpdateMustBeTheStoredOne) {
  const auto before = build({}, {Create{bridge(1)}}, 5).next;
  Bridge down = bridge(1);
  down.admin_up = false;
  down.revision = 5;
  EXPECT_TRUE(build(before, {Update{down}}, 6).ok());
  down.revision = 4;
  const auto result = build(before, {Update{down}}, 6);
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_EQ(result.violations[0].rule, BrokenRule::revision_conflict);
}

TEST(Builder, ViolationsReadAsSentences) {
  const auto result = build({}, {Create{bridge_port(1, 9)}}, kNow);
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_EQ(to_string(result.violations[0]),
            "port port1: unknown_parent (bridge): There is no bridge 00000000-0000-0000-0000-000000000009. Create the "
            "bridge first or in the same transaction.");
}

// The cost of a change is the change: everything else is the very same object.
TEST(Builder, AddingAPortSharesAllOthers) {
  std::vector<Operation> operations{Create{bridge(1)}};
  for (uint64_t i = 1; i <= 10'000; ++i) operations.emplace_back(Create{bridge_port(i, 1)});
  const auto before = build({}, std::move(operations), 1).next;
  ASSERT_EQ(before.size(), 10'001u);
  const auto result = build(before, {Create{bridge_port(20'000, 1)}}, 2);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.delta.changes.size(), 1u);
  for (uint64_t i = 1; i <= 10'000; ++i) {
    ASSERT_EQ(before.find(id<PortId>(i)), result.next.find(id<PortId>(i)));
  }
}

TEST(Builder, SameOperationsGiveTheSameResult) {
  const auto operations = [] {
    return std::vector<Operation>{Create{router(1)}, Create{router_port(2, 1, "10.0.0.1/24")}};
  };
  EXPECT_TRUE(Delta::between(build({}, operations(), 1).next, build({}, operations(), 1).next).empty());
}

}  // namespace
}  // namespace viaduct::topology
