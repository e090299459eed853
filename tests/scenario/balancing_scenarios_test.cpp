// Group F of the acceptance scenarios: load balancing at a router.
#include <map>

#include "rules.hpp"
#include "two_subnets.hpp"

namespace viaduct::scenario {
namespace {

class Balancing : public TwoSubnets {
 protected:
  Balancing() {
    for (int n = 1; n <= 4; ++n) announce(guest(n));
    net.route("default", "r1", pick("0.0.0.0/0", "::/0"), "up1", gateway().ip.to_string());
    net.load_balancer("r1", "lb").pool("lb", "pool").vip("pool", "web", vip(), 80);
    net.member("pool", "m1", guest(1).ip.to_string(), 8080, 1);
    net.member("pool", "m3", guest(3).ip.to_string(), 8080, 3);
    net.member("pool", "m2", guest(2).ip.to_string(), 8080, 0);
    apply();
  }
  void apply() {
    driver.apply(net);
    driver.send("up1", who_has(gateway(), address(9, 1)));
  }
  std::string vip() const { return pick("203.0.113.10", "2001:db8:10::10"); }
  IpAddress client(int n) const { return ip(pick("198.51.100.", "2001:db8:100::") + std::to_string(n + 1)); }
  Frame request(int from, uint16_t port, uint8_t flags = 0x10) const {
    return PacketBuilder{}
        .eth(gateway().mac, mac(kUpMac))
        .ip(client(from), ip(vip()))
        .tcp(port, 80, flags)
        .payload(5)
        .build();
  }
  Frame answer_of(int member, const IpAddress& to, uint16_t port) const {
    return packet(guest(member), member <= 2 ? kGreenMac : kBlueMac, to).tcp(8080, port).payload(5).build();
  }
  // Where new connections of many clients go.
  std::map<std::string, int> shares(int connections) {
    std::map<std::string, int> out;
    for (int i = 0; i < connections; ++i) {
      ++out[ports_of(driver.send("up1", request(i % 200, static_cast<uint16_t>(1000 + i))))];
    }
    return out;
  }
  ScenarioNetwork net = network();
};

TEST_P(Balancing, F1_members_share_by_weight_and_see_their_clients) {
  auto share = shares(800);
  EXPECT_EQ(share.size(), 2U);
  EXPECT_NEAR(share["p1"], 200, 60);
  EXPECT_NEAR(share["p3"], 600, 60);
  const auto sent = driver.send("up1", request(1, 999));
  ASSERT_EQ(sent.size(), 1U);
  Frame got = sent.front().frame;
  const auto key = flows::parse(got, {}).key;
  EXPECT_EQ(key.ip_src, client(1));
  EXPECT_EQ(key.l4_dst, 8080);
  EXPECT_TRUE(driver.verdict().cacheable);
  const int member = sent.front().port == "p1" ? 1 : 3;
  const auto back = driver.send(sent.front().port, answer_of(member, client(1), 999));
  ASSERT_EQ(ports_of(back), "up1");
  Frame reply = back.front().frame;
  EXPECT_EQ(flows::parse(reply, {}).key.ip_src, ip(vip()));
  EXPECT_EQ(flows::parse(reply, {}).key.l4_src, 80);
}

TEST_P(Balancing, F3_an_unhealthy_member_leaves_at_once_and_comes_back) {
  for (int i = 0; i < 50; ++i) driver.send("up1", request(i, 2000));
  net.unhealthy("m3");
  apply();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ports_of(driver.send("up1", request(i, 2000))), "p1") << "also connections that it had";
  }
  net.unhealthy("m1");
  apply();
  EXPECT_EQ(ports_of(driver.send("up1", request(77, 2000))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::no_pool_member);
  net.unhealthy("m3", false);
  apply();
  EXPECT_EQ(ports_of(driver.send("up1", request(77, 2000))), "p3");
}

TEST_P(Balancing, F3_a_disabled_member_keeps_what_it_has) {
  std::map<int, std::string> before;
  for (int i = 0; i < 50; ++i) before[i] = ports_of(driver.send("up1", request(i, 2000)));
  net.change<topology::PoolMember>("m3", [](auto& member) { member.admin_up = false; });
  apply();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ports_of(driver.send("up1", request(i, 2000))), before[i]);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ports_of(driver.send("up1", request(i, 2001))), "p1");
}

TEST_P(Balancing, F5_other_protocols_and_ports_are_routed) {
  EXPECT_EQ(
      ports_of(driver.send(
          "up1",
          PacketBuilder{}.eth(gateway().mac, mac(kUpMac)).ip(client(1), ip(vip())).udp(1000, 80).payload(5).build())),
      "up1")
      << "by the default route";
}

TEST_P(Balancing, Clients_stick_to_members_by_their_address) {
  net.change<topology::Pool>("pool", [](auto& pool) { pool.sticky = true; });
  apply();
  std::map<std::string, int> seen;
  for (int from = 0; from < 40; ++from) {
    const std::string first = ports_of(driver.send("up1", request(from, 1000)));
    ++seen[first];
    for (uint16_t port = 1001; port < 1005; ++port) {
      EXPECT_EQ(ports_of(driver.send("up1", request(from, port))), first);
    }
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST_P(Balancing, What_is_down_drops_and_says_why) {
  const auto in = driver.send("up1", request(1, 1000));
  const int member = ports_of(in) == "p1" ? 1 : 3;
  net.set("lb", ScenarioNetwork::Admin::down);
  apply();
  EXPECT_EQ(ports_of(driver.send("up1", request(1, 1000))), "nothing");
  EXPECT_EQ(driver.verdict().drop_reason, DropReason::load_balancer_down);
  EXPECT_EQ(ports_of(driver.send(guest(member).port, answer_of(member, client(1), 1000))), "nothing")
      << "answers neither";
}

INSTANTIATE_TEST_SUITE_P(F, Balancing, settings(), setting_name);

}  // namespace
}  // namespace viaduct::scenario
