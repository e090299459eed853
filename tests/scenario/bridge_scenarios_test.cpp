// Group A of the acceptance scenarios: what bridges do.
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Bridges : public TwoSubnets {
 protected:
  static constexpr const char* kUnknownMac = "02:00:00:00:00:77";

  //   p1 ─┐
  //   p2 ─ hub
  //   p3 ─┘
  static ScenarioNetwork hub() {
    ScenarioNetwork net;
    net.bridge("hub").guest_port("hub", "p1").guest_port("hub", "p2").guest_port("hub", "p3");
    return net;
  }
};

TEST_P(Bridges, A1_unknown_unicast_is_flooded_once_to_all_others) {
  driver.apply(hub());
  const auto out = driver.send("p1", udp(guest(1), kUnknownMac, address(1, 77)));
  EXPECT_EQ(ports_of(out), "p2 p3");
  EXPECT_EQ(driver.verdict().outcome, Outcome::forward);
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(driver.verdict().actions.size(), 2U) << driver.actions();
  EXPECT_EQ(driver.step(Stage::bridge_flood), std::string("for ") + kUnknownMac);
  EXPECT_EQ(driver.oracle().size(), 1U);
}

TEST_P(Bridges, A2_a_learned_mac_gets_its_own_port_and_the_flood_flow_goes) {
  driver.apply(hub());
  const Guest vm2 = guest(2);
  const Frame to_vm2 = udp(guest(1), "02:00:00:00:00:02", vm2.ip);
  EXPECT_EQ(ports_of(driver.send("p1", to_vm2)), "p2 p3");
  EXPECT_EQ(driver.oracle().size(), 1U);
  EXPECT_EQ(ports_of(driver.send("p2", udp(vm2, kUnknownMac, address(1, 77)))), "p1 p3");
  EXPECT_EQ(driver.oracle().size(), 1U) << "the flow that flooded to vm2 is gone, vm2's own is there";
  EXPECT_EQ(ports_of(driver.send("p1", to_vm2)), "p2");
  EXPECT_EQ(driver.step(Stage::bridge_unicast), "02:00:00:00:00:02 is behind p2, learned");
}

TEST_P(Bridges, A2_a_moved_mac_is_followed) {
  driver.apply(hub());
  const Frame to_vm2 = udp(guest(1), "02:00:00:00:00:02", guest(2).ip);
  driver.send("p2", announcement(guest(2)));
  EXPECT_EQ(ports_of(driver.send("p1", to_vm2)), "p2");
  driver.send("p3", announcement(guest(2)));
  EXPECT_EQ(ports_of(driver.send("p1", to_vm2)), "p3");
}

TEST_P(Bridges, A4_a_multicast_source_is_dropped_and_not_learned) {
  driver.apply(hub());
  Guest liar = guest(1);
  liar.mac = mac("03:00:00:00:00:01");
  EXPECT_EQ(ports_of(driver.send("p1", udp(liar, kUnknownMac, address(1, 77)))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::multicast_source_mac);
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(driver.macs().size(), 0U);
}

TEST_P(Bridges, A9_static_neighbours_are_answered_for) {
  ScenarioNetwork net = hub();
  net.static_neighbour("hub", text(1, 50), "02:00:00:00:00:50");
  driver.apply(net);
  const auto out = driver.send("p1", who_has(guest(1), address(1, 50)));
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), v4() ? "arp reply 10.0.1.50 is-at 02:00:00:00:00:50"
                                          : "na fd00:1::50 is-at 02:00:00:00:00:50 solicited override");
  EXPECT_EQ(ethernet_of(on(out, "p1")), "02:00:00:00:00:50 > 02:00:00:00:00:01");
  EXPECT_EQ(driver.verdict().outcome, Outcome::consumed);
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::consumed_by_bridge);
  EXPECT_FALSE(driver.verdict().cacheable);
  EXPECT_THAT(driver.step(Stage::arp_suppressed), HasSubstr("02:00:00:00:00:50, static"));
}

TEST_P(Bridges, A9_overheard_neighbours_are_answered_for) {
  driver.apply(hub());
  const Guest vm2 = guest(2);
  EXPECT_EQ(ports_of(driver.send("p2", announcement(vm2))), "p1 p3");
  const auto out = driver.send("p1", who_has(guest(1), vm2.ip));
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_THAT(describe(on(out, "p1")), HasSubstr("02:00:00:00:00:02"));
  // Without the binding everybody is asked.
  driver.expire(driver.binding("hub", vm2.ip.to_string()));
  EXPECT_EQ(ports_of(driver.send("p1", who_has(guest(1), vm2.ip))), "p2 p3");
}

TEST_P(Bridges, A10_a_router_on_the_bridge_is_answered_for) {
  const auto out = driver.send("p1", who_has(guest(1), address(1, 254)));
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), v4() ? "arp reply 10.0.1.254 is-at 02:00:00:00:01:fe"
                                          : "na fd00:1::254 is-at 02:00:00:00:01:fe router solicited override");
}

TEST_P(Bridges, A10_the_routers_link_local_address_too) {
  if (v4()) GTEST_SKIP() << "IPv6 only";
  const auto out = driver.send("p1", who_has(guest(1), IpAddress::link_local_of(mac(kGreenMac))));
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_THAT(describe(on(out, "p1")), HasSubstr(kGreenMac));
}

TEST_P(Bridges, who_asks_whether_an_address_is_free_is_answered_by_its_owner) {
  driver.apply(hub());
  announce(guest(2));
  EXPECT_EQ(ports_of(driver.send("p1", probe(guest(1).mac, guest(2).ip))), "p2 p3");
  EXPECT_FALSE(driver.neighbours().find(driver.binding("hub", v4() ? "0.0.0.0" : "::")));
}

TEST_P(Bridges, a_frame_never_leaves_by_its_own_port) {
  driver.apply(hub());
  driver.send("p1", udp(guest(2), kUnknownMac, address(1, 77)));
  EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), "02:00:00:00:00:02", guest(2).ip))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::hairpin);
  EXPECT_TRUE(driver.verdict().cacheable);
}

TEST_P(Bridges, a_static_mac_is_not_moved_by_learning) {
  ScenarioNetwork net = hub();
  net.static_mac("hub", "02:00:00:00:00:02", "p2");
  driver.apply(net);
  driver.send("p3", udp(guest(2), kUnknownMac, address(1, 77)));
  EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), "02:00:00:00:00:02", guest(2).ip))), "p2");
  EXPECT_EQ(driver.step(Stage::bridge_unicast), "02:00:00:00:00:02 is behind p2, static");
}

TEST_P(Bridges, a_port_that_comes_and_goes_joins_and_leaves_the_flood) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  const Frame broadcast = packet(guest(1), "ff:ff:ff:ff:ff:ff", address(1, 255)).udp(67, 67).build();
  EXPECT_EQ(ports_of(driver.send("p1", broadcast)), "p2 p3");
  driver.apply(net.deactivate("p3"));
  EXPECT_EQ(ports_of(driver.send("p1", broadcast)), "p2");
  driver.apply(net.set("p2", ScenarioNetwork::Admin::down));
  EXPECT_EQ(ports_of(driver.send("p1", broadcast)), "nothing");
  // The other host hears of it: the port is active there, only nobody may use it.
  EXPECT_EQ((one_host() ? driver.verdict() : driver.arrival()).drop_reason, DropReason::no_flood_targets);
  driver.apply(net.activate("p3"));
  EXPECT_EQ(ports_of(driver.send("p1", broadcast)), "p3");
}

TEST_P(Bridges, B13_a_bridge_that_is_down_is_silent) {
  ScenarioNetwork net = hub();
  driver.apply(net.set("hub", ScenarioNetwork::Admin::down));
  EXPECT_EQ(ports_of(driver.send("p1", ping(guest(1), kUnknownMac, address(1, 77)))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::device_down);
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_THAT(driver.verdict().emits, IsEmpty());
  driver.apply(net.set("hub", ScenarioNetwork::Admin::up));
  EXPECT_EQ(ports_of(driver.send("p1", ping(guest(1), kUnknownMac, address(1, 77)))), "p2 p3");
}

TEST_P(Bridges, frames_with_vlan_tags_are_forwarded_as_they_are) {
  driver.apply(hub());
  const Frame tagged =
      PacketBuilder{}.eth("02:00:00:00:00:01", kUnknownMac).vlan(10, 3).ip(guest(1).ip, guest(2).ip).udp(1, 2).build();
  const auto out = driver.send("p1", tagged);
  ASSERT_EQ(ports_of(out), "p2 p3");
  EXPECT_EQ(on(out, "p2"), tagged);
}

INSTANTIATE_TEST_SUITE_P(Settings, Bridges, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
