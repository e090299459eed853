// Groups A and B where it matters which host a port is on. That the other scenarios do not notice is what their spread
// settings show.
#include <map>

#include "flows/packet/headers.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using flows::FieldSet;
using flows::Tunnel;
using testing::HasSubstr;
using testing::IsEmpty;
using Admin = ScenarioNetwork::Admin;

// The underlay is of the family of the setting, too.
class Hosts : public TwoSubnets {
 protected:
  static constexpr const char* kUnknownMac = "02:00:00:00:00:77";

  //   h1: p1 ─┐
  //   h1: p2 ─ hub
  //   h2: p3 ─┘
  ScenarioNetwork hub() const {
    ScenarioNetwork net;
    net.bridge("hub").guest_port("hub", "p1").guest_port("hub", "p2").guest_port("hub", "p3");
    net.spread(3).move("p2", 0).move("p3", 1);
    net.change_hosts().family = GetParam().family;
    return net;
  }
  // vm1 and vm2 are on h1, vm3 on h2, vm4 and the uplink on h3.
  ScenarioNetwork routed() const {
    ScenarioNetwork net = network();
    net.spread(3).move("p2", 0).move("p3", 1).move("p4", 2).move("up1", 2);
    net.change_hosts().family = GetParam().family;
    return net;
  }
  std::string tunnel_to_p3(const ScenarioNetwork& net, uint32_t key) const {
    return "tunnel(9000," + Tunnel{key, net.hosts().address(0), net.hosts().address(1)}.to_string() + ")";
  }
  Frame to_p3() const { return udp(guest(1), "02:00:00:00:00:03", guest(3).ip); }
  Tunnel tunnel(const ScenarioNetwork& net, int from, int to, uint32_t key) const {
    return {key, net.hosts().address(from), net.hosts().address(to)};
  }
  const FieldSet by_tunnel_alone{flows::Field::in_port, flows::Field::tunnel};
};

TEST_P(Hosts, A1_one_flow_with_local_outputs_and_a_tunnel) {
  const ScenarioNetwork net = hub();
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), kUnknownMac, address(1, 77)))), "p2 p3");
  const uint32_t key = net.hosts().flood_key(BridgeId(net.id("hub")), 1);
  EXPECT_EQ(driver.actions(), "output(2)," + tunnel_to_p3(net, key));
  EXPECT_EQ(driver.host(0).oracle.size(), 1U);
  EXPECT_EQ(driver.arrival().mask, by_tunnel_alone);
  EXPECT_EQ(flows::to_string(driver.arrival().actions.view()), "output(3)");
}

TEST_P(Hosts, a_flood_goes_once_to_each_host_that_has_ports_of_the_bridge) {
  ScenarioNetwork net = hub();
  net.guest_port("hub", "p4").move("p4", 1).bridge("other").guest_port("other", "q").move("q", 2);
  driver.apply(net);
  const Frame broadcast = packet(guest(1), "ff:ff:ff:ff:ff:ff", address(1, 255)).udp(67, 67).build();
  EXPECT_EQ(ports_of(driver.send("p1", broadcast)), "p2 p3 p4");
  EXPECT_EQ(driver.crossed(), 1U);
  driver.apply(net.move("p4", 2));
  EXPECT_EQ(ports_of(driver.send("p1", broadcast)), "p2 p3 p4");
  EXPECT_EQ(driver.crossed(), 3U);
}

TEST_P(Hosts, a_trace_names_the_host_and_the_tunnel_at_both_ends) {
  const ScenarioNetwork net = hub();
  driver.apply(net);
  announce(guest(3));
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "p3");
  const std::string ends =
      std::string(" key 4098 from ") + pick("192.0.2.1 to 192.0.2.2", "2001:db8:a::1 to 2001:db8:a::2");
  const std::string key = std::to_string(net.hosts().key_of(net.port("p3")));
  const std::string way = " key " + key + ends.substr(ends.find(" from"));
  EXPECT_EQ(driver.step(Stage::output), "to host h2 by vxlan" + way);
  ASSERT_FALSE(driver.arrival_trace().steps.empty());
  EXPECT_EQ(to_string(driver.arrival_trace().steps.front()), "tunnel_in: from host h1" + way);
  EXPECT_EQ(to_string(driver.arrival_trace().steps.back()), "output: p3, number 3");
}

TEST_P(Hosts, what_is_learned_on_one_host_counts_on_another_once_it_is_known_there) {
  SimulationDriver slow(hub(), 3, SimulationDriver::Replication::by_hand);
  slow.send("p3", announcement(guest(3)));
  EXPECT_EQ(ports_of(slow.send("p1", to_p3())), "p2 p3");
  EXPECT_EQ(ports_of(slow.send("p1", who_has(guest(1), guest(3).ip))), "p2 p3");
  slow.replicate();
  EXPECT_EQ(ports_of(slow.send("p1", to_p3())), "p3");
  EXPECT_EQ(ports_of(slow.send("p1", who_has(guest(1), guest(3).ip))), "p1") << "answered locally";
  EXPECT_THAT(slow.breaches(), IsEmpty());
}

TEST_P(Hosts, a_port_that_moves_takes_exactly_its_flows_along) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  announce(guest(2));
  announce(guest(3));
  driver.send("p1", to_p3());
  driver.send("p1", udp(guest(1), "02:00:00:00:00:02", guest(2).ip));
  const size_t flows = driver.host(0).oracle.size();
  driver.apply(net.move("p3", 2));
  EXPECT_EQ(driver.host(0).oracle.size(), flows - 1) << "the flow to the other port stays";
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "p3");
  EXPECT_THAT(driver.step(Stage::output), HasSubstr("to host h3"));
  driver.apply(net.move("p3", 0));
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "p3");
  EXPECT_EQ(driver.actions(), "output(3)");
}

TEST_P(Hosts, a_port_is_nowhere_when_another_host_claims_it) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  announce(guest(3));
  driver.apply(net.claim("p3", 2));
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::port_inactive);
  EXPECT_TRUE(driver.verdict().cacheable);
  driver.apply(net.claim("p3", 1));
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "p3");
}

TEST_P(Hosts, a_host_that_dies_takes_its_ports_and_routes_with_it) {
  ScenarioNetwork net = routed();
  const char* any = pick("0.0.0.0/0", "::/0");
  net.uplink("r1", "up2", "02:00:00:00:08:01", {"10.0.8.1/24", "fd00:8::1/64"}).move("up2", 1);
  net.route("first", "r1", any, "up1", text(9, 254), 10).route("second", "r1", any, "up2", text(8, 254), 20);
  driver.apply(net);
  driver.send("up1", who_has(gateway(), address(9, 1)));
  driver.send("up2", who_has({"up2", mac("02:00:00:00:00:88"), address(8, 254)}, address(8, 1)));
  announce(guest(4));
  const Frame out_there = udp(guest(1), kGreenMac, ip(pick("8.8.8.8", "2001:db8::8")));
  const Frame to_vm4 = udp(guest(1), kGreenMac, guest(4).ip);
  EXPECT_EQ(ports_of(driver.send("p1", out_there)), "up1");
  EXPECT_EQ(ports_of(driver.send("p1", to_vm4)), "p4");
  driver.apply(net.kill_host(2));
  EXPECT_EQ(ports_of(driver.send("p1", out_there)), "up2");
  EXPECT_EQ(ports_of(driver.send("p1", to_vm4)), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::port_inactive);
}

TEST_P(Hosts, without_a_tunnel_there_is_no_way_and_a_silent_one_is_used) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  announce(guest(3));
  net.change_hosts().cut.insert({0, 1});
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::no_tunnel_path);
  EXPECT_EQ(driver.step(Stage::next_hop), "no tunnel to host h2");
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), kUnknownMac, address(1, 77)))), "p2");
  driver.apply(net.deactivate("p2"));
  driver.send("p1", udp(guest(1), kUnknownMac, address(1, 77)));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::no_tunnel_path);
  net.change_hosts().cut.clear();
  net.change_hosts().alive = false;
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", to_p3())), "p3");
  const size_t flows = driver.host(0).oracle.size();
  net.change_hosts().alive = true;
  driver.apply(net);
  EXPECT_EQ(driver.host(0).oracle.size(), flows) << "nothing changes for packets";
}

TEST_P(Hosts, who_is_no_host_of_the_zone_is_not_heard) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  const uint32_t key = net.hosts().key_of(net.port("p3"));
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, tunnel(net, 0, 1, key), to_p3())), "p3");
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, tunnel(net, 7, 1, key), to_p3())), "nothing");
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_tunnel_peer);
  EXPECT_EQ(driver.arrival().mask, by_tunnel_alone);
  EXPECT_TRUE(driver.arrival().cacheable);
  // A host that leaves the zone is a stranger, until it comes back.
  net.change_hosts().cut.insert({1, 0});
  driver.apply(net);
  driver.send_by_tunnel(1, tunnel(net, 0, 1, key), to_p3());
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_tunnel_peer);
  net.change_hosts().cut.clear();
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, tunnel(net, 0, 1, key), to_p3())), "p3");
}

TEST_P(Hosts, a_host_without_peers_takes_nothing_by_tunnels_until_it_has_one) {
  ScenarioNetwork net = hub();
  net.change_hosts().cut = {{1, 0}, {1, 2}};
  driver.apply(net);
  const Tunnel way = tunnel(net, 0, 1, net.hosts().key_of(net.port("p3")));
  driver.send_by_tunnel(1, tunnel(net, 0, 1, 0), to_p3());
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_port);
  driver.send_by_tunnel(1, way, to_p3());
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_port);
  EXPECT_TRUE(driver.arrival().cacheable);
  net.change_hosts().cut.clear();
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, way, to_p3())), "p3");
}

TEST_P(Hosts, keys_mean_what_they_mean_now) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  const uint32_t key = net.hosts().key_of(net.port("p3"));
  driver.send_by_tunnel(1, tunnel(net, 0, 1, 77), to_p3());
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_tunnel_key);
  EXPECT_FALSE(driver.arrival().cacheable) << "it may be published a moment later";
  driver.send_by_tunnel(1, tunnel(net, 0, 1, 0), to_p3());
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_tunnel_key);
  EXPECT_FALSE(driver.arrival().cacheable);
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, tunnel(net, 0, 1, key), to_p3())), "p3");
  net.change_hosts().rekey(net.id("p3"));
  driver.apply(net);
  driver.send_by_tunnel(1, tunnel(net, 0, 1, key), to_p3());
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::unknown_tunnel_key);
}

TEST_P(Hosts, a_port_that_is_down_takes_nothing_from_tunnels) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  const Tunnel way = tunnel(net, 0, 1, net.hosts().key_of(net.port("p3")));
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, way, announcement(guest(1)))), "p3");
  EXPECT_TRUE(driver.arrival().cacheable) << "the sender has decided, for ARP too";
  driver.apply(net.set("p3", Admin::down));
  EXPECT_EQ(ports_of(driver.send_by_tunnel(1, way, announcement(guest(1)))), "nothing");
  EXPECT_EQ(driver.arrival().drop_reason, DropReason::port_down);
}

TEST_P(Hosts, the_inner_dscp_is_copied_when_asked_for) {
  ScenarioNetwork net = hub();
  driver.apply(net);
  announce(guest(3));
  const Frame expedited = packet(guest(1), "02:00:00:00:00:03", guest(3).ip).tos(0xb9).udp(1, 2).build();
  driver.send("p1", expedited);
  EXPECT_THAT(driver.actions(), testing::Not(HasSubstr("tos")));
  EXPECT_FALSE(driver.verdict().mask.has(flows::Field::ip_tos));
  net.change_hosts().copy_dscp = true;
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", expedited)), "p3");
  EXPECT_THAT(driver.actions(), HasSubstr(",tos=184)")) << "without the ECN bits";
  driver.send("p1", to_p3());
  EXPECT_THAT(driver.actions(), testing::Not(HasSubstr("tos")));
}

INSTANTIATE_TEST_SUITE_P(Settings, Hosts, spread_settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
