#include "topology/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/topology/literals.hpp"
#include "topology/delta.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<PortId> ports_of(const Snapshot& snapshot, const Uuid& device) {
  std::vector<PortId> out;
  snapshot.for_each_port_of(device, [&](const Port& port) { out.push_back(port.id); });
  return out;
}

TEST(Snapshot, AnEmptyOneAnswersEverything) {
  const Snapshot snapshot;
  EXPECT_EQ(snapshot.size(), 0u);
  EXPECT_EQ(snapshot.find(id<PortId>(1)), nullptr);
  EXPECT_EQ(snapshot.find(ObjectRef{Kind::bridge, Uuid::from_words(0, 1)}), nullptr);
  EXPECT_EQ(snapshot.find(ObjectRef{Kind::count_, Uuid::from_words(0, 1)}), nullptr);
  EXPECT_EQ(snapshot.bound_port(id<HostId>(1), "eth0"), std::nullopt);
  EXPECT_THAT(ports_of(snapshot, Uuid::from_words(0, 1)), IsEmpty());
}

TEST(Snapshot, FindsEachKindUnderItsIdOnly) {
  const auto snapshot =
      snapshot_of(host(1), bridge(1), router(1), router_port(1, 1), route(1, 1, "0.0.0.0/0", 1),
                  static_mac(1, 1, "02:00:00:00:00:01", 1), static_neighbour(1, 1, "10.0.0.1", "02:00:00:00:00:01"),
                  tunnel_zone(1), tunnel_zone_host(1, 1, 1, "192.0.2.1"));
  EXPECT_EQ(*snapshot.find(id<HostId>(1)), host(1));
  EXPECT_EQ(*snapshot.find(id<BridgeId>(1)), bridge(1));
  EXPECT_EQ(*snapshot.find(id<RouterId>(1)), router(1));
  EXPECT_EQ(*snapshot.find(id<PortId>(1)), router_port(1, 1));
  EXPECT_EQ(*snapshot.find(id<RouteId>(1)), route(1, 1, "0.0.0.0/0", 1));
  EXPECT_EQ(snapshot.find(id<StaticMacId>(1))->mac, mac("02:00:00:00:00:01"));
  EXPECT_EQ(snapshot.find(id<StaticNeighbourId>(1))->address, ip("10.0.0.1"));
  EXPECT_EQ(*snapshot.find(id<TunnelZoneId>(1)), tunnel_zone(1));
  EXPECT_EQ(snapshot.find(id<TunnelZoneHostId>(1))->address, ip("192.0.2.1"));
  EXPECT_EQ(snapshot.find(id<HostId>(2)), nullptr);
  EXPECT_EQ(snapshot.size(), 9u);
}

TEST(Snapshot, VisitsPortsOfADeviceInOrder) {
  const auto snapshot = snapshot_of(bridge_port(3, 10), bridge_port(1, 10), bridge_port(2, 20), router_port(4, 30));
  EXPECT_THAT(ports_of(snapshot, Uuid::from_words(0, 10)), ElementsAre(id<PortId>(1), id<PortId>(3)));
  EXPECT_THAT(ports_of(snapshot, Uuid::from_words(0, 30)), ElementsAre(id<PortId>(4)));
}

TEST(Snapshot, KnowsTheHostsOfAZoneAndTheZonesOfAHost) {
  const auto snapshot = snapshot_of(tunnel_zone(1), tunnel_zone(2), tunnel_zone_host(11, 1, 1, "192.0.2.1"),
                                    tunnel_zone_host(12, 1, 2, "192.0.2.2"), tunnel_zone_host(21, 2, 1, "fd00::1"));
  std::vector<TunnelZoneHostId> found;
  snapshot.for_each_host_of(id<TunnelZoneId>(1), [&](const TunnelZoneHost& member) { found.push_back(member.id); });
  EXPECT_THAT(found, ElementsAre(id<TunnelZoneHostId>(11), id<TunnelZoneHostId>(12)));
  found.clear();
  snapshot.for_each_zone_of(id<HostId>(1), [&](const TunnelZoneHost& member) { found.push_back(member.id); });
  EXPECT_THAT(found, ElementsAre(id<TunnelZoneHostId>(11), id<TunnelZoneHostId>(21)));
}

TEST(Snapshot, IndexesFollowAPortThatMoves) {
  Port port = bridge_port(1, 10);
  port.host = id<HostId>(1);
  port.interface = "eth0";
  const auto before = snapshot_of(port);
  port.interface = "eth1";
  port.name = "renamed";
  const auto after = before.with(share(port));

  EXPECT_EQ(before.bound_port(id<HostId>(1), "eth0"), id<PortId>(1));
  EXPECT_EQ(after.bound_port(id<HostId>(1), "eth0"), std::nullopt);
  EXPECT_EQ(after.bound_port(id<HostId>(1), "eth1"), id<PortId>(1));
  int named = 0;
  after.for_each_named(Kind::port, "port1", [&](const Object&) { ++named; });
  EXPECT_EQ(named, 0);
  after.for_each_named(Kind::port, "renamed", [&](const Object&) { ++named; });
  EXPECT_EQ(named, 1);
  EXPECT_THAT(ports_of(after.without({Kind::port, port.id.uuid()}), Uuid::from_words(0, 10)), IsEmpty());
}

TEST(Snapshot, KnowsWhatGoesThroughAPort) {
  const auto snapshot = snapshot_of(route(2, 1, "10.0.0.0/8", 7), route(1, 1, "::/0", 7), route(3, 1, "0.0.0.0/0", 8));
  std::vector<RouteId> through;
  snapshot.for_each_route_through(id<PortId>(7), [&](const Route& route) { through.push_back(route.id); });
  EXPECT_THAT(through, ElementsAre(id<RouteId>(1), id<RouteId>(2)));
  int of_router = 0;
  snapshot.for_each_route_of(id<RouterId>(1), [&](const Route&) { ++of_router; });
  EXPECT_EQ(of_router, 3);
}

// An object that anything may be in any state: snapshots check nothing.
Object random_object(std::mt19937& random) {
  const uint64_t number = 1 + random() % 40;
  switch (random() % 5) {
    case 0: {
      Bridge value = bridge(number);
      value.admin_up = random() % 2 == 0;
      return value;
    }
    case 1: {
      Port value = bridge_port(number, 1 + random() % 3);
      value.peer = id<PortId>(random() % 5);
      value.vlan = random() % 3;
      return value;
    }
    case 2: {
      Port value = router_port(number, 1 + random() % 3, random() % 2 ? "10.0.0.1/24" : "");
      value.host = id<HostId>(random() % 2);
      value.interface = random() % 2 ? "eth0" : "";
      return value;
    }
    case 3:
      return route(number, 1 + random() % 3, "10.0.0.0/8", random() % 5);
    default:
      return host(number);
  }
}

Snapshot changed(Snapshot snapshot, std::mt19937& random, int changes) {
  for (int i = 0; i < changes; ++i) {
    Object object = random_object(random);
    snapshot = random() % 3 == 0 ? snapshot.without(ref_of(object)) : snapshot.with(share(std::move(object)));
  }
  return snapshot.at_revision(snapshot.revision() + 1);
}

// Everything that a snapshot says, as text.
std::string dump(const Snapshot& snapshot) {
  std::string out = std::to_string(snapshot.revision()) + "\n";
  for (int kind = 0; kind < static_cast<int>(Kind::count_); ++kind) {
    snapshot.for_each(static_cast<Kind>(kind), [&](const Object& object) {
      out += std::to_string(kind) + " " + id_of(object).to_string() + " " + name_of(object);
      if (const auto* port = std::get_if<Port>(&object)) {
        out += " " + port->device().to_string() + " " + port->peer.to_string() + std::to_string(port->addresses.size());
        out += " " + port->interface + std::to_string(port->vlan);
      }
      out += "\n";
    });
  }
  for (uint64_t device = 0; device < 5; ++device) {
    for (const PortId& port : ports_of(snapshot, Uuid::from_words(0, device))) out += port.to_string() + ",";
    snapshot.for_each_interior_port_of(Uuid::from_words(0, device), [&](const Port& p) { out += p.name + ";"; });
    snapshot.for_each_port_bound_to(id<HostId>(device), [&](const Port& p) { out += p.name + "!"; });
    snapshot.for_each_route_through(id<PortId>(device), [&](const Route& r) { out += r.id.to_string(); });
  }
  return out;
}

TEST(Delta, OfTwoSnapshotsTurnsOneIntoTheOther) {
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    const Snapshot before = changed({}, random, 60);
    const Snapshot after = changed(before, random, 20);
    const Delta delta = Delta::between(before, after);
    const Snapshot applied = delta.apply_to(before);
    EXPECT_EQ(dump(applied), dump(after));
    EXPECT_TRUE(Delta::between(applied, after).empty());
  }
}

TEST(Delta, MergedIsTheSameAsStepByStep) {
  std::mt19937 random(2);
  for (int round = 0; round < 30; ++round) {
    const Snapshot a = changed({}, random, 50);
    const Snapshot b = changed(a, random, 15);
    const Snapshot c = changed(b, random, 15);
    Delta merged = Delta::between(a, b);
    merged.merge(Delta::between(b, c));
    EXPECT_EQ(dump(merged.apply_to(a)), dump(c));
    EXPECT_EQ(merged.changes.size(), Delta::between(a, c).changes.size());
    EXPECT_EQ(merged.from_revision, a.revision());
    EXPECT_EQ(merged.to_revision, c.revision());
  }
}

TEST(Delta, CreatedThenDeletedIsNothing) {
  const Snapshot empty;
  const Snapshot with_bridge = empty.with(share(bridge(1)));
  Delta delta = Delta::between(empty, with_bridge);
  ASSERT_EQ(delta.changes.size(), 1u);
  EXPECT_EQ(delta.changes.begin()->second.before, nullptr);
  delta.merge(Delta::between(with_bridge, with_bridge.without({Kind::bridge, Uuid::from_words(0, 1)})));
  EXPECT_TRUE(delta.empty());
}

TEST(Snapshot, SharesEverythingElse) {
  Snapshot before;
  for (uint64_t i = 1; i <= 10'000; ++i) before = before.with(share(bridge_port(i, 1)));
  const Snapshot after = before.with(share(bridge_port(20'000, 1)));
  EXPECT_EQ(after.count(Kind::port), 10'001u);
  for (uint64_t i = 1; i <= 10'000; ++i) ASSERT_EQ(before.find(id<PortId>(i)), after.find(id<PortId>(i)));
  EXPECT_EQ(Delta::between(before, after).changes.size(), 1u);
}

template <class T, class Visit>
std::vector<uint64_t> numbers(Visit&& visit) {
  std::vector<uint64_t> out;
  visit([&](const T& value) { out.push_back(value.id.uuid().low()); });
  return out;
}

TEST(Snapshot, FindsRulesGroupsLoadBalancersAndPeers) {
  Router r20 = router(20);
  r20.load_balancer = id<LoadBalancerId>(70);
  const auto snapshot =
      snapshot_of(r20, router(21), router_port(11, 20), chain(40), rule(41, 40, 20), rule(42, 40, 10), rule(43, 49, 10),
                  port_group(50), port_group_port(51, 50, 11), port_group_port(52, 53, 11), ip_group(60),
                  ip_group_address(61, 60, "10.0.0.0/8"), load_balancer(70), pool(71, 70, 90), pool(72, 70),
                  pool(73, 0, 90), pool_member(74, 71, "10.0.0.1", 80), vip(75, 71, "10.0.0.2", 80), health_monitor(90),
                  bgp_peer(80, 20, "10.0.0.3"), bgp_peer(81, 21, "10.0.0.3"), bgp_network(82, 20, "10.0.0.0/8"));
  EXPECT_EQ(snapshot.find(id<RuleId>(42))->position, 10u);
  EXPECT_EQ(snapshot.find(id<HealthMonitorId>(90))->name, "monitor90");
  EXPECT_EQ(snapshot.find(id<ChainId>(41)), nullptr);
  EXPECT_THAT(numbers<Rule>([&](auto v) { snapshot.for_each_rule_of(id<ChainId>(40), v); }), ElementsAre(41u, 42u));
  EXPECT_THAT(numbers<PortGroupPort>([&](auto v) { snapshot.for_each_port_of(id<PortGroupId>(50), v); }),
              ElementsAre(51u));
  EXPECT_THAT(numbers<PortGroupPort>([&](auto v) { snapshot.for_each_port_group_of(id<PortId>(11), v); }),
              ElementsAre(51u, 52u));
  EXPECT_THAT(numbers<IpGroupAddress>([&](auto v) { snapshot.for_each_address_of(id<IpGroupId>(60), v); }),
              ElementsAre(61u));
  EXPECT_THAT(numbers<Pool>([&](auto v) { snapshot.for_each_pool_of(id<LoadBalancerId>(70), v); }),
              ElementsAre(71u, 72u));
  EXPECT_THAT(numbers<Pool>([&](auto v) { snapshot.for_each_pool_of(id<HealthMonitorId>(90), v); }),
              ElementsAre(71u, 73u));
  EXPECT_THAT(numbers<PoolMember>([&](auto v) { snapshot.for_each_member_of(id<PoolId>(71), v); }), ElementsAre(74u));
  EXPECT_THAT(numbers<Vip>([&](auto v) { snapshot.for_each_vip_of(id<PoolId>(71), v); }), ElementsAre(75u));
  EXPECT_EQ(snapshot.router_of(id<LoadBalancerId>(70)), id<RouterId>(20));
  EXPECT_EQ(snapshot.find(id<BgpPeerId>(81))->name, "peer81");
  EXPECT_EQ(snapshot.find(id<BgpNetworkId>(82))->prefix, prefix("10.0.0.0/8"));
  EXPECT_THAT(numbers<BgpPeer>([&](auto v) { snapshot.for_each_bgp_peer_of(id<RouterId>(20), v); }), ElementsAre(80u));
  EXPECT_THAT(numbers<BgpNetwork>([&](auto v) { snapshot.for_each_bgp_network_of(id<RouterId>(20), v); }),
              ElementsAre(82u));
  EXPECT_EQ(snapshot.router_of(id<LoadBalancerId>(71)), std::nullopt);
}

}  // namespace
}  // namespace viaduct::topology
