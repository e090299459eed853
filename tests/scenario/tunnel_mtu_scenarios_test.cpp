// What does not fit into a tunnel between hosts, and who says so.
#include "flows/packet/headers.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// h1: p1, p2; h2: p3; h3: p4, up1. Tunnels take 1400 bytes.
class TunnelMtu : public TwoSubnets {
 protected:
  static constexpr const char* kVm2Mac = "02:00:00:00:00:02";

  TunnelMtu() { driver.apply(net = spread()); }
  static ScenarioNetwork spread() {
    ScenarioNetwork net = network();
    net.spread(3).move("p2", 0).move("p3", 1).move("p4", 2).move("up1", 2);
    net.change_hosts().mtu = 1400;
    return net;
  }
  void move_vm2_away() { driver.apply(net.move("p2", 1)); }
  size_t headers() const { return v4() ? 28 : 48; }
  // A datagram with as many bytes behind the Ethernet header.
  PacketBuilder sized(const char* to_mac, const IpAddress& to, size_t bytes) const {
    return packet(guest(1), to_mac, to).udp(1, 2).payload(bytes - headers());
  }
  Frame unfragmentable(const char* to_mac, const IpAddress& to, size_t bytes) const {
    auto builder = sized(to_mac, to, bytes);
    if (v4()) builder.dont_fragment();
    return builder.build();
  }
  uint32_t told_mtu(const Frame& error) const {
    if (error.size() < 70) return 0;
    return v4() ? flows::wire::load16(error.data() + 14 + 20 + 6) : flows::wire::load32(error.data() + 14 + 40 + 4);
  }
  ScenarioNetwork net;
};

TEST_P(TunnelMtu, the_last_router_says_what_does_not_fit) {
  announce(guest(3));
  EXPECT_EQ(ports_of(driver.send("p1", unfragmentable(kGreenMac, guest(3).ip, 1400))), "p3");
  EXPECT_THAT(driver.actions(), HasSubstr("dec_ttl,check_mtu(1400),tunnel("));
  const auto told = driver.send("p1", unfragmentable(kGreenMac, guest(3).ip, 1401));
  EXPECT_EQ(describe(on(told, "p1")), icmp_text("3/4", "2/0", address(1, 254), guest(1).ip));
  EXPECT_EQ(ethernet_of(on(told, "p1")), "02:00:00:00:01:fe > 02:00:00:00:00:01");
  EXPECT_EQ(told_mtu(on(told, "p1")), 1400U);
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::packet_too_big);
  EXPECT_FALSE(driver.verdict().cacheable);
}

TEST_P(TunnelMtu, the_quote_is_the_packet_as_it_came_to_that_router) {
  announce(guest(3));
  const Frame big = unfragmentable(kGreenMac, guest(3).ip, 1401);
  const Frame error = on(driver.send("p1", big), "p1");
  const size_t at = 14 + (v4() ? 20 : 40) + 8;
  ASSERT_GT(error.size(), at);
  EXPECT_TRUE(std::equal(error.begin() + static_cast<long>(at), error.end(), big.begin() + 14));
}

TEST_P(TunnelMtu, the_lesser_of_port_and_tunnel_counts) {
  announce(guest(3));
  driver.apply(net.set_mtu("r1-blue", 1300));
  driver.send("p1", unfragmentable(kGreenMac, guest(3).ip, 600));
  EXPECT_THAT(driver.actions(), HasSubstr("check_mtu(1300)"));
  driver.apply(net.set_mtu("r1-blue", 1500));
  driver.send("p1", unfragmentable(kGreenMac, guest(3).ip, 600));
  EXPECT_THAT(driver.actions(), HasSubstr("check_mtu(1400)"));
}

TEST_P(TunnelMtu, a_router_cuts_what_may_be_cut) {
  announce(guest(3));
  const auto out = driver.send("p1", sized(kGreenMac, guest(3).ip, 1500).build());
  if (!v4()) {
    EXPECT_EQ(ports_of(out), "p1") << "told: nobody cuts IPv6 on the way";
    return;
  }
  ASSERT_EQ(ports_of(out), "p3 p3");
  EXPECT_LE(out[0].frame.size(), 1414U);
  EXPECT_EQ(ethernet_of(out[1].frame), "02:00:00:00:02:fe > 02:00:00:00:00:03");
  EXPECT_EQ(driver.step(Stage::mtu), "2 pieces for 1400");
  // Pieces that the port would take, and the tunnel does not, are cut again.
  driver.apply(net.set_mtu("r1-blue", 1500));
  const auto again = driver.send("p1", sized(kGreenMac, guest(3).ip, 1600).build());
  ASSERT_EQ(ports_of(again), "p3 p3 p3");
  for (const Delivery& piece : again) EXPECT_LE(piece.frame.size(), 1414U);
}

TEST_P(TunnelMtu, a_bridge_says_so_in_the_name_of_the_destination) {
  move_vm2_away();
  announce(guest(2));
  EXPECT_EQ(ports_of(driver.send("p1", unfragmentable(kVm2Mac, guest(2).ip, 1400))), "p2");
  EXPECT_THAT(driver.actions(), HasSubstr("check_mtu(1400),tunnel("));
  for (const Frame& big : {unfragmentable(kVm2Mac, guest(2).ip, 1401), sized(kVm2Mac, guest(2).ip, 1401).build()}) {
    const auto told = driver.send("p1", big);
    EXPECT_EQ(describe(on(told, "p1")), icmp_text("3/4", "2/0", guest(2).ip, guest(1).ip));
    EXPECT_EQ(ethernet_of(on(told, "p1")), "02:00:00:00:00:02 > 02:00:00:00:00:01");
    EXPECT_EQ(told_mtu(on(told, "p1")), 1400U);
    EXPECT_EQ(driver.verdict().drop_reason, DropReason::packet_too_big);
    ASSERT_THAT(driver.verdict().emits, SizeIs(1));
    EXPECT_EQ(driver.verdict().emits[0].limit, flows::simulation::EmittedPacket::Limit::icmp_error);
    EXPECT_EQ(driver.verdict().emits[0].device, net.id("green"));
  }
}

TEST_P(TunnelMtu, vlan_tags_take_room_too) {
  move_vm2_away();
  announce(guest(2));
  const auto tagged = [&](size_t bytes) {
    PacketBuilder builder;
    builder.eth(guest(1).mac, mac(kVm2Mac)).vlan(10).ip(guest(1).ip, guest(2).ip).udp(1, 2).payload(bytes - headers());
    return builder.build();
  };
  EXPECT_EQ(ports_of(driver.send("p1", tagged(1396))), "p2");
  const Frame error = on(driver.send("p1", tagged(1397)), "p1");
  ASSERT_GT(error.size(), 18U);
  EXPECT_EQ(flows::wire::load16(error.data() + 12), 0x8100) << "tagged as the packet was";
  EXPECT_EQ(told_mtu(Frame(error.begin() + 4, error.end())), 1396U);
  PacketBuilder two;
  two.eth(guest(1).mac, mac(kVm2Mac)).vlan(10).vlan(20).ip(guest(1).ip, guest(2).ip).udp(1, 2);
  EXPECT_EQ(ports_of(driver.send("p1", two.payload(1393 - headers()).build())), "p1") << "another flow than one tag's";
}

TEST_P(TunnelMtu, who_must_not_be_told_is_not_told) {
  move_vm2_away();
  announce(guest(2));
  const auto silent = [&](const Frame& frame) {
    const auto out = driver.send("p1", frame);
    return ports_of(out) == "nothing" && driver.verdict().drop_reason == DropReason::packet_too_big;
  };
  const IpAddress to = guest(2).ip;
  EXPECT_TRUE(silent(packet(guest(1), kVm2Mac, to).icmp(v4() ? 3 : 1, 0, 0).payload(1400).build())) << "an error";
  EXPECT_TRUE(silent(packet(guest(1), kVm2Mac, to).fragment(64, true).payload(1400).build())) << "later fragment";
  EXPECT_TRUE(silent(PacketBuilder{}.eth(guest(1).mac, mac(kVm2Mac)).ethertype(0x8847).payload(1401).build()));
  EXPECT_TRUE(
      silent(packet(guest(1), "ff:ff:ff:ff:ff:ff", ip(pick("10.0.1.255", "ff02::1"))).udp(1, 2).payload(1400).build()));
}

TEST_P(TunnelMtu, a_flood_reaches_those_whom_it_fits) {
  driver.apply(net.guest_port("green", "p6").move("p6", 1).guest_port("green", "p7").move("p7", 2));
  net.change_hosts().path_mtus[{0, 2}] = 1300;
  driver.apply(net);
  const char* unknown = "02:00:00:00:00:77";
  EXPECT_EQ(ports_of(driver.send("p1", unfragmentable(unknown, address(1, 77), 1300))), "p2 p6 p7");
  EXPECT_THAT(driver.actions(), HasSubstr("check_mtu(1300),output(2),tunnel("));
  const auto out = driver.send("p1", unfragmentable(unknown, address(1, 77), 1350));
  EXPECT_EQ(ports_of(out), "p1 p2 p6") << "and the sender is told";
  EXPECT_EQ(told_mtu(on(out, "p1")), 1300U);
  EXPECT_FALSE(driver.verdict().cacheable);
}

TEST_P(TunnelMtu, segments_count_and_not_the_super_packet) {
  move_vm2_away();
  announce(guest(2));
  auto builder = packet(guest(1), kVm2Mac, guest(2).ip);
  const Frame super = builder.tcp(1, 2).payload(8000).build();
  const auto kind = v4() ? flows::Offload::Gso::tcp_v4 : flows::Offload::Gso::tcp_v6;
  const uint16_t fitting = static_cast<uint16_t>(1400 - (v4() ? 40 : 60));
  EXPECT_EQ(ports_of(driver.send("p1", super, {fitting, kind, true})), "p2");
  EXPECT_EQ(ports_of(driver.send("p1", super, {static_cast<uint16_t>(fitting + 1), kind, true})), "p1");
}

INSTANTIATE_TEST_SUITE_P(Settings, TunnelMtu, spread_settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
