// Compiled networks: what they hold, and that an update shares what it does not touch.
#include <gtest/gtest.h>

#include "flows/simulation/invalidation.hpp"
#include "network_text.hpp"
#include "scenario_network.hpp"

namespace viaduct::flows::simulation {
namespace {

using scenario::ip;
using scenario::mac;
using scenario::ScenarioNetwork;
using Admin = ScenarioNetwork::Admin;

ScenarioNetwork small() {
  ScenarioNetwork net;
  net.bridge("green").guest_port("green", "p1").bridge("blue").guest_port("blue", "p2");
  net.router("r1").link("green", "r1-green", "02:00:00:00:01:fe", {"10.0.1.254/24", "fd00:1::254/64"});
  net.uplink("r1", "up", "02:00:00:00:09:01", {"10.0.9.1/24"});
  net.route("default", "r1", "0.0.0.0/0", "up", "10.0.9.254");
  return net;
}

Network updated(const Network& network, const ScenarioNetwork& before, const ScenarioNetwork& after,
                const std::vector<PortId>& rebound = {}) {
  return network.updated(after.snapshot(), topology::Delta::between(before.snapshot(), after.snapshot()),
                         after.locations(), {rebound, {}, {}, {}});
}

// Those that packets take.
size_t routes_of(const Network& network, const ScenarioNetwork& net) {
  const routing::Fib& fib = network.router(RouterId(net.id("r1")))->fib;
  size_t count = 0;
  fib.for_each([&](const routing::FibEntry& entry) {
    const routing::NextHops* next_hops = fib.next_hops().find(entry.port);
    count += next_hops == nullptr || next_hops->of(entry.gateway) != routing::Standing::none ? 1 : 0;
  });
  return count;
}

TEST(Network, is_empty_at_first) {
  const Network network;
  EXPECT_EQ(network.revision(), 0U);
  EXPECT_EQ(network.at(PortNumber{1}), nullptr);
}

TEST(Network, resolves_ports_and_links) {
  const ScenarioNetwork net = small();
  const Network network = net.compile();
  EXPECT_EQ(network.revision(), net.snapshot().revision());
  ASSERT_NE(network.at(net.number("p1")), nullptr);
  EXPECT_EQ(network.at(net.number("p1"))->name, "p1");
  const BridgeView* green = network.bridge(BridgeId(net.id("green")));
  ASSERT_NE(green, nullptr);
  EXPECT_EQ(green->flood.size(), 1U);
  ASSERT_NE(green->router_macs.find(mac("02:00:00:00:01:fe")), nullptr);
  EXPECT_NE(green->router_addresses.find(ip("10.0.1.254")), nullptr);
  EXPECT_NE(green->router_addresses.find(IpAddress::link_local_of(mac("02:00:00:00:01:fe"))), nullptr);
}

TEST(Network, routes_follow_from_addresses_and_vanish_with_their_port) {
  ScenarioNetwork net = small();
  Network network = net.compile();
  EXPECT_EQ(routes_of(network, net), 7U) << "three addresses, three subnets, one default";
  ScenarioNetwork next = net;
  next.deactivate("up");
  network = updated(network, net, next, {net.port("up")});
  EXPECT_EQ(routes_of(network, net), 4U);
  ScenarioNetwork down = next;
  down.set("r1-green", Admin::down);
  network = updated(network, next, down);
  EXPECT_EQ(routes_of(network, net), 0U);
  EXPECT_EQ(text_of(network), text_of(down.compile()));
  network = updated(network, down, small(), {net.port("up")});
  EXPECT_EQ(text_of(network), text_of(small().compile()));
}

TEST(Network, a_next_hop_that_goes_costs_the_same_however_many_routes_lead_there) {
  ScenarioNetwork net = small();
  for (int i = 0; i < 100; ++i) {
    net.route("more" + std::to_string(i), "r1", "10.77." + std::to_string(i) + ".0/24", "up", "10.0.9.254");
  }
  ScenarioNetwork next = net;
  next.deactivate("up");
  const Network before = net.compile();
  const Moved moved{{net.port("up")}, {}, {}, {}};
  const Network after = updated(before, net, next, moved.ports);
  EXPECT_EQ(after.router(RouterId(net.id("r1")))->fib.size(), before.router(RouterId(net.id("r1")))->fib.size() - 2);
  const Invalidation concerned = invalidated_by(before, after, {}, moved);
  EXPECT_LT(concerned.tags.size(), 10U);
  EXPECT_TRUE(concerned.prefixes.empty());
}

TEST(Network, an_update_shares_the_views_that_it_does_not_touch) {
  const ScenarioNetwork net = small();
  const Network network = net.compile();
  ScenarioNetwork more = net;
  more.guest_port("blue", "p3");
  const Network next = updated(network, net, more);
  EXPECT_EQ(next.bridge(BridgeId(net.id("green"))), network.bridge(BridgeId(net.id("green"))));
  EXPECT_EQ(next.router(RouterId(net.id("r1"))), network.router(RouterId(net.id("r1"))));
  EXPECT_EQ(next.port(net.port("p1")), network.port(net.port("p1")));
  EXPECT_NE(next.bridge(BridgeId(net.id("blue"))), network.bridge(BridgeId(net.id("blue"))));
  EXPECT_EQ(text_of(next), text_of(more.compile()));
}

TEST(Network, numbers_may_change_hands) {
  const ScenarioNetwork net = small();
  const Network network = net.compile();
  const PortId p1 = net.port("p1"), p2 = net.port("p2");
  Locations swapped = net.locations();
  swapped.bindings = swapped.bindings.insert(p1, net.number("p2")).insert(p2, net.number("p1"));
  const Network next = network.updated(net.snapshot(), {}, swapped, {{p1, p2}, {}, {}, {}});
  EXPECT_EQ(next.at(net.number("p1"))->id, p2);
  EXPECT_EQ(next.at(net.number("p2"))->id, p1);
  EXPECT_EQ(text_of(next), text_of(Network::compile(net.snapshot(), swapped)));
}

TEST(Network, claims_do_not_depend_on_the_order_of_changes) {
  ScenarioNetwork net = small();
  net.link("green", "twin", "02:00:00:00:01:fe", {"10.0.7.254/24"});
  const Network both = net.compile();
  const RouterLink first = *both.bridge(BridgeId(net.id("green")))->router_macs.find(mac("02:00:00:00:01:fe"));
  EXPECT_EQ(first.bridge_port, std::min(net.port("green-twin"), net.port("green-r1-green")));
  EXPECT_EQ(text_of(updated(small().compile(), small(), net)), text_of(both));
}

}  // namespace
}  // namespace viaduct::flows::simulation
