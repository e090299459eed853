// Routes that are learned by a routing protocol, and the protocol's own packets (devices.md 1.13; group G of the acceptance
// scenarios as far as packets are concerned; FRR itself is the system tests').
#include "flows/packet/rewrite.hpp"
#include "rules.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

constexpr uint16_t kBgp = 179;

class Routing : public TwoSubnets {
 protected:
  Routing() {
    for (int n = 1; n <= 4; ++n) announce(guest(n));
    net.spread(GetParam().hosts).speak("up1", "s1", {gateway().ip.to_string()});
    apply();
  }
  void apply() {
    driver.apply(net);
    driver.send("up1", who_has(gateway(), address(9, 1)));
  }
  Guest router() const { return {"s1", mac(kUpMac), address(9, 1)}; }  // as its speaker
  PacketBuilder from_peer(const IpAddress& to) const { return packet(gateway(), kUpMac, to); }
  PacketBuilder from_speaker(const IpAddress& to) const { return packet(router(), "02:00:00:00:00:99", to); }
  IpAddress outside() const { return ip(pick("198.51.100.7", "2001:db8:100::7")); }
  Frame to_outside(uint16_t port = 5000) const { return udp(guest(1), kGreenMac, outside(), port); }
  std::string network_of(const char* four, const char* six) const { return pick(four, six); }

  ScenarioNetwork net = network();
};

TEST_P(Routing, G1_sessions_pass_between_the_peer_and_the_speaker) {
  const IpAddress own = address(9, 1), peer = gateway().ip;
  EXPECT_EQ(ports_of(driver.send("up1", from_peer(own).tcp(40'000, kBgp).build())), "s1");
  EXPECT_EQ(ports_of(driver.send("up1", from_peer(own).tcp(kBgp, 40'000).build())), "s1");
  EXPECT_TRUE(driver.verdict().cacheable);
  for (const uint16_t bfd : {3784, 3785, 4784}) {
    EXPECT_EQ(ports_of(driver.send("up1", from_peer(own).udp(50'000, bfd).build())), "s1") << bfd;
  }
  EXPECT_EQ(ports_of(driver.send("up1", ping(gateway(), kUpMac, own))), "s1");
  const Frame session = from_speaker(peer).ttl(1).tcp(kBgp, 40'000).build();
  const auto out = driver.send("s1", session);
  EXPECT_EQ(ports_of(out), "up1");
  EXPECT_EQ(on(out, "up1"), session) << "as the speaker made it";
  EXPECT_EQ(ports_of(driver.send("s1", from_speaker(peer).udp(50'000, 3784).build())), "up1");
  EXPECT_EQ(ports_of(driver.send("s1", ping(router(), "02:00:00:00:00:99", peer))), "up1");
}

TEST_P(Routing, G1_all_else_is_the_networks) {
  const IpAddress own = address(9, 1);
  const Guest stranger{"up1", mac("02:00:00:00:00:77"), address(9, 77)};
  driver.send("up1", from_peer(own).tcp(40'000, 80).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_to_local_service);
  driver.send("up1", packet(stranger, kUpMac, own).tcp(40'000, kBgp).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_to_local_service);
  EXPECT_EQ(ports_of(driver.send("up1", from_peer(guest(1).ip).tcp(40'000, kBgp).build())), "p1");
  driver.send("p1", packet(guest(1), kGreenMac, own).tcp(40'000, kBgp).build());
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_to_local_service);
}

TEST_P(Routing, G1_a_speaker_says_nothing_else) {
  const std::vector<Frame> frames = {
      from_speaker(gateway().ip).tcp(40'000, 80).build(), from_speaker(gateway().ip).udp(40'000, 53).build(),
      from_speaker(address(9, 77)).tcp(40'000, kBgp).build(), from_speaker(guest(1).ip).tcp(40'000, kBgp).build(),
      udp({"s1", mac(kUpMac), guest(1).ip}, "02:00:00:00:00:99", gateway().ip)};
  for (const Frame& frame : frames) {
    EXPECT_EQ(ports_of(driver.send("s1", frame)), "nothing");
    EXPECT_EQ(driver.verdict().drop_reason, DropReason::not_routing_talk);
  }
}

TEST_P(Routing, G1_rules_do_not_end_sessions) {
  topology::Rule all;
  all.action = topology::RuleAction::drop;
  net.chain("none").rule("none", all).filter("up1", "inbound", "none").filter("up1", "outbound", "none");
  net.filter("r1", "inbound", "none").filter("r1", "outbound", "none");
  apply();
  Frame malformed = from_peer(address(9, 1)).tcp(40'000, kBgp).build();
  malformed[malformed.size() - 8] = 0x40;  // a TCP header of 16 bytes
  driver.send("up1", malformed);
  EXPECT_FALSE(driver.verdict().cacheable) << "its flow would be the session's";
  EXPECT_EQ(ports_of(driver.send("up1", from_peer(address(9, 1)).tcp(40'000, kBgp).build())), "s1");
  EXPECT_EQ(ports_of(driver.send("s1", from_speaker(gateway().ip).tcp(40'000, kBgp).build())), "up1");
}

TEST_P(Routing, G1_answers_to_what_is_translated_are_not_the_speakers) {
  net.chain("post").rule("post", when().snat(text(9, 1), 1024, 65'535).accept());
  net.chain("pre").rule("pre", when().reverse_snat().accept());
  net.filter("r1", "outbound", "post").filter("r1", "inbound", "pre");
  apply();
  const auto out = driver.send("p1", ping(guest(1), kGreenMac, gateway().ip));
  ASSERT_EQ(ports_of(out), "up1");
  Frame request = on(out, "up1");
  const auto reply = flows::make_echo_reply(flows::parse(request, {}));
  ASSERT_TRUE(reply);
  Frame back = *reply;
  flows::Packet packet = flows::parse(back, {});
  flows::set_ethernet(packet, gateway().mac, mac(kUpMac));
  EXPECT_EQ(ports_of(driver.send("up1", back)), "p1");
  EXPECT_EQ(ports_of(driver.send("up1", ping(gateway(), kUpMac, address(9, 1)))), "s1");
}

TEST_P(Routing, G1_the_speaker_finds_its_neighbours_itself) {
  const Guest other{"up1", mac("02:00:00:00:00:77"), address(9, 77)};
  const Frame question = who_has(router(), other.ip);
  const auto asked = driver.send("s1", question);
  EXPECT_EQ(ports_of(asked), "up1");
  EXPECT_EQ(on(asked, "up1"), question);
  const auto told = driver.send("up1", answer(question, other.mac));
  EXPECT_EQ(ports_of(told), "s1") << "and the router has learned it too:";
  net.route("default", "r1", pick("0.0.0.0/0", "::/0"), "up1", other.ip.to_string());
  driver.apply(net);
  EXPECT_EQ(ethernet_of(on(driver.send("p1", to_outside()), "up1")), "02:00:00:00:09:01 > 02:00:00:00:00:77");
}

TEST_P(Routing, G1_without_a_speaker_the_router_answers_pings_as_before) {
  driver.apply(net.speak("up1", "s1", {}));
  const auto out = driver.send("up1", ping(gateway(), kUpMac, address(9, 1)));
  EXPECT_EQ(describe(on(out, "up1")), icmp_text("0/0", "129/0", address(9, 1), gateway().ip));
  EXPECT_EQ(ports_of(driver.send("s1", from_speaker(gateway().ip).tcp(40'000, kBgp).build())), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::unknown_port);
}

TEST_P(Routing, G1_a_port_that_is_down_says_nothing) {
  driver.apply(net.set("up1", ScenarioNetwork::Admin::down));
  EXPECT_EQ(ports_of(driver.send("s1", from_speaker(gateway().ip).tcp(40'000, kBgp).build())), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::port_down);
}

TEST_P(Routing, G1_a_learned_route_is_taken_and_is_better_than_a_stored_one) {
  EXPECT_EQ(ports_of(driver.send("p1", to_outside())), "p1") << "no route";
  const std::string by = gateway().ip.to_string();
  net.learn("up1", by, {pick("198.51.100.0/24", "2001:db8:100::/48")});
  net.special_route("stored", "r1", pick("198.51.100.0/24", "2001:db8:100::/48"), topology::NextHop::blackhole);
  apply();
  EXPECT_EQ(ethernet_of(on(driver.send("p1", to_outside()), "up1")), "02:00:00:00:09:01 > 02:00:00:00:00:99");
  driver.apply(net.learn("up1", by, {}));
  EXPECT_EQ(ports_of(driver.send("p1", to_outside())), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::blackhole_route);
}

TEST_P(Routing, a_gateway_that_is_lost_takes_its_routes_along_until_it_is_found) {
  const Guest second{"up1", mac("02:00:00:00:00:77"), address(9, 77)};
  const std::string prefix = pick("198.51.100.0/24", "2001:db8:100::/48");
  net.learn("up1", gateway().ip.to_string(), {prefix}).learn("up1", second.ip.to_string(), {prefix}, 1);
  apply();
  driver.send("up1", who_has(second, address(9, 1)));
  const auto next_hops = [&] {
    std::set<std::string> out;
    for (uint16_t port = 5000; port < 5064; ++port) {
      out.insert(ethernet_of(on(driver.send("p1", to_outside(port)), "up1")).substr(20));
    }
    return out;
  };
  const std::set<std::string> both = {"02:00:00:00:00:77", "02:00:00:00:00:99"};
  EXPECT_EQ(next_hops(), both);
  driver.apply(net.lose_gateway("up1", second.ip.to_string()));
  EXPECT_EQ(next_hops(), std::set<std::string>{"02:00:00:00:00:99"});
  driver.apply(net.find_gateway("up1", second.ip.to_string()));
  EXPECT_EQ(next_hops(), both);
  driver.apply(net.lose_gateway("up1", second.ip.to_string()).lose_gateway("up1", gateway().ip.to_string()));
  EXPECT_EQ(ports_of(driver.send("p1", to_outside())), "p1") << "unreachable";
}

TEST_P(Routing, what_a_host_says_of_a_port_that_is_not_its_own_does_not_count) {
  if (one_host()) GTEST_SKIP() << "there is no other host";
  net.learn("up1", gateway().ip.to_string(), {pick("198.51.100.0/24", "2001:db8:100::/48")});
  apply();
  EXPECT_EQ(ports_of(driver.send("p1", to_outside())), "up1");
  net.move("up1", (net.hosts().host_of(net.port("up1")) + 1) % 3);
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", to_outside())), "p1") << "no route";
}

INSTANTIATE_TEST_SUITE_P(G, Routing, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
