// Corners of ARP and neighbour discovery that the scenarios do not reach.
#include "../../scenario/two_subnets.hpp"

namespace viaduct::scenario {
namespace {

class Neighbours : public TwoSubnets {
 protected:
  // A neighbour advertisement of the gateway to the router, with a target link-layer option.
  Frame advertisement(const MacAddress& who, uint32_t flags) const {
    const IpAddress target = gateway().ip;
    std::vector<uint8_t> body(target.bytes().begin(), target.bytes().end());
    body.insert(body.end(), {2, 1});
    body.insert(body.end(), who.bytes().begin(), who.bytes().end());
    return PacketBuilder{}
        .eth(who, mac(kUpMac))
        .ip(target, address(9, 1))
        .ttl(255)
        .icmp(136, 0, flags)
        .payload(std::span<const uint8_t>(body))
        .build();
  }
  std::optional<MacAddress> known() const {
    const auto entry = driver.neighbours().find(driver.neighbour("r1", "up1", gateway().ip.to_string()));
    return entry ? std::optional(entry->mac) : std::nullopt;
  }
  const MacAddress first = mac("02:00:00:00:00:aa"), second = mac("02:00:00:00:00:bb");
  static constexpr uint32_t kSolicited = 0x4000'0000, kOverride = 0x2000'0000;
};

TEST_P(Neighbours, advertisements_follow_the_override_rules) {
  if (v4()) GTEST_SKIP() << "IPv6 only";
  driver.send("up1", advertisement(first, kOverride));
  EXPECT_EQ(known(), std::nullopt) << "unsolicited, about somebody unknown";
  driver.send("up1", advertisement(first, kSolicited));
  EXPECT_EQ(known(), first);
  driver.send("up1", advertisement(second, kSolicited));
  EXPECT_EQ(known(), first) << "without override";
  driver.send("up1", advertisement(second, kOverride));
  EXPECT_EQ(known(), second);
}

TEST_P(Neighbours, a_neighbour_that_moves_takes_its_flows_along) {
  const Frame frame = udp(guest(1), kGreenMac, gateway().ip);
  driver.send("up1", who_has(gateway(), address(9, 1)));
  EXPECT_EQ(ethernet_of(on(driver.send("p1", frame), "up1")), "02:00:00:00:09:01 > 02:00:00:00:00:99");
  Guest moved = gateway();
  moved.mac = second;
  driver.send("up1", who_has(moved, address(9, 1)));
  EXPECT_EQ(ethernet_of(on(driver.send("p1", frame), "up1")), "02:00:00:00:09:01 > 02:00:00:00:00:bb");
}

TEST_P(Neighbours, a_failed_neighbour_is_unreachable_until_it_speaks) {
  const Frame frame = udp(guest(1), kGreenMac, gateway().ip);
  driver.set_neighbour_state(driver.neighbour("r1", "up1", gateway().ip.to_string()), flows::NeighbourState::failed);
  EXPECT_EQ(ports_of(driver.send("p1", frame)), "p1");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::next_hop_unresolved);
  driver.send("up1", who_has(gateway(), address(9, 1)));
  EXPECT_EQ(ports_of(driver.send("p1", frame)), "up1");
}

TEST_P(Neighbours, a_gateway_off_the_link_is_unreachable) {
  ScenarioNetwork net = network();
  net.route("odd", "r1", pick("10.50.0.0/16", "fd50::/16"), "up1", pick("10.7.7.7", "fd77::7"));
  driver.apply(net);
  const auto out = driver.send("p1", udp(guest(1), kGreenMac, ip(pick("10.50.0.1", "fd50::1"))));
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("3/0", "1/0", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::next_hop_unresolved);
}

TEST_P(Neighbours, a_router_that_asks_hears_the_owner_and_not_the_bridge) {
  announce(guest(3));
  driver.set_neighbour_state(driver.binding("blue", guest(3).ip.to_string()), flows::NeighbourState::stale);
  const auto out = driver.send("p1", udp(guest(1), kGreenMac, guest(3).ip));
  EXPECT_EQ(ports_of(out), "p3 p3 p4") << "the packet, and a question that reaches the guests";
}

TEST_P(Neighbours, nobody_takes_a_routers_address_over) {
  Guest thief = guest(2);
  thief.ip = address(1, 254);
  announce(thief);
  EXPECT_FALSE(driver.neighbours().find(driver.binding("green", thief.ip.to_string())));
  const auto out = driver.send("p1", who_has(guest(1), thief.ip));
  EXPECT_THAT(describe(on(out, "p1")), testing::HasSubstr(kGreenMac));
}

TEST_P(Neighbours, link_local_pings_stay_on_the_link) {
  if (v4()) GTEST_SKIP() << "IPv6 only";
  Guest vm = guest(1);
  vm.ip = IpAddress::link_local_of(vm.mac);
  const IpAddress router = IpAddress::link_local_of(mac(kGreenMac));
  EXPECT_EQ(describe(on(driver.send("p1", ping(vm, kGreenMac, router)), "p1")), icmp_text("", "129/0", router, vm.ip));
  EXPECT_EQ(describe(on(driver.send("p1", udp(vm, kGreenMac, guest(3).ip)), "p1")),
            icmp_text("", "1/2", router, vm.ip));
  EXPECT_EQ(ports_of(driver.send("p1", udp(vm, kGreenMac, IpAddress::link_local_of(mac(kBlueMac))))), "nothing");
}

TEST_P(Neighbours, router_solicitations_reach_guests_and_no_router) {
  if (v4()) GTEST_SKIP() << "IPv6 only";
  const Frame frame = PacketBuilder{}
                          .eth("02:00:00:00:00:01", "33:33:00:00:00:02")
                          .ip(IpAddress::link_local_of(guest(1).mac), ip("ff02::2"))
                          .ttl(255)
                          .icmp(133, 0, 0)
                          .build();
  EXPECT_EQ(ports_of(driver.send("p1", frame)), "p2");
  EXPECT_FALSE(driver.verdict().cacheable);
}

INSTANTIATE_TEST_SUITE_P(Settings, Neighbours, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
