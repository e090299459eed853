// Group C of the acceptance scenarios: chains, rules, and which way a packet goes.
#include "flows/packet/icmp_error.hpp"
#include "rules.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using testing::HasSubstr;
using topology::Condition;

class Filters : public TwoSubnets {
 protected:
  Filters() {
    for (int n = 1; n <= 4; ++n) announce(guest(n));
    announce(gateway());
  }
  // UDP from one guest to another of the other subnet.
  Frame between(int from, int to, uint16_t src_port, uint16_t dst_port) const {
    return packet(guest(from), from <= 2 ? kGreenMac : kBlueMac, guest(to).ip)
        .udp(src_port, dst_port)
        .payload(20)
        .build();
  }
  Frame bridged(int from, int to, uint16_t src_port = 1000, uint16_t dst_port = 2000) const {
    return packet(guest(from), guest(to).mac.to_string().c_str(), guest(to).ip)
        .udp(src_port, dst_port)
        .payload(20)
        .build();
  }
  DropReason reason() const { return driver.verdict().drop_reason; }
};

TEST_P(Filters, C1_jumps_loops_and_ends) {
  ScenarioNetwork net = network();
  net.chain("a").chain("b").chain("c");
  net.rule("a", when().jump(net.id("b")));
  net.rule("b", when().jump(net.id("a")));  // back: nowhere
  net.rule("b", when().proto(flows::ip_proto::kTcp).drop());
  net.rule("b", when().jump(net.id("c")));
  net.rule("c", when().returns());
  net.rule("c", when().drop());  // never reached
  net.rule("a", when().proto(flows::ip_proto::kUdp).dst_port(99).drop());
  net.filter("p1", "inbound", "a");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", bridged(1, 2))), "p2") << "nobody decides: accepted";
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(ports_of(driver.send("p1", bridged(1, 2, 1000, 99))), "nothing") << "the caller's next rule decides";
  EXPECT_EQ(reason(), DropReason::dropped_by_rule);
  EXPECT_THAT(driver.step(Stage::rule), HasSubstr("jump"));
  const Frame tcp = packet(guest(1), guest(2).mac.to_string().c_str(), guest(2).ip).tcp(1, 2).build();
  EXPECT_EQ(ports_of(driver.send("p1", tcp)), "nothing");
}

TEST_P(Filters, A6_and_A7_bridges_learn_what_they_drop_and_let_tagged_frames_pass) {
  ScenarioNetwork net = network();
  net.chain("none");
  net.rule("none", when().condition([](Condition& c) { c.eth_type.value = 0x0800; }).drop());
  net.rule("none", when().condition([](Condition& c) { c.eth_type.value = 0x86dd; }).drop());
  net.filter("green", "inbound", "none");
  driver.apply(net);
  driver.expire(driver.mac_key("green", "02:00:00:00:00:01"));
  EXPECT_EQ(ports_of(driver.send("p1", bridged(1, 2))), "nothing");
  EXPECT_EQ(reason(), DropReason::dropped_by_rule);
  EXPECT_TRUE(driver.host(driver.host_of("p1")).macs.find(driver.mac_key("green", "02:00:00:00:00:01")));
  Frame tagged = bridged(1, 2);
  const uint8_t tag[] = {0x81, 0x00, 0x00, 0x0a};
  tagged.insert(tagged.begin() + 12, tag, tag + 4);
  EXPECT_EQ(ports_of(driver.send("p1", tagged)), "p2");
}

TEST_P(Filters, C3_return_packets_pass_and_others_do_not) {
  ScenarioNetwork net = network();
  net.chain("in");
  net.chain("out");
  net.rule("in", when().forward().accept());  // what the guest begins
  net.rule("out", when().returning().accept());
  net.rule("out", when().drop());
  net.filter("p1", "inbound", "in").filter("p1", "outbound", "out");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p3", between(3, 1, 53, 5000))), "nothing") << "nobody asked for it";
  EXPECT_EQ(reason(), DropReason::dropped_by_rule);
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 5000, 53))), "p3");
  EXPECT_TRUE(driver.verdict().cacheable);
  EXPECT_EQ(ports_of(driver.send("p3", between(3, 1, 53, 5000))), "p1") << "the flow that dropped it is gone";
  EXPECT_THAT(driver.step(Stage::connection), HasSubstr("return packet of"));
  EXPECT_EQ(ports_of(driver.send("p3", between(3, 1, 53, 5001))), "nothing");
  EXPECT_EQ(ports_of(driver.send("p4", between(4, 1, 53, 5000))), "nothing");
}

TEST_P(Filters, C3_answers_to_pings_and_errors_about_them_pass) {
  ScenarioNetwork net = network();
  net.chain("in").chain("out");
  net.rule("in", when().forward().accept());
  net.rule("out", when().returning().accept());
  net.rule("out", when().drop());
  net.filter("p1", "inbound", "in").filter("p1", "outbound", "out");
  driver.apply(net);
  const Frame request = ping(guest(1), kGreenMac, guest(3).ip);
  const auto sent = driver.send("p1", request);
  ASSERT_EQ(ports_of(sent), "p3");
  EXPECT_FALSE(driver.verdict().cacheable) << "no flow matches an identifier";
  const Frame reply = packet(guest(3), kBlueMac, guest(1).ip).icmp_echo_reply(7, 1).payload(32).build();
  EXPECT_EQ(ports_of(driver.send("p3", reply)), "p1");
  const Frame other = packet(guest(3), kBlueMac, guest(1).ip).icmp_echo_reply(8, 1).payload(32).build();
  EXPECT_EQ(ports_of(driver.send("p3", other)), "nothing");
  Frame got = on(sent, "p3");
  auto error = flows::make_unreachable(flows::parse(got, {}), {guest(3).ip, guest(3).mac, mac(kBlueMac)},
                                       flows::Unreachable::port);
  ASSERT_TRUE(error);
  EXPECT_EQ(ports_of(driver.send("p3", *error)), "p1");
}

TEST_P(Filters, C3_what_a_device_makes_is_a_return_packet) {
  ScenarioNetwork net = network();
  net.chain("out");
  net.rule("out", when().returning().accept());
  net.rule("out", when().drop());
  net.filter("p1", "outbound", "out");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", ping(guest(1), kGreenMac, address(1, 254)))), "p1");
}

TEST_P(Filters, C7_reject_is_told_by_routers_and_silent_at_bridges) {
  ScenarioNetwork net = network();
  net.chain("no");
  net.rule("no", when().proto(flows::ip_proto::kTcp).reject());
  net.filter("r1-green", "inbound", "no");
  driver.apply(net);
  const Frame syn = packet(guest(1), kGreenMac, guest(3).ip).tcp(1000, 80).build();
  const auto told = driver.send("p1", syn);
  ASSERT_EQ(ports_of(told), "p1");
  EXPECT_EQ(describe(on(told, "p1")), icmp_text("3/13", "1/1", address(1, 254), guest(1).ip));
  EXPECT_EQ(reason(), DropReason::rejected_by_rule);
  net.filter("r1-green", "inbound", "").filter("p1", "inbound", "no");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", syn)), "nothing");
  EXPECT_EQ(reason(), DropReason::rejected_by_rule);
  net.filter("p1", "inbound", "").filter("r1", "forward", "no");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", syn)), "p1") << "the router's own rules";
}

TEST_P(Filters, Rules_know_ports_groups_and_where_a_packet_was) {
  ScenarioNetwork net = network();
  net.port_group("web", {"p1"});
  net.port_group("outside", {"r1-blue"});
  net.chain("c");
  net.rule("c", when()
                    .condition([&](Condition& c) {
                      c.port_group.value = PortGroupId(net.id("web"));
                      c.out_port_group.value = PortGroupId(net.id("outside"));
                      c.traversed_device.value = net.id("green");
                    })
                    .drop());
  net.filter("r1", "outbound", "c");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 1, 2))), "nothing");
  EXPECT_EQ(ports_of(driver.send("p2", between(2, 3, 1, 2))), "p3") << "of another group";
  EXPECT_EQ(ports_of(driver.send("p3", between(3, 1, 1, 2))), "p1") << "leaves by another port";
  net.remove("web p1");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 1, 2))), "p3") << "it has left the group";
}

TEST_P(Filters, Address_groups_follow_their_members) {
  ScenarioNetwork net = network();
  net.ip_group("friends", {guest(3).ip.to_string()});
  net.chain("c");
  net.rule("c", when().condition([&](Condition& c) { c.ip_dst_group.value = IpGroupId(net.id("friends")); }).accept());
  net.rule("c", when().condition([&](Condition& c) { c.eth_type.value = v4() ? 0x0800 : 0x86dd; }).drop());
  net.filter("p1", "inbound", "c");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 1, 2))), "p3");
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 4, 1, 2))), "nothing");
  net.ip_group("friends", {guest(4).ip.to_string()});
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 4, 1, 2))), "p4");
  net.remove("friends " + guest(3).ip.to_string());
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 1, 2))), "nothing");
  net.ip_group("friends", {pick("10.0.2.0/24", "fd00:2::/64")});
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 1, 2))), "p3") << "a prefix";
}

TEST_P(Filters, A_rule_that_comes_or_goes_is_felt_by_flows) {
  ScenarioNetwork net = network();
  net.chain("c");
  net.filter("r1", "inbound", "c");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 5000, 53))), "p3");
  EXPECT_FALSE(driver.verdict().mask.has(flows::Field::l4_dst)) << "no rule asks for ports";
  net.rule("c", when().proto(flows::ip_proto::kUdp).dst_port(50, 60).drop());
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 5000, 53))), "nothing");
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 5000, 61))), "p3");
  EXPECT_TRUE(driver.verdict().mask.has(flows::Field::l4_dst));
  net.remove("c 10");
  driver.apply(net);
  EXPECT_EQ(ports_of(driver.send("p1", between(1, 3, 5000, 53))), "p3");
}

INSTANTIATE_TEST_SUITE_P(C, Filters, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
