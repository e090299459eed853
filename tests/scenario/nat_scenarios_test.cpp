// Group D of the acceptance scenarios: translation at a router between guests (10.0.1.0/24) and the outside (10.0.9.0/24).
#include <set>

#include "flows/packet/icmp_error.hpp"
#include "flows/packet/icmp_quote.hpp"
#include "flows/packet/rewrite.hpp"
#include "rules.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

using testing::HasSubstr;
using topology::Condition;

// Addresses and ports of a frame: "10.0.1.1:1000 > 10.0.9.254:80".
std::string ends_of(const Frame& frame) {
  Frame copy = frame;
  const flows::Packet packet = flows::parse(copy, {});
  const flows::FlowKey& key = packet.key;
  const auto id = flows::icmp_id(packet);
  const auto port = [&](uint16_t l4) { return std::to_string(id ? *id : l4); };
  return key.ip_src.to_string() + ":" + port(key.l4_src) + " > " + key.ip_dst.to_string() + ":" + port(key.l4_dst);
}

class Nat : public TwoSubnets {
 protected:
  Nat() {
    for (int n = 1; n <= 4; ++n) announce(guest(n));
    net.route("default", "r1", pick("0.0.0.0/0", "::/0"), "up1", gateway().ip.to_string());
  }
  void apply() {
    driver.apply(net);
    driver.send("up1", who_has(gateway(), address(9, 1)));
  }
  std::string outside() const { return pick("198.51.100.1", "2001:db8:100::1"); }
  std::string fip() const { return pick("203.0.113.7", "2001:db8:7::7"); }
  std::string everything() const { return pick("0.0.0.0/0", "::/0"); }
  // What leaves by the uplink gets the address and ports, answers their own back.
  void masquerade(uint16_t first, uint16_t last) {
    net.chain("post").chain("pre");
    net.rule("post", when()
                         .condition([&](Condition& c) {
                           c.out_ports.value = std::vector{net.port("up1")};
                           c.fragments = topology::FragmentPolicy::header;
                         })
                         .snat(text(9, 1), first, last)
                         .accept());
    net.rule("pre", when()
                        .condition([&](Condition& c) { c.in_ports.value = std::vector{net.port("up1")}; })
                        .reverse_snat()
                        .accept());
    net.filter("r1", "outbound", "post").filter("r1", "inbound", "pre");
    apply();
  }
  Frame tcp_out(int from, uint16_t src_port, const std::string& to, uint16_t dst_port) const {
    return packet(guest(from), from <= 2 ? kGreenMac : kBlueMac, ip(to)).tcp(src_port, dst_port).payload(9).build();
  }
  Frame tcp_in(const std::string& from, uint16_t src_port, const std::string& to, uint16_t dst_port) const {
    return PacketBuilder{}
        .eth(gateway().mac, mac(kUpMac))
        .ip(ip(from), ip(to))
        .tcp(src_port, dst_port)
        .payload(9)
        .build();
  }
  std::string ends(const std::string& src, int src_port, const std::string& dst, int dst_port) const {
    return src + ":" + std::to_string(src_port) + " > " + dst + ":" + std::to_string(dst_port);
  }
  ScenarioNetwork net = network();
};

TEST_P(Nat, D1_sources_share_an_address_and_answers_find_back) {
  masquerade(1024, 1024 + 3 * 64 - 1);  // a block for each host
  std::set<std::string> seen;
  for (int i = 0; i < 60; ++i) {
    const int from = 1 + i % 3;
    const auto port = static_cast<uint16_t>(2000 + i / 3);
    const auto out = driver.send(guest(from).port, tcp_out(from, port, outside(), 80));
    ASSERT_EQ(ports_of(out), "up1") << i << " " << std::string(to_string(driver.verdict().drop_reason));
    const std::string translated = ends_of(out.front().frame);
    EXPECT_TRUE(seen.insert(translated).second) << translated;
    Frame sent = out.front().frame;
    const auto key = flows::parse(sent, {}).key;
    EXPECT_EQ(key.ip_src, address(9, 1));
    EXPECT_TRUE(key.l4_src >= 1024 && key.l4_src < 1024 + 3 * 64);
    const auto back = driver.send("up1", tcp_in(outside(), 80, text(9, 1), key.l4_src));
    ASSERT_EQ(ports_of(back), guest(from).port);
    EXPECT_EQ(ends_of(back.front().frame), ends(outside(), 80, guest(from).ip.to_string(), port));
    EXPECT_TRUE(driver.verdict().cacheable);
  }
  EXPECT_EQ(driver.connections().size(), one_host() ? 120U : 40U) << "those of its own guests";
  const auto elsewhere = driver.send("p1", tcp_out(1, 2000, pick("198.51.100.2", "2001:db8:100::2"), 80));
  EXPECT_EQ(ports_of(elsewhere), "up1") << "ports serve each destination anew";
}

TEST_P(Nat, D1_no_port_left_is_a_clean_drop) {
  masquerade(1024, 1024 + 63);
  for (uint16_t i = 0; i < 64; ++i) {
    ASSERT_EQ(ports_of(driver.send("p1", tcp_out(1, static_cast<uint16_t>(3000 + i), outside(), 80))), "up1") << i;
  }
  EXPECT_EQ(ports_of(driver.send("p1", tcp_out(1, 4000, outside(), 80))), "nothing");
  EXPECT_EQ(driver.verdict().outcome, Outcome::park) << "another block is asked for";
  EXPECT_EQ(ports_of(driver.send("p1", tcp_out(1, 4000, outside(), 80))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::nat_ports_exhausted);
  EXPECT_FALSE(driver.verdict().cacheable);
  EXPECT_EQ(ports_of(driver.send("p1", tcp_out(1, 3000, outside(), 80))), "up1") << "those that it has go on";
}

TEST_P(Nat, D3_pings_of_two_guests_with_one_identifier) {
  masquerade(1024, 65535);
  std::set<uint16_t> ids;
  for (int from : {1, 2}) {
    const auto out = driver.send(guest(from).port, ping(guest(from), kGreenMac, ip(outside())));
    ASSERT_EQ(ports_of(out), "up1");
    Frame sent = out.front().frame;
    const auto id = flows::icmp_id(flows::parse(sent, {}));
    ASSERT_TRUE(id);
    EXPECT_TRUE(ids.insert(*id).second);
    const Frame reply = PacketBuilder{}
                            .eth(gateway().mac, mac(kUpMac))
                            .ip(ip(outside()), address(9, 1))
                            .icmp_echo_reply(*id, 1)
                            .payload(32)
                            .build();
    const auto back = driver.send("up1", reply);
    ASSERT_EQ(ports_of(back), guest(from).port);
    EXPECT_EQ(ends_of(back.front().frame), ends(outside(), 7, guest(from).ip.to_string(), 7));
  }
}

TEST_P(Nat, D5_both_ends_are_translated_and_back_in_order) {
  net.chain("post").chain("pre");
  net.rule("pre", when().reverse_snat().continues());
  net.rule("pre", when()
                      .to(fip() + (v4() ? "/32" : "/128"))
                      .proto(flows::ip_proto::kTcp)
                      .dst_port(80)
                      .nat(topology::NatKind::dnat, guest(1).ip.to_string(), guest(1).ip.to_string(), 8080, 8080)
                      .accept());
  net.rule("post", when().reverse_dnat().continues());
  net.rule(
      "post",
      when().condition([&](Condition& c) { c.destination_rewritten = true; }).snat(text(1, 254), 5000, 5999).accept());
  net.filter("r1", "outbound", "post").filter("r1", "inbound", "pre");
  apply();
  const auto in = driver.send("up1", tcp_in(outside(), 4000, fip(), 80));
  ASSERT_EQ(ports_of(in), "p1") << std::string(to_string(driver.verdict().drop_reason));
  Frame got = in.front().frame;
  const auto key = flows::parse(got, {}).key;
  EXPECT_EQ(key.ip_src, address(1, 254));
  EXPECT_EQ(key.ip_dst, guest(1).ip);
  EXPECT_EQ(key.l4_dst, 8080);
  const auto back =
      driver.send("p1", packet(guest(1), kGreenMac, address(1, 254)).tcp(8080, key.l4_src).payload(9).build());
  ASSERT_EQ(ports_of(back), "up1") << std::string(to_string(driver.verdict().drop_reason));
  EXPECT_EQ(ends_of(back.front().frame), ends(fip(), 80, outside(), 4000));
}

TEST_P(Nat, D6_a_floating_address_both_ways_with_errors) {
  net.chain("post").chain("pre");
  const std::string host = v4() ? "/32" : "/128";
  net.rule("pre", when().to(fip() + host).dnat(guest(1).ip.to_string()).accept());
  net.rule("post", when().from(guest(1).ip.to_string() + host).snat(fip()).accept());
  net.filter("r1", "outbound", "post").filter("r1", "inbound", "pre");
  apply();
  const auto in = driver.send("up1", tcp_in(outside(), 4000, fip(), 22));
  ASSERT_EQ(ports_of(in), "p1");
  EXPECT_EQ(ends_of(in.front().frame), ends(outside(), 4000, guest(1).ip.to_string(), 22));
  EXPECT_TRUE(driver.verdict().cacheable);
  const auto out = driver.send("p1", tcp_out(1, 22, outside(), 4000));
  ASSERT_EQ(ports_of(out), "up1");
  EXPECT_EQ(ends_of(out.front().frame), ends(fip(), 22, outside(), 4000));
  EXPECT_EQ(driver.connections().size(), 0) << "static: nothing is kept";
  EXPECT_EQ(ports_of(driver.send("up1", PacketBuilder{}
                                            .eth(gateway().mac, mac(kUpMac))
                                            .ip(ip(outside()), ip(fip()))
                                            .icmp_echo_request(7, 1)
                                            .payload(32)
                                            .build())),
            "p1");
  // A router on the way could not deliver what the guest sent.
  Frame sent = out.front().frame;
  const auto error = flows::make_unreachable(flows::parse(sent, {}), {ip(outside()), gateway().mac, mac(kUpMac)},
                                             flows::Unreachable::host);
  ASSERT_TRUE(error);
  const auto told = driver.send("up1", *error);
  ASSERT_EQ(ports_of(told), "p1");
  Frame got = told.front().frame;
  const auto quote = flows::parse_icmp_quote(flows::parse(got, {}));
  ASSERT_TRUE(quote);
  EXPECT_EQ(quote->src, guest(1).ip);
  EXPECT_EQ(quote->l4_src, 22);
}

TEST_P(Nat, D6_errors_about_a_masqueraded_connection_find_back) {
  masquerade(1024, 65535);
  const auto out = driver.send("p1", tcp_out(1, 2000, outside(), 80));
  ASSERT_EQ(ports_of(out), "up1");
  Frame sent = out.front().frame;
  const auto error = flows::make_time_exceeded(flows::parse(sent, {}), {gateway().ip, gateway().mac, mac(kUpMac)});
  ASSERT_TRUE(error);
  const auto told = driver.send("up1", *error);
  ASSERT_EQ(ports_of(told), "p1");
  Frame got = told.front().frame;
  const flows::Packet parsed = flows::parse(got, {});
  EXPECT_EQ(parsed.key.ip_src, gateway().ip) << "who says it stays";
  EXPECT_EQ(parsed.key.ip_dst, guest(1).ip);
  const auto quote = flows::parse_icmp_quote(parsed);
  ASSERT_TRUE(quote);
  EXPECT_EQ(quote->src, guest(1).ip);
  EXPECT_EQ(quote->l4_src, 2000);
  EXPECT_EQ(quote->dst, ip(outside()));
}

TEST_P(Nat, D6_a_whole_network_is_renamed) {
  net.chain("post").chain("pre");
  const std::string inside = pick("10.0.1.0/24", "fd00:1::/64"), outer = pick("203.0.113.0/24", "2001:db8:5::/64");
  net.rule("pre", when().to(outer).dnat_prefix(inside).accept());
  net.rule("post", when().from(inside).snat_prefix(outer).accept());
  net.filter("r1", "outbound", "post").filter("r1", "inbound", "pre");
  apply();
  const auto out = driver.send("p2", tcp_out(2, 1000, outside(), 80));
  ASSERT_EQ(ports_of(out), "up1");
  const std::string named = pick("203.0.113.2", "2001:db8:5::2");
  EXPECT_EQ(ends_of(out.front().frame), ends(named, 1000, outside(), 80));
  const auto in = driver.send("up1", tcp_in(outside(), 80, named, 1000));
  ASSERT_EQ(ports_of(in), "p2");
  EXPECT_EQ(ends_of(in.front().frame), ends(outside(), 80, guest(2).ip.to_string(), 1000));
}

TEST_P(Nat, D8_what_cannot_be_translated_is_for_the_next_rule) {
  net.chain("post");
  net.rule("post", when().snat(text(9, 1), 1024, 2000).accept());
  net.rule("post", when().proto(47).drop());
  net.filter("r1", "outbound", "post");
  apply();
  EXPECT_EQ(ports_of(driver.send("p1", packet(guest(1), kGreenMac, ip(outside())).protocol(47).payload(20).build())),
            "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::dropped_by_rule);
}

TEST_P(Nat, A_rule_of_the_other_family_is_for_the_next) {
  net.chain("post");
  const std::string other = v4() ? "2001:db8:1::1" : "203.0.113.1";
  net.rule("post", when().snat(other, 1024, 2000).accept());
  net.rule("post", when().dnat(other, 80, 80).accept());
  net.rule("post", when().snat(text(9, 1), 1024, 2000).accept());
  net.filter("r1", "outbound", "post");
  apply();
  const auto out = driver.send("p1", tcp_out(1, 2000, outside(), 80));
  ASSERT_EQ(ports_of(out), "up1");
  Frame sent = out.front().frame;
  EXPECT_EQ(flows::parse(sent, {}).key.ip_src, address(9, 1));
}

TEST_P(Nat, Fragments_go_the_way_of_their_first) {
  masquerade(1024, 65535);
  const auto fragment = [&](bool first) {
    PacketBuilder builder = packet(guest(1), kGreenMac, ip(outside()));
    builder.identification(77).fragment(first ? 0 : 64, first);
    if (first) return builder.udp(4000, 53).payload(56).build();
    return builder.protocol(17).payload(40).build();
  };
  EXPECT_EQ(ports_of(driver.send("p1", fragment(true))), "up1");
  EXPECT_FALSE(driver.verdict().cacheable);
  const auto later = driver.send("p1", fragment(false));
  ASSERT_EQ(ports_of(later), "up1");
  Frame got = later.front().frame;
  EXPECT_EQ(flows::parse(got, {}).key.ip_src, address(9, 1));
}

TEST_P(Nat, A_binding_that_ends_takes_its_flows_along) {
  masquerade(1024, 65535);
  const auto out = driver.send("p1", tcp_out(1, 2000, outside(), 80));
  ASSERT_EQ(ports_of(out), "up1");
  Frame sent = out.front().frame;
  const uint16_t port = flows::parse(sent, {}).key.l4_src;
  const flows::ConnectionKey key{
      flows::ConnectionKind::snat, flows::ip_proto::kTcp, 2000, 80, guest(1).ip, ip(outside()), net.id("r1")};
  const auto entry = driver.host(driver.host_of("p1")).connections.find(key);
  ASSERT_TRUE(entry);
  driver.close(*flows::partner_of(key, *entry));
  driver.close(key);
  EXPECT_EQ(driver.connections().size(), 0);
  EXPECT_EQ(ports_of(driver.send("up1", tcp_in(outside(), 80, text(9, 1), port))), "nothing");
}

INSTANTIATE_TEST_SUITE_P(D, Nat, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
