// Group B of the acceptance scenarios: what routers do.
#include <map>
#include <set>

#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Admin = ScenarioNetwork::Admin;

class Routers : public TwoSubnets {
 protected:
  // The packet that an ICMP error quotes.
  Frame quoted(const Frame& error) const {
    const size_t at = 14 + (v4() ? 20 : 40) + 8;
    return error.size() < at ? Frame{} : Frame(error.begin() + at, error.end());
  }
  static Frame behind_ethernet(const Frame& frame) { return {frame.begin() + 14, frame.end()}; }
  uint8_t ttl_of(const Frame& frame) const { return frame.at(14 + (v4() ? 8 : 7)); }
};

TEST_P(Routers, B1_a_ping_between_subnets_after_one_question) {
  const Guest vm1 = guest(1), vm3 = guest(3);
  const Frame request = ping(vm1, kGreenMac, vm3.ip);
  const auto asked = driver.send("p1", request);
  ASSERT_EQ(ports_of(asked), "p3 p4");
  EXPECT_EQ(describe(on(asked, "p3")), who_has_text(vm3.ip, address(2, 254), kBlueMac));
  EXPECT_EQ(driver.verdict().outcome, Outcome::park);
  EXPECT_EQ(ports_of(driver.send("p1", request)), "nothing") << "asked once, although two packets wait";

  const auto released = driver.send("p3", answer(on(asked, "p3"), vm3.mac));
  ASSERT_EQ(ports_of(released), "p3 p3");
  const Frame& first = released.front().frame;
  EXPECT_EQ(ethernet_of(first), "02:00:00:00:02:fe > 02:00:00:00:00:03");
  EXPECT_EQ(ttl_of(first), 63);

  const auto third = driver.send("p1", request);
  ASSERT_EQ(ports_of(third), "p3");
  EXPECT_EQ(describe(on(third, "p3")), icmp_text("8/0", "128/0", vm1.ip, vm3.ip));
  EXPECT_EQ(driver.actions(),
            std::string("set_eth(src=02:00:00:00:02:fe,dst=02:00:00:00:00:03),dec_ttl,") + output_to_p3());
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(driver.step(Stage::route), std::string(pick("10.0.2.0/24", "fd00:2::/64")) + " connected r1-blue weight 0");
}

TEST_P(Routers, B1_both_ways_with_what_the_bridges_overheard) {
  const Guest vm1 = guest(1), vm3 = guest(3);
  announce(vm1);
  announce(vm3);
  EXPECT_EQ(ports_of(driver.send("p1", ping(vm1, kGreenMac, vm3.ip))), "p3");
  EXPECT_EQ(ports_of(driver.send("p3", ping(vm3, kBlueMac, vm1.ip))), "p1");
  EXPECT_THAT(driver.step(Stage::next_hop), HasSubstr("learned by the bridge"));
}

TEST_P(Routers, B2_time_exceeded_quotes_the_packet) {
  const Frame request = packet(guest(1), kGreenMac, guest(3).ip).ttl(1).udp(5000, 53).payload(20).build();
  const auto out = driver.send("p1", request);
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("11/0", "3/0", address(1, 254), guest(1).ip));
  EXPECT_EQ(ethernet_of(on(out, "p1")), "02:00:00:00:01:fe > 02:00:00:00:00:01");
  EXPECT_EQ(quoted(on(out, "p1")), behind_ethernet(request));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::ttl_exceeded);
  EXPECT_FALSE(driver.verdict().cacheable);
  EXPECT_EQ(driver.verdict().emits.at(0).limit, flows::simulation::EmittedPacket::Limit::icmp_error);
}

TEST_P(Routers, B4_blackholes_are_silent_and_rejects_say_so) {
  ScenarioNetwork net = network();
  const IpAddress black = ip(pick("10.66.0.1", "fd66::1")), no = ip(pick("10.67.0.1", "fd67::1"));
  net.special_route("black", "r1", pick("10.66.0.0/16", "fd66::/16"), topology::NextHop::blackhole);
  net.special_route("no", "r1", pick("10.67.0.0/16", "fd67::/16"), topology::NextHop::reject);
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", packet(guest(1), kGreenMac, black).tcp(1000, 80).build())), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::blackhole_route);
  EXPECT_TRUE(driver.verdict().cacheable);
  const auto out = driver.send("p1", packet(guest(1), kGreenMac, no).tcp(1000, 80).build());
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("3/13", "1/1", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::reject_route);
  driver.apply(net.remove("black"));
  EXPECT_EQ(describe(on(driver.send("p1", udp(guest(1), kGreenMac, black)), "p1")),
            icmp_text("3/0", "1/0", address(1, 254), guest(1).ip))
      << "no route at all";
}

TEST_P(Routers, B5_near_far_and_extra_addresses_answer_pings) {
  ScenarioNetwork net = network();
  const IpAddress extra = ip(pick("10.99.0.9", "fd99::9"));
  net.special_route("fip", "r1", pick("10.99.0.9/32", "fd99::9/128"), topology::NextHop::local);
  driver.apply(net);
  announce(guest(1));
  for (const IpAddress& target : {address(1, 254), address(2, 254), extra}) {
    const auto out = driver.send("p1", ping(guest(1), kGreenMac, target));
    ASSERT_EQ(ports_of(out), "p1") << target.to_string();
    EXPECT_EQ(describe(on(out, "p1")), icmp_text("0/0", "129/0", target, guest(1).ip));
    EXPECT_EQ(ethernet_of(on(out, "p1")), "02:00:00:00:01:fe > 02:00:00:00:00:01");
    EXPECT_EQ(driver.verdict().outcome, Outcome::consumed);
  }
}

TEST_P(Routers, B5_pings_in_fragments_are_answered_in_fragments) {
  announce(guest(1));
  const auto fragment = [&](size_t offset) {
    auto builder = packet(guest(1), kGreenMac, address(2, 254));
    builder.fragment(offset, offset == 0);
    if (offset == 0) return builder.icmp_echo_request(7, 1).payload(56).build();
    return builder.protocol(v4() ? 1 : 58).payload(40).build();
  };
  const auto first = driver.send("p1", fragment(0));
  EXPECT_EQ(describe(on(first, "p1")), icmp_text("0/0", "129/0", address(2, 254), guest(1).ip));
  const auto later = driver.send("p1", fragment(64));
  EXPECT_EQ(ports_of(later), "p1");
  ASSERT_EQ(driver.verdict().emits.size(), 1U);
  EXPECT_EQ(driver.verdict().emits[0].limit, flows::simulation::EmittedPacket::Limit::icmp_error);
  EXPECT_FALSE(driver.verdict().cacheable);
}

TEST_P(Routers, B5_nothing_else_is_served) {
  const auto out = driver.send("p1", udp(guest(1), kGreenMac, address(1, 254)));
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("3/3", "1/4", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_to_local_service);
  EXPECT_EQ(ports_of(driver.send("p1", packet(guest(1), kGreenMac, address(1, 254)).tcp(1, 22).build())), "nothing");
}

TEST_P(Routers, B7_a_stale_neighbour_is_used_and_asked_again) {
  const Guest far = gateway();
  const Frame out_there = udp(guest(1), kGreenMac, far.ip);
  const auto asked = driver.send("p1", out_there);
  ASSERT_EQ(ports_of(asked), "up1");
  EXPECT_EQ(ports_of(driver.send("up1", answer(on(asked, "up1"), far.mac))), "up1");
  driver.advance(std::chrono::seconds(70));
  const auto key = driver.neighbour("r1", "up1", far.ip.to_string());
  driver.set_neighbour_state(key, flows::NeighbourState::stale);

  const auto both = driver.send("p1", out_there);
  ASSERT_EQ(ports_of(both), "up1 up1") << "the packet, and the question";
  EXPECT_EQ(describe(both[1].frame), who_has_text(far.ip, address(9, 1), kUpMac));
  ASSERT_EQ(driver.verdict().refresh.size(), 1U);
  driver.send("up1", answer(both[1].frame, far.mac));
  EXPECT_EQ(driver.neighbours().find(key)->state, flows::NeighbourState::reachable);
  EXPECT_EQ(ports_of(driver.send("p1", out_there)), "up1");

  driver.expire(key);
  EXPECT_EQ(describe(on(driver.send("p1", out_there), "up1")), who_has_text(far.ip, address(9, 1), kUpMac));
  EXPECT_EQ(driver.verdict().outcome, Outcome::park);
}

TEST_P(Routers, B7_who_never_answers_is_unreachable) {
  const Frame out_there = udp(guest(1), kGreenMac, gateway().ip);
  driver.send("p1", out_there);
  const auto out = driver.give_up();
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("3/1", "1/3", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::next_hop_unresolved);
}

TEST_P(Routers, B9_only_who_is_on_the_link_and_was_asked_teaches) {
  Guest stranger = gateway();
  stranger.ip = address(7, 7);  // not of the uplink's subnet
  driver.send("up1", announcement(stranger));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::neighbour_ignored);
  Guest elsewhere = gateway();
  elsewhere.mac = mac("02:00:00:00:00:98");
  Frame to_another = answer(who_has(elsewhere, gateway().ip), gateway().mac);  // was not asked by the router
  driver.send("up1", to_another);
  EXPECT_EQ(driver.verdict().outcome, Outcome::drop);
  EXPECT_EQ(driver.neighbours().size(), 0U);
}

TEST_P(Routers, B9_a_router_answers_for_its_own_address_and_learns_who_asks) {
  const Guest far = gateway();
  const auto out = driver.send("up1", who_has(far, address(9, 1)));
  ASSERT_EQ(ports_of(out), "up1");
  EXPECT_EQ(describe(on(out, "up1")), v4() ? "arp reply 10.0.9.1 is-at 02:00:00:00:09:01"
                                           : "na fd00:9::1 is-at 02:00:00:00:09:01 router solicited override");
  EXPECT_TRUE(driver.neighbours().find(driver.neighbour("r1", "up1", far.ip.to_string())));
  EXPECT_EQ(ports_of(driver.send("up1", who_has(far, address(9, 77)))), "nothing") << "no proxy ARP";
}

TEST_P(Routers, B11_equal_routes_share_by_connection) {
  ScenarioNetwork net = network();
  net.uplink("r1", "up2", "02:00:00:00:08:01", {"10.0.8.1/24", "fd00:8::1/64"});
  const char* any = pick("0.0.0.0/0", "::/0");
  net.route("default1", "r1", any, "up1", text(9, 254)).route("default2", "r1", any, "up2", text(8, 254));
  driver.apply(net);
  driver.send("up1", who_has(gateway(), address(9, 1)));
  driver.send("up2", who_has({"up2", mac("02:00:00:00:00:88"), address(8, 254)}, address(8, 1)));
  std::map<std::string, int> count;
  std::map<uint16_t, std::string> chosen;
  for (int round = 0; round < 2; ++round) {
    for (uint16_t port = 1; port <= 200; ++port) {
      const std::string by =
          ports_of(driver.send("p1", udp(guest(1), kGreenMac, ip(pick("8.8.8.8", "2001:db8::8")), port)));
      if (round == 0) {
        ++count[by];
        chosen[port] = by;
      }
      EXPECT_EQ(chosen[port], by);
    }
  }
  EXPECT_EQ(count.size(), 2U);
  EXPECT_GT(count["up1"], 60);
  EXPECT_GT(count["up2"], 60);
}

//   [r1] up1 .1 ──┬── far .77      one segment, one subnet
//        up2 .2 ──┘
TEST_P(Routers, two_uplinks_in_one_subnet_share_it) {
  ScenarioNetwork net = network();
  constexpr const char* kSecondMac = "02:00:00:00:09:02";
  net.uplink("r1", "up2", kSecondMac, {"10.0.9.2/24", "fd00:9::2/64"});
  driver.apply(net);
  const Guest far{"up1", mac("02:00:00:00:00:77"), address(9, 77)};
  announce(guest(1));
  // Each answers for its own address, with its own MAC, and learns who asks.
  const auto first = driver.send("up1", who_has(far, address(9, 1))),
             second = driver.send("up2", who_has(far, address(9, 2)));
  ASSERT_EQ(ports_of(first), "up1");
  ASSERT_EQ(ports_of(second), "up2");
  EXPECT_THAT(ethernet_of(on(first, "up1")), HasSubstr(kUpMac));
  EXPECT_THAT(ethernet_of(on(second, "up2")), HasSubstr(kSecondMac));
  EXPECT_EQ(ports_of(driver.send("up1", who_has(far, address(9, 2)))), "nothing");
  std::map<std::string, int> count;
  for (uint16_t port = 1; port <= 200; ++port) {
    ++count[ports_of(driver.send("p1", udp(guest(1), kGreenMac, far.ip, port)))];
  }
  EXPECT_EQ(count.size(), 2U);
  EXPECT_GT(count["up1"], 60);
  EXPECT_GT(count["up2"], 60);
  EXPECT_EQ(ports_of(driver.send("up2", udp(far, kSecondMac, guest(1).ip))), "p1") << "back by either";
  driver.apply(net.deactivate("up2"));
  for (uint16_t port = 1; port <= 20; ++port) {
    EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), kGreenMac, far.ip, port))), "up1");
  }
}

TEST_P(Routers, B13_a_router_port_that_is_down_says_so) {
  ScenarioNetwork net = network();
  driver.apply(net.set("r1-green", Admin::down));
  const auto out = driver.send("p1", ping(guest(1), kGreenMac, guest(3).ip));
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("3/13", "1/1", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::port_down);
}

TEST_P(Routers, B13_a_router_that_is_down_says_so) {
  ScenarioNetwork net = network();
  driver.apply(net.set("r1", Admin::down));
  const auto out = driver.send("p1", ping(guest(1), kGreenMac, guest(3).ip));
  ASSERT_EQ(ports_of(out), "p1");
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("3/13", "1/1", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::device_down);
}

//   p1 ── green ── [r1] ── [r2]    each the other's default
TEST_P(Routers, B15_a_loop_of_routers_ends) {
  ScenarioNetwork net = network();
  net.router("r2");
  net.link_routers({"r1", "r1-r2", "02:00:00:00:12:01", {"10.12.0.1/30", "fd12::1/126"}},
                   {"r2", "r2-r1", "02:00:00:00:12:02", {"10.12.0.2/30", "fd12::2/126"}});
  const char* any = pick("0.0.0.0/0", "::/0");
  net.route("there", "r1", any, "r1-r2", pick("10.12.0.2", "fd12::2"));
  net.route("back", "r2", any, "r2-r1", pick("10.12.0.1", "fd12::1"));
  driver.apply(net);
  const IpAddress nowhere = ip(pick("8.8.8.8", "2001:db8::8"));
  EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), kGreenMac, nowhere))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::too_many_devices);
  EXPECT_TRUE(driver.verdict().cacheable);
  announce(guest(1));
  const auto out = driver.send("p1", packet(guest(1), kGreenMac, nowhere).ttl(3).udp(1, 2).build());
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("11/0", "3/0", ip(pick("10.12.0.1", "fd12::1")), guest(1).ip))
      << "a short TTL ends before the loop guard does, and its error finds the way back";
}

TEST_P(Routers, a_route_follows_its_port) {
  ScenarioNetwork net = network();
  const char* any = pick("0.0.0.0/0", "::/0");
  net.uplink("r1", "up2", "02:00:00:00:08:01", {"10.0.8.1/24", "fd00:8::1/64"});
  net.route("first", "r1", any, "up1", text(9, 254), 10).route("second", "r1", any, "up2", text(8, 254), 20);
  driver.apply(net);
  driver.send("up1", who_has(gateway(), address(9, 1)));
  driver.send("up2", who_has({"up2", mac("02:00:00:00:00:88"), address(8, 254)}, address(8, 1)));
  const Frame frame = udp(guest(1), kGreenMac, ip(pick("8.8.8.8", "2001:db8::8")));
  EXPECT_EQ(ports_of(driver.send("p1", frame)), "up1");
  driver.apply(net.deactivate("up1"));
  EXPECT_EQ(ports_of(driver.send("p1", frame)), "up2") << "static failover";
  driver.apply(net.activate("up1"));
  EXPECT_EQ(ports_of(driver.send("p1", frame)), "up1");
}

TEST_P(Routers, too_big_is_told_or_cut) {
  ScenarioNetwork net = network();
  driver.apply(net.set_mtu("r1-blue", 1280));
  announce(guest(3));
  auto big = packet(guest(1), kGreenMac, guest(3).ip);
  big.udp(1, 2).payload(1400);
  if (v4()) {
    const auto pieces = driver.send("p1", big.build());
    ASSERT_EQ(ports_of(pieces), "p3 p3");
    EXPECT_EQ(ethernet_of(pieces[0].frame), "02:00:00:00:02:fe > 02:00:00:00:00:03");
    EXPECT_EQ(ttl_of(pieces[1].frame), 63);
    big.dont_fragment();
  }
  const auto told = driver.send("p1", big.build());
  ASSERT_EQ(ports_of(told), "p1");
  EXPECT_EQ(describe(on(told, "p1")), icmp_text("3/4", "2/0", address(1, 254), guest(1).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::packet_too_big);
  EXPECT_EQ(ports_of(driver.send("p1", udp(guest(1), kGreenMac, guest(3).ip))), "p3");
  EXPECT_EQ(
      driver.actions(),
      std::string("set_eth(src=02:00:00:00:02:fe,dst=02:00:00:00:00:03),dec_ttl,check_mtu(1280),") + output_to_p3());
}

TEST_P(Routers, what_routers_do_not_take) {
  driver.send("p1", packet(guest(1), "02:00:00:00:00:77", guest(3).ip).udp(1, 2).build());
  Guest liar = guest(1);
  liar.ip = ip(pick("127.0.0.1", "::1"));
  driver.send("p1", udp(liar, kGreenMac, guest(3).ip));
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::martian_source);
  Guest far = gateway();
  driver.send("up1", packet(far, "02:00:00:00:00:77", guest(3).ip).udp(1, 2).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_for_router_mac);
  driver.send("up1", packet(far, "ff:ff:ff:ff:ff:ff", guest(3).ip).udp(1, 2).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::l2_broadcast_at_router);
  driver.send("up1", PacketBuilder{}.eth(far.mac, mac(kUpMac)).vlan(5).ip(far.ip, guest(3).ip).udp(1, 2).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::vlan_tagged_at_router);
  driver.send("up1", PacketBuilder{}.eth(far.mac, mac(kUpMac)).ethertype(0x8847).payload(40).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::unsupported_ethertype);
  EXPECT_THAT(driver.verdict().emits, IsEmpty());
}

TEST_P(Routers, errors_are_not_answered_with_errors) {
  const IpAddress nowhere = ip(pick("8.8.8.8", "2001:db8::8"));
  const Frame error = packet(guest(1), kGreenMac, nowhere).icmp(v4() ? 3 : 1, 0, 0).payload(60).build();
  EXPECT_EQ(ports_of(driver.send("p1", error)), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::no_route);
  EXPECT_THAT(driver.verdict().emits, IsEmpty());
}

// RFC 1812 4.3.2.7, RFC 4443 2.4 e.
TEST_P(Routers, who_must_not_be_told_is_not_told) {
  const IpAddress nowhere = ip(pick("8.8.8.8", "2001:db8::8"));
  const auto silent = [&](const Frame& frame) {
    driver.send("p1", frame);
    return driver.verdict().emits.empty();
  };
  EXPECT_FALSE(silent(udp(guest(1), kGreenMac, nowhere)));
  EXPECT_FALSE(silent(packet(guest(1), kGreenMac, nowhere).fragment(0, true).udp(1, 2).payload(32).build()));
  EXPECT_TRUE(silent(packet(guest(1), kGreenMac, nowhere).fragment(64, true).payload(32).build())) << "later fragment";
  EXPECT_TRUE(silent(packet(guest(1), kGreenMac, nowhere).icmp(v4() ? 5 : 137, 0, 0).payload(60).build()))
      << "redirect";
  EXPECT_TRUE(silent(packet(guest(1), "ff:ff:ff:ff:ff:ff", nowhere).udp(1, 2).build())) << "broadcast frame";
  EXPECT_TRUE(silent(packet(guest(1), kGreenMac, ip(pick("224.0.0.9", "ff05::9"))).udp(1, 2).build())) << "group";
  EXPECT_TRUE(silent(packet(guest(1), kGreenMac, ip(pick("10.0.1.255", "ff02::1"))).udp(1, 2).build()));
  for (const char* source : {pick("0.0.0.0", "::"), pick("224.0.0.1", "ff02::1"), pick("127.0.0.1", "::1"),
                             pick("255.255.255.255", "ff0e::1"), pick("10.0.1.255", "ff01::1")}) {
    Guest liar = guest(1);
    liar.ip = ip(source);
    EXPECT_TRUE(silent(udp(liar, kGreenMac, nowhere))) << source;
  }
}

TEST_P(Routers, errors_come_from_the_port_that_the_packet_met) {
  announce(guest(1));
  auto last = packet(guest(1), kGreenMac, guest(3).ip);
  const auto out = driver.send("p1", last.ttl(1).udp(1, 2).payload(2000).build());
  EXPECT_EQ(describe(on(out, "p1")), icmp_text("11/0", "3/0", address(1, 254), guest(1).ip));
  EXPECT_EQ(on(out, "p1").size(), 14U + (v4() ? 576U : 1280U)) << "quotes as much as fits";
  ASSERT_EQ(driver.verdict().emits.size(), 1U);
  EXPECT_EQ(driver.verdict().emits[0].limit, flows::simulation::EmittedPacket::Limit::icmp_error);
}

// RFC 4862 5.4, RFC 5227: a probe for an address of a router is answered, by the router or by the bridge before it.
TEST_P(Routers, B9_probes_for_a_routers_address_are_answered_and_teach_nothing) {
  for (const auto& [port, target, answerer] :
       {std::tuple{"up1", address(9, 1), kUpMac}, std::tuple{"p1", address(1, 254), kGreenMac}}) {
    const auto out = driver.send(port, probe(mac("02:00:00:00:00:66"), target));
    EXPECT_EQ(describe(on(out, port)), v4() ? "arp reply " + target.to_string() + " is-at " + answerer
                                            : "na " + target.to_string() + " is-at " + answerer + " router override");
    EXPECT_EQ(ethernet_of(on(out, port)),
              std::string(answerer) + " > " + (v4() ? "02:00:00:00:00:66" : "33:33:00:00:00:01"));
  }
  EXPECT_EQ(driver.neighbours().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Settings, Routers, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
