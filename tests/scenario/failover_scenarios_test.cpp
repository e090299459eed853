// Group E of the acceptance scenarios: connections whose packets come by other hosts than before, and whose hosts die. Each
// host has its own table and replicator; a packet leaves when the hosts that its verdict names have what it opened.
//
//   vm1 ── p1 ─┐                  ┌─ up1 (h2) ── gateway        p1 and p2 on h1, later on h4
//              green ── r1 ───────┤
//   vm2 ── p2 ─┘                  └─ up2 (h3) ── gateway        up1 and up2 in one stateful group
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "flows/packet/build.hpp"
#include "flows/packet/packet_builder.hpp"
#include "rules.hpp"
#include "simulation_driver.hpp"

namespace viaduct::scenario {
namespace {

using flows::PacketBuilder;

constexpr int kHome = 0, kSpare = 3;

struct Ends {
  IpAddress src, dst;
  uint16_t src_port = 0, dst_port = 0;
  Ends back() const { return {dst, src, dst_port, src_port}; }
  friend auto operator<=>(const Ends&, const Ends&) = default;
};

Ends way_of(const Frame& frame) {
  Frame copy = frame;
  const flows::FlowKey key = flows::parse(copy, {}).key;
  return {key.ip_src, key.ip_dst, key.l4_src, key.l4_dst};
}

std::string to_text(const Ends& ends) {
  return ends.src.to_string() + ":" + std::to_string(ends.src_port) + " > " + ends.dst.to_string() + ":" +
         std::to_string(ends.dst_port);
}

class Cloud {
 public:
  explicit Cloud(IpFamily family) : family_(family), net(network()), driver(net, net.hosts().count()) {
    meet("p1"), meet("p2"), meet("up1"), meet("up2");
  }
  std::string pick(const char* four, const char* six) const { return family_ == IpFamily::v4 ? four : six; }
  IpAddress guest(int number) const { return ip(pick("10.0.1.", "fd00:1::") + std::to_string(number)); }
  IpAddress world(int number = 1) const { return ip(pick("198.51.100.", "2001:db8:100::") + std::to_string(number)); }
  IpAddress outside() const { return ip(pick("203.0.113.1", "2001:db8:113::1")); }
  IpAddress service() const { return ip(pick("203.0.113.10", "2001:db8:113::10")); }

  // By a guest's port or an uplink, to its router.
  std::vector<Delivery> send(const std::string& port, const Ends& ends, uint8_t flags = flows::seen::kAck) {
    PacketBuilder packet;
    packet.eth(mac_behind(port), router_mac(port)).ip(ends.src, ends.dst);
    return driver.send(port, packet.tcp(ends.src_port, ends.dst_port, flags).payload(5).build());
  }
  // Makes known who is behind a port, as after it has become active.
  void meet(const std::string& port) {
    if (port[0] == 'p') {
      const IpAddress who = guest(port[1] - '0');
      driver.send(port, who.is_v4()
                            ? flows::make_gratuitous_arp(mac_behind(port), who)
                            : flows::make_unsolicited_advertisement(mac_behind(port), who, flows::NodeKind::host));
      return;
    }
    const IpAddress gateway = address_of(port, 254), router = address_of(port, 1);
    driver.send(port, gateway.is_v4() ? flows::make_arp_request(mac_behind(port), gateway, router)
                                      : flows::make_neighbour_solicitation(mac_behind(port), gateway, router));
  }
  void move(const std::string& port, int host) {
    net.move(port, host);
    driver.apply(net);
    meet(port);
  }
  void kill(int host) {
    driver.kill(host);
    net.kill_host(host);
    driver.apply(net);
  }
  std::vector<std::string> uplinks() const {
    std::vector<std::string> out;
    for (const char* port : {"up1", "up2"}) {
      if (driver.alive(driver.host_of(port))) out.emplace_back(port);
    }
    return out;
  }

 private:
  IpAddress address_of(const std::string& port, int host) const {
    const std::string subnet(1, port.back());
    return ip(family_ == IpFamily::v4 ? "10.9." + subnet + "." + std::to_string(host)
                                      : "fd00:9:" + subnet + "::" + std::to_string(host));
  }
  static MacAddress mac_behind(const std::string& port) {
    return mac((port[0] == 'p' ? "02:00:00:00:00:0" : "02:00:00:00:99:0") + std::string(1, port.back()));
  }
  static MacAddress router_mac(const std::string& port) {
    return mac(port[0] == 'p' ? "02:00:00:00:01:fe" : "02:00:00:00:09:0" + std::string(1, port.back()));
  }
  ScenarioNetwork network() const {
    ScenarioNetwork out;
    out.bridge("green").guest_port("green", "p1").guest_port("green", "p2").router("r1");
    out.link("green", "r1-green", "02:00:00:00:01:fe", {"10.0.1.254/24", "fd00:1::fe/64"});
    out.uplink("r1", "up1", "02:00:00:00:09:01", {"10.9.1.1/24", "fd00:9:1::1/64"});
    out.uplink("r1", "up2", "02:00:00:00:09:02", {"10.9.2.1/24", "fd00:9:2::1/64"});
    for (const char* port : {"up1", "up2"}) {
      const std::string subnet(1, port[2]);
      out.route("four" + subnet, "r1", "0.0.0.0/0", port, "10.9." + subnet + ".254");
      out.route("six" + subnet, "r1", "::/0", port, "fd00:9:" + subnet + "::254");
    }
    out.port_group("uplinks", {"up1", "up2"});
    out.change<topology::PortGroup>("uplinks", [](topology::PortGroup& group) { group.stateful = true; });
    const auto by_uplinks = [&](topology::Condition& c) {
      c.out_ports.value = std::vector{out.port("up1"), out.port("up2")};
    };
    out.chain("post").chain("pre");
    out.rule("post", when()
                         .condition(by_uplinks)
                         .from(pick("10.0.1.0/24", "fd00:1::/64"))
                         .snat(pick("203.0.113.1", "2001:db8:113::1"), 1024, 65535)
                         .accept());
    out.rule("pre", when().reverse_snat().accept());
    out.filter("r1", "outbound", "post").filter("r1", "inbound", "pre");
    out.load_balancer("r1", "lb").pool("lb", "web").vip("web", "www", pick("203.0.113.10", "2001:db8:113::10"), 80);
    for (int number : {1, 2}) out.member("web", "m" + std::to_string(number), guest(number).to_string(), 8080);
    out.spread(4).move("p1", kHome).move("p2", kHome).move("up1", 1).move("up2", 2);
    return out;
  }
  const IpFamily family_;

 public:
  ScenarioNetwork net;
  SimulationDriver driver;
};

class Failover : public testing::TestWithParam<IpFamily> {
 protected:
  ~Failover() override { EXPECT_THAT(cloud.driver.breaches(), testing::IsEmpty()); }
  Cloud cloud{GetParam()};
};

TEST_P(Failover, E1_answers_come_by_another_host_of_the_group) {
  const Ends said{cloud.guest(1), cloud.world(), 1000, 80};
  const auto out = cloud.send("p1", said, flows::seen::kSyn);
  ASSERT_THAT(ports_of(out), testing::StartsWith("up"));
  const Ends translated = way_of(out.front().frame);
  EXPECT_EQ(translated.src, cloud.outside());
  for (const char* port : {"up1", "up2"}) {
    const auto back = cloud.send(port, translated.back());
    ASSERT_EQ(ports_of(back), "p1") << port;
    EXPECT_EQ(to_text(way_of(back.front().frame)), to_text(said.back()));
  }
}

TEST_P(Failover, hosts_that_are_not_concerned_hear_nothing) {
  cloud.send("p1", {cloud.guest(1), cloud.world(), 1000, 80}, flows::seen::kSyn);
  EXPECT_EQ(cloud.driver.host(0).connections.size(), 2U);
  EXPECT_EQ(cloud.driver.host(1).connections.size(), 2U);
  EXPECT_EQ(cloud.driver.host(2).connections.size(), 2U);
  EXPECT_EQ(cloud.driver.host(kSpare).connections.size(), 0U);
}

TEST_P(Failover, a_service_is_served_on_when_its_gateway_dies) {
  const Ends said{cloud.world(), cloud.service(), 5000, 80};
  const auto in = cloud.send("up1", said, flows::seen::kSyn);
  ASSERT_THAT(ports_of(in), testing::StartsWith("p"));
  const std::string server = in.front().port;
  const Ends served = way_of(in.front().frame);
  cloud.send(server, served.back());
  cloud.kill(1);
  const auto answer = cloud.send(server, served.back());
  ASSERT_EQ(ports_of(answer), "up2");
  EXPECT_EQ(to_text(way_of(answer.front().frame)), to_text(said.back()));
  const auto again = cloud.send("up2", said);
  ASSERT_EQ(ports_of(again), server);
  EXPECT_EQ(to_text(way_of(again.front().frame)), to_text(served));
}

TEST_P(Failover, E5_a_machine_moves_with_its_connections) {
  const Ends said{cloud.guest(1), cloud.world(), 1000, 80};
  const Ends translated = way_of(cloud.send("p1", said, flows::seen::kSyn).front().frame);
  cloud.send("up1", translated.back());
  cloud.net.move("p1", kSpare);
  cloud.driver.apply(cloud.net);
  EXPECT_EQ(cloud.driver.host(kSpare).connections.size(), 2U) << "before its first packet";
  cloud.meet("p1");
  const auto out = cloud.send("p1", said);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(to_text(way_of(out.front().frame)), to_text(translated));
  cloud.kill(kHome);  // the host that made it
  EXPECT_EQ(to_text(way_of(cloud.send("p1", said).front().frame)), to_text(translated));
  EXPECT_EQ(ports_of(cloud.send("up2", translated.back())), "p1");
}

// Forty connections that one stateless sender opens at once, in as many entries as a batch never holds: all are there.
TEST_P(Failover, E6_nothing_is_lost_of_many_entries) {
  cloud.driver.lose(0.2, 7);
  std::vector<Ends> all;
  for (uint16_t port = 1; port <= 40; ++port) {
    const auto out = cloud.send("p1", {cloud.guest(1), cloud.world(), port, 80}, flows::seen::kSyn);
    ASSERT_EQ(out.size(), 1U);
    all.push_back(way_of(out.front().frame));
  }
  EXPECT_EQ(cloud.driver.host(1).connections.size(), 80U);
  cloud.kill(1);
  for (const Ends& one : all) EXPECT_EQ(ports_of(cloud.send("up2", one.back())), "p1") << to_text(one);
}

// The machine's host is silent for longer than its lease and comes back: a gateway has got its ports with the copies of
// its connections, which go on by the same ports, whichever side speaks first.
TEST_P(Failover, connections_survive_their_own_hosts_long_silence) {
  std::vector<std::pair<Ends, Ends>> all;
  for (uint16_t port = 1; port <= 40; ++port) {
    const Ends said{cloud.guest(1), cloud.world(), port, 80};
    const auto out = cloud.send("p1", said, flows::seen::kSyn);
    ASSERT_EQ(out.size(), 1U);
    all.emplace_back(said, way_of(out.front().frame));
    cloud.send("up1", all.back().second.back());
  }
  cloud.driver.sleep(kHome);
  cloud.driver.advance(std::chrono::seconds(13));
  cloud.driver.wake(kHome);
  const auto both_ways = [&](const std::string& uplink) {
    for (const auto& [said, translated] : all) {
      const auto out = cloud.send("p1", said);
      ASSERT_EQ(out.size(), 1U) << to_text(said);
      EXPECT_EQ(to_text(way_of(out.front().frame)), to_text(translated));
      const auto back = cloud.send(uplink, translated.back());
      ASSERT_EQ(ports_of(back), "p1") << to_text(translated);
      EXPECT_EQ(to_text(way_of(back.front().frame)), to_text(said.back()));
    }
  };
  both_ways("up1");
  both_ways("up2");
  const auto owners = [&](int host) {
    size_t owned = 0;
    cloud.driver.host(host).connections.for_each(
        [&](const auto&, const flows::ConnectionEntry& entry) { owned += entry.owned ? 1 : 0; });
    return owned;
  };
  EXPECT_EQ(owners(kHome), 0U);
  EXPECT_EQ(owners(1) + owners(2), 80U);
  // Connections that it opens from now on have ports of another block, and those who had got the first one may die.
  const Ends later{cloud.guest(1), cloud.world(), 1000, 80};
  const Ends fresh = way_of(cloud.send("p1", later, flows::seen::kSyn).front().frame);
  for (const auto& [said, translated] : all) EXPECT_NE(fresh.src_port, translated.src_port);
  cloud.kill(1);
  both_ways("up2");
}

// Each connection's host ends it, by age, before the gateways do, and gives its port out again at once: the answers are the
// new connection's by all gateways. All ports of the block are taken in turn, so that none is anew.
TEST_P(Failover, a_port_that_is_given_out_again_is_the_new_connections) {
  for (uint16_t port = 1; port <= 3 * flows::kNatBlockPorts; ++port) {
    const Ends said{cloud.guest(1), cloud.world(), port, 80};
    const auto out = cloud.send("p1", said, flows::seen::kSyn);
    ASSERT_EQ(out.size(), 1U) << port;
    const Ends translated = way_of(out.front().frame);
    for (const char* uplink : {"up1", "up2"}) {
      const auto back = cloud.send(uplink, translated.back());
      ASSERT_EQ(ports_of(back), "p1") << uplink << " " << port;
      EXPECT_EQ(to_text(way_of(back.front().frame)), to_text(said.back())) << uplink;
    }
    std::vector<flows::ConnectionKey> aged;
    cloud.driver.host(kHome).connections.for_each([&](const auto& key, const auto&) { aged.push_back(key); });
    for (const auto& key : aged) cloud.driver.close_on({kHome}, key);
  }
  EXPECT_LE(cloud.driver.host(1).connections.size(), 2U * flows::kNatBlockPorts) << "a port is one connection's";
}

TEST_P(Failover, what_the_new_holder_of_ports_has_given_out_again_ends) {
  const Ends said{cloud.guest(1), cloud.world(), 1000, 80};
  const Ends translated = way_of(cloud.send("p1", said, flows::seen::kSyn).front().frame);
  cloud.driver.sleep(kHome);
  // The gateways have lost their copies, and a machine that is started anew elsewhere gets the same port.
  std::vector<flows::ConnectionKey> gone;
  cloud.driver.host(1).connections.for_each([&](const auto& key, const auto&) { gone.push_back(key); });
  for (const auto& key : gone) cloud.driver.close_on({1, 2}, key);
  cloud.move("p2", 1);
  // The block has 64 ports towards one remote end: one of so many connections gets the first one's.
  bool same = false;
  for (uint16_t port = 2000; port < 2064 && !same; ++port) {
    const auto out = cloud.send("p2", {cloud.guest(2), cloud.world(), port, 80}, flows::seen::kSyn);
    ASSERT_EQ(out.size(), 1U);
    same = way_of(out.front().frame) == translated;
  }
  ASSERT_TRUE(same);
  cloud.driver.wake(kHome);
  EXPECT_EQ(ports_of(cloud.send("up1", translated.back())), "p2");
  EXPECT_EQ(ports_of(cloud.send("up2", translated.back())), "p2");
  const auto again = cloud.send("p1", said);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(to_text(way_of(again.front().frame)), to_text(translated)) << "two connections have one outside";
}

INSTANTIATE_TEST_SUITE_P(Families, Failover, testing::Values(IpFamily::v4, IpFamily::v6),
                         [](const auto& info) { return std::string(info.param == IpFamily::v4 ? "v4" : "v6"); });

// --- walks ----------------------------------------------------------------------------------------

// Connections are opened and used in both directions and by any gateway, and age; guests move, hosts die, frames of state are
// lost: each connection keeps its translation and its server, and no two have the same outside.
class Walk {
 public:
  explicit Walk(uint64_t seed) : cloud_(seed % 2 == 0 ? IpFamily::v4 : IpFamily::v6), random_(seed) {
    if (seed % 3 == 0) cloud_.driver.lose(0.05, seed);
  }
  void run(int steps) {
    for (step_ = 0; step_ < steps && problem_.empty(); ++step_) {
      take_step();
      check_translations();
      if (!cloud_.driver.breaches().empty()) say(cloud_.driver.breaches().front());
    }
  }
  const std::string& problem() const { return problem_; }
  size_t connections() const { return connections_.size(); }
  size_t silences() const { return silences_; }
  size_t aged() const { return aged_; }

 private:
  struct Connection {
    Ends said;   // as its client says
    Ends heard;  // as its server hears
    std::string guest;
    bool from_guest = false;
  };
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }
  void say(const std::string& what) {
    if (problem_.empty()) problem_ = "step " + std::to_string(step_) + ": " + what;
  }
  std::string an_uplink() {
    const auto all = cloud_.uplinks();
    return all[below(static_cast<unsigned>(all.size()))];
  }
  void take_step() {
    const unsigned choice = below(100);
    if (choice < 20) return open_out();
    if (choice < 40) return open_in();
    if (choice < 84) return use();
    if (choice < 94) return age();
    if (choice < 97) return move_guest();
    if (choice < 98) return die();
    return be_silent();
  }
  void open_out() {
    const int number = 1 + static_cast<int>(below(2));
    const std::string port = "p" + std::to_string(number);
    const Ends said{cloud_.guest(number), cloud_.world(1 + static_cast<int>(below(2))),
                    static_cast<uint16_t>(1'000 + below(500)), 80};
    if (known_.contains(said)) return;
    const auto out = cloud_.send(port, said, flows::seen::kSyn);
    if (out.size() != 1 || out.front().port[0] != 'u') return say("not sent: " + to_text(said) + why());
    add({said, way_of(out.front().frame), port, true});
  }
  void open_in() {
    const Ends said{cloud_.world(1 + static_cast<int>(below(2))), cloud_.service(),
                    static_cast<uint16_t>(1'000 + below(500)), 80};
    if (known_.contains(said)) return;
    const auto in = cloud_.send(an_uplink(), said, flows::seen::kSyn);
    if (in.size() != 1 || in.front().port[0] != 'p') return say("not served: " + to_text(said) + why());
    add({said, way_of(in.front().frame), in.front().port, false});
  }
  void add(const Connection& one) {
    known_.insert(one.said);
    connections_.push_back(one);
  }
  void use() {
    if (connections_.empty()) return;
    const Connection& one = connections_[below(static_cast<unsigned>(connections_.size()))];
    const bool forward = below(2) == 0;
    const bool by_guest = forward == one.from_guest;
    const Ends sent = forward ? one.said : one.heard.back();
    const Ends wanted = forward ? one.heard : one.said.back();
    const auto out = cloud_.send(by_guest ? one.guest : an_uplink(), sent);
    const bool arrived = out.size() == 1 && (by_guest ? out.front().port[0] == 'u' : out.front().port == one.guest);
    if (!arrived) return say("lost: " + to_text(sent) + " came out at " + ports_of(out) + why());
    if (way_of(out.front().frame) != wanted) {
      say(to_text(sent) + " became " + to_text(way_of(out.front().frame)) + ", not " + to_text(wanted));
    }
  }
  // One ends, idle for too long: on all hosts, and none of them tells another. The same may be opened again at once.
  void age() {
    if (connections_.empty()) return;
    const auto one = connections_.begin() + below(static_cast<unsigned>(connections_.size()));
    const std::set<Ends> ways{one->said, one->heard, one->said.back(), one->heard.back()};
    for (int number = 0; number < 4; ++number) {
      std::vector<flows::ConnectionKey> aged;
      cloud_.driver.host(number).connections.for_each([&](const flows::ConnectionKey& key, const auto&) {
        if (ways.contains({key.src, key.dst, key.src_port, key.dst_port})) aged.push_back(key);
      });
      for (const auto& key : aged) cloud_.driver.close_on({number}, key);
    }
    known_.erase(one->said);
    connections_.erase(one);
    ++aged_;
  }
  std::string why() const { return std::string(" ") + std::string(to_string(cloud_.driver.verdict().drop_reason)); }
  void move_guest() {
    const std::string port = "p" + std::to_string(1 + below(2));
    const int to = cloud_.driver.host_of(port) == kHome ? kSpare : kHome;
    if (cloud_.driver.alive(to)) cloud_.move(port, to);
  }
  // Of the gateways one at most; of the others, one that has no guests any more.
  void die() {
    const int host = static_cast<int>(below(4));
    const bool has_guests = host == cloud_.driver.host_of("p1") || host == cloud_.driver.host_of("p2");
    const bool last_gateway = (host == 1 || host == 2) && cloud_.uplinks().size() < 2;
    if (has_guests || last_gateway || !cloud_.driver.alive(host)) return;
    cloud_.kill(host);
  }
  // For longer than its lease.
  void be_silent() {
    const int host = static_cast<int>(below(4));
    if (!cloud_.driver.alive(host)) return;
    cloud_.driver.sleep(host);
    cloud_.driver.advance(std::chrono::seconds(11));
    cloud_.driver.wake(host);
    ++silences_;
  }
  // Whoever finds an answer's entry sends it to the same guest.
  void check_translations() {
    std::map<flows::ConnectionKey, std::pair<IpAddress, uint16_t>, KeyLess> found;
    for (int number = 0; number < 4; ++number) {
      if (!cloud_.driver.alive(number)) continue;
      cloud_.driver.host(number).connections.for_each(
          [&](const flows::ConnectionKey& key, const flows::ConnectionEntry& entry) {
            const std::pair meaning{entry.address, entry.port};
            if (found.emplace(key, meaning).first->second != meaning) say("two meanings of " + key.to_string());
          });
    }
  }
  struct KeyLess {
    static auto tie(const flows::ConnectionKey& key) {
      return std::tie(key.kind, key.proto, key.src_port, key.dst_port, key.src, key.dst, key.device);
    }
    bool operator()(const flows::ConnectionKey& a, const flows::ConnectionKey& b) const { return tie(a) < tie(b); }
  };

  Cloud cloud_;
  std::mt19937_64 random_;
  std::vector<Connection> connections_;
  std::set<Ends> known_;
  std::string problem_;
  int step_ = 0;
  size_t silences_ = 0, aged_ = 0;
};

// VIADUCT_WALKS: how many; VIADUCT_SEED: the only one.
TEST(FailoverWalks, every_connection_keeps_its_way) {
  const char* walks = std::getenv("VIADUCT_WALKS");
  const char* only = std::getenv("VIADUCT_SEED");
  const uint64_t first = only == nullptr ? 1 : std::strtoull(only, nullptr, 10);
  const uint64_t count = only != nullptr ? 1 : walks == nullptr ? 20 : std::strtoull(walks, nullptr, 10);
  size_t connections = 0, silences = 0, aged = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Walk walk(seed);
    walk.run(200);
    connections += walk.connections();
    silences += walk.silences();
    aged += walk.aged();
    ASSERT_EQ(walk.problem(), "") << "VIADUCT_SEED=" << seed;
  }
  EXPECT_GT(connections, 20 * count);
  EXPECT_GT(aged, 5 * count);
  EXPECT_GT(silences, count);
}

}  // namespace
}  // namespace viaduct::scenario
