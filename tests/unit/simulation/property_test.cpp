// Random networks, random packets, random changes: the laws of FlowOracle hold at every step, and an updated network is
// the one that compiling would give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "flows/packet/build.hpp"
#include "flows/packet/packet_builder.hpp"
#include "network_text.hpp"
#include "random_changes.hpp"
#include "simulation_driver.hpp"

namespace viaduct::scenario {
namespace {

using flows::PacketBuilder;
using flows::simulation::Outcome;

class RandomWalk {
 public:
  explicit RandomWalk(uint64_t seed) : random_(seed), net_(network(seed % 2 == 0 ? 1 : 3)), driver_(net_) {
    for (const Place& place : places_) {
      introduce(place, true);
      introduce(place, false);
    }
  }

  void step() {
    const int dice = roll(100);
    if (dice < 74) {
      send_packet();
    } else if (dice < 82) {
      neighbour_talk();
    } else if (dice < 86) {
      change_state();
    } else if (dice < 90 && net_.hosts().count() > 1) {
      send_by_tunnel();
    } else {
      changes_.change();
      driver_.apply(net_);
    }
    expect_sound_verdict();
  }
  SimulationDriver& driver() { return driver_; }
  const ScenarioNetwork& net() const { return net_; }

 private:
  //   p1 p2 ── green ── r1 ── blue ── p3 p4
  //                  up1 ┘│     └ r2             of r1's two equal defaults one is through r2,
  //                       └───── r2 ── red ── p5 and 10.0.8.0/24 is behind r2 on the blue bridge
  //                               └ up2
  static ScenarioNetwork network(int hosts) {
    ScenarioNetwork net;
    net.spread(hosts);
    net.change_hosts().mtu = 1300;  // bytes that a tunnel takes; some packets have more
    net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
    net.bridge("blue").guest_port("blue", "p3").guest_port("blue", "p4");
    net.bridge("red").guest_port("red", "p5");
    net.router("r1").link("green", "g1", "02:00:00:00:01:fe", {"10.0.1.254/24", "fd00:1::254/64"});
    net.link("blue", "b1", "02:00:00:00:02:fe", {"10.0.2.254/24", "fd00:2::254/64"});
    net.uplink("r1", "up1", "02:00:00:00:09:01", {"10.0.9.1/24", "fd00:9::1/64"});
    net.router("r2").link("red", "d2", "02:00:00:00:03:fe", {"10.0.3.254/24", "fd00:3::254/64"});
    net.uplink("r2", "up2", "02:00:00:00:08:01", {"10.0.8.1/24", "fd00:8::1/64"});
    net.link("blue", "b2", "02:00:00:00:02:fd", {"10.0.2.253/24", "fd00:2::253/64"});
    net.link_routers({"r1", "x1", "02:00:00:00:12:01", {"10.12.0.1/30", "fd12::1/126"}},
                     {"r2", "x2", "02:00:00:00:12:02", {"10.12.0.2/30", "fd12::2/126"}});
    net.route("a", "r1", "10.0.3.0/24", "x1", "10.12.0.2").route("b", "r2", "10.0.0.0/16", "x2", "10.12.0.1");
    net.route("e", "r1", "10.0.8.0/24", "b1", "10.0.2.253").route("f", "r1", "fd00:8::/64", "b1", "fd00:2::253");
    net.route("default", "r1", "0.0.0.0/0", "up1", "10.0.9.254").route("share", "r1", "0.0.0.0/0", "x1", "10.12.0.2");
    net.route("up", "r2", "8.0.0.0/8", "up2", "10.0.8.254");
    net.chain("c1").chain("c2").chain("c3");
    net.port_group("some", {"p1", "up1"}).ip_group("few", {"10.0.1.1/32", "fd00:2::/64"});
    net.load_balancer("r1", "lb").pool("lb", "pool").vip("pool", "vip", "10.0.9.7", 80);
    net.member("pool", "m1", "10.0.1.1", 80).member("pool", "m2", "10.0.2.4", 81);
    net.route("c", "r1", "fd00:3::/64", "x1", "fd12::2").route("d", "r2", "fd00::/16", "x2", "fd12::1");
    return net;
  }

  int roll(int sides) { return static_cast<int>(random_() % static_cast<uint64_t>(sides)); }
  template <class T>
  const T& any_of(const std::vector<T>& list) {
    return list[static_cast<size_t>(roll(static_cast<int>(list.size())))];
  }
  bool chance(int percent) { return roll(100) < percent; }

  // --- packets --------------------------------------------------------------------------------------
  // Who is where, when nobody lies.
  struct Place {
    std::string port;
    MacAddress mac;
    IpAddress v4, v6;
    MacAddress router_mac;
    IpAddress router_v4, router_v6;
    const IpAddress& ip(bool four) const { return four ? v4 : v6; }
    const IpAddress& router(bool four) const { return four ? router_v4 : router_v6; }
  };
  static std::vector<Place> places() {
    const auto place = [](const char* port, int subnet, int host, const char* router, int router_host) {
      const auto four = [&](int h) { return ip("10.0." + std::to_string(subnet) + "." + std::to_string(h)); };
      const auto six = [&](int h) { return ip("fd00:" + std::to_string(subnet) + "::" + std::to_string(h)); };
      return Place{port,
                   MacAddress::from_uint64(0x0200'0000'0000 + static_cast<uint64_t>(host)),
                   four(host),
                   six(host),
                   mac(router),
                   four(router_host),
                   six(router_host)};
    };
    return {place("p1", 1, 1, "02:00:00:00:01:fe", 254), place("p2", 1, 2, "02:00:00:00:01:fe", 254),
            place("p3", 2, 3, "02:00:00:00:02:fe", 254), place("p4", 2, 4, "02:00:00:00:02:fe", 254),
            place("p5", 3, 5, "02:00:00:00:03:fe", 254), place("up1", 9, 254, "02:00:00:00:09:01", 1),
            place("up2", 8, 254, "02:00:00:00:08:01", 1)};
  }
  struct Recipe {
    std::string port;
    MacAddress src, dst;
    bool v4 = true;
    IpAddress from, to;
    int ttl = 64, tos = 0, kind = 0, source_port = 0, fragment = 0, vlan = -1;
    bool dont_fragment = false;
    size_t payload = 40;
    Frame build() const {
      PacketBuilder builder;
      builder.eth(src, dst);
      if (vlan >= 0) builder.vlan(static_cast<uint16_t>(vlan));
      if (kind == 7) return builder.ethertype(0x8847).payload(40).build();
      builder.ip(from, to).ttl(static_cast<uint8_t>(ttl)).tos(static_cast<uint8_t>(tos));
      if (v4 && dont_fragment) builder.dont_fragment();
      if (fragment != 0) builder.fragment(fragment == 1 ? 0 : 64, true);
      switch (kind) {
        case 0:
          builder.tcp(static_cast<uint16_t>(source_port), 80);
          break;
        case 1:
          builder.icmp_echo_request(1, 1);
          break;
        case 2:
          builder.icmp(v4 ? 3 : 1, 0, 0).payload(60);
          return builder.build();
        case 3:
          builder.icmp(v4 ? 13 : 130, 0, 0);
          break;
        case 4:
          builder.icmp(v4 ? 5 : 137, 0, 0);
          break;
        case 5:
          builder.protocol(47);
          break;
        default:
          builder.udp(static_cast<uint16_t>(source_port), 53);
      }
      return builder.payload(payload).build();
    }
  };

  IpAddress destination(bool v4) {
    static const std::vector<std::pair<const char*, const char*>> odd = {
        {"8.8.8.8", "2001:db8::8"}, {"8.8.8.8", "2001:db8::8"},    {"10.66.0.1", "fd66::1"},
        {"10.0.1.255", "ff02::1"},  {"10.0.2.254", "fd00:2::254"}, {"10.0.3.255", "fe80::5"},
        {"127.0.0.1", "::1"},       {"10.0.9.7", "fd00:9::1"},     {"203.0.113.5", "fd00:9::1"}};
    if (chance(60)) return any_of(places_).ip(v4);
    if (chance(40)) return any_of(places_).router(v4);
    const auto& pair = any_of(odd);
    return ip(v4 ? pair.first : pair.second);
  }
  MacAddress any_mac() {
    static const std::vector<std::string> odd = {"ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "02:00:00:00:00:77"};
    if (chance(40)) return any_of(places_).mac;
    return chance(60) ? any_of(places_).router_mac : mac(any_of(odd));
  }
  Recipe fresh() {
    const Place& place = any_of(places_);
    Recipe recipe;
    recipe.port = chance(95) ? place.port : any_of(places_).port;
    recipe.v4 = chance(50);
    recipe.src = chance(96) ? place.mac : any_mac();
    recipe.dst = chance(80) ? place.router_mac : any_mac();
    recipe.from = chance(92) ? place.ip(recipe.v4) : destination(recipe.v4);
    recipe.to = destination(recipe.v4);
    recipe.kind = chance(50) ? 6 : roll(8);
    return recipe;
  }
  // The same but for one thing: what masks must tell apart.
  void vary(Recipe& recipe) {
    switch (roll(11)) {
      case 10:
        recipe.tos = roll(4) * 0x29;
        break;
      case 0:
        recipe.ttl = any_of(std::vector<int>{1, 2, 3, 4, 64});
        break;
      case 1:
        recipe.kind = roll(8);
        break;
      case 2:
        recipe.source_port = roll(40);
        break;
      case 3:
        recipe.fragment = roll(3);
        break;
      case 4:
        recipe.dont_fragment = !recipe.dont_fragment;
        break;
      case 5:
        recipe.payload = chance(50) ? 40 : 1400;
        break;
      case 6:
        recipe.from = chance(50) ? any_of(places_).ip(recipe.v4) : destination(recipe.v4);
        break;
      case 7:
        recipe.to = destination(recipe.v4);
        break;
      case 8:
        recipe.vlan = roll(3) - 1;
        break;
      default:
        recipe.dst = any_mac();
    }
  }
  void send_packet() {
    Recipe recipe = recipes_.empty() || chance(30) ? fresh() : any_of(recipes_);
    if (chance(50)) vary(recipe);
    driver_.send(recipe.port, recipe.build());
    if (recipes_.size() < 40) {
      recipes_.push_back(recipe);
    } else {
      recipes_[static_cast<size_t>(roll(40))] = recipe;
    }
  }

  // From another host or a stranger, by a key that is known or not.
  void send_by_tunnel() {
    const int at = roll(net_.hosts().count());
    std::vector<uint32_t> keys{7};
    net_.locations(at).keys.for_each([&](uint32_t key, const auto&) { keys.push_back(key); });
    std::sort(keys.begin(), keys.end());
    const flows::Tunnel tunnel{any_of(keys), net_.hosts().address(roll(4)), net_.hosts().address(at)};
    driver_.send_by_tunnel(at, tunnel, fresh().build());
  }

  // --- ARP and neighbour discovery --------------------------------------------------------------------
  void introduce(const Place& place, bool v4) {
    driver_.send(place.port, v4 ? flows::make_arp_request(place.mac, place.v4, place.router_v4)
                                : flows::make_neighbour_solicitation(place.mac, place.v6, place.router_v6));
  }
  void neighbour_talk() {
    const bool v4 = chance(50);
    const Place& place = any_of(places_);
    if (chance(50)) return introduce(place, v4);
    const MacAddress who = chance(60) ? place.mac : any_of(places_).mac;
    const std::string& port = chance(80) ? place.port : any_of(places_).port;
    driver_.send(port, v4 ? flows::make_gratuitous_arp(who, place.v4)
                          : flows::make_unsolicited_advertisement(who, place.v6, flows::NodeKind::host));
  }

  void change_state() {
    std::vector<flows::NeighbourKey> neighbours;
    std::vector<flows::MacKey> macs;
    driver_.neighbours().for_each([&](const auto& key, const auto&) { neighbours.push_back(key); });
    driver_.macs().for_each([&](const auto& key, const auto&) { macs.push_back(key); });
    std::sort(macs.begin(), macs.end(), [](const auto& a, const auto& b) { return a.mac < b.mac; });
    std::sort(neighbours.begin(), neighbours.end(), [](const auto& a, const auto& b) {
      return std::tie(a.device, a.port, a.address) < std::tie(b.device, b.port, b.address);
    });
    std::vector<flows::ConnectionKey> connections;
    driver_.connections().for_each([&](const auto& key, const auto&) { connections.push_back(key); });
    std::sort(connections.begin(), connections.end(),
              [](const auto& a, const auto& b) { return a.to_string() < b.to_string(); });
    if (chance(30) && !connections.empty()) {
      const auto key = any_of(connections);
      const auto entry = driver_.connections().find(key);
      if (const auto partner = flows::partner_of(key, *entry)) driver_.close(*partner);
      return driver_.close(key);
    }
    if (chance(40) && !macs.empty()) return driver_.expire(any_of(macs));
    if (neighbours.empty()) return;
    const auto& key = any_of(neighbours);
    if (chance(40)) return driver_.expire(key);
    driver_.set_neighbour_state(key, chance(50) ? flows::NeighbourState::stale : flows::NeighbourState::failed);
  }

  void expect_sound_verdict() {
    const auto& verdict = driver_.verdict();
    EXPECT_TRUE(!verdict.cacheable || verdict.emits.empty());
    EXPECT_EQ(verdict.outcome == Outcome::forward, !verdict.actions.empty());
    EXPECT_TRUE(verdict.outcome != Outcome::drop || verdict.drop_reason != flows::DropReason::none ||
                driver_.trace().steps.empty());
  }

  std::mt19937_64 random_;
  ScenarioNetwork net_;
  SimulationDriver driver_;
  const std::vector<Place> places_ = places();
  std::vector<Recipe> recipes_;
  RandomChanges changes_{random_, net_, {"p1", "p2", "p3", "p4", "p5", "up1", "up2"}};
};

class Laws : public testing::TestWithParam<uint64_t> {};

TEST_P(Laws, hold_on_a_random_walk) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  RandomWalk walk(GetParam());
  for (int i = 0; i < 400; ++i) {
    walk.step();
    ASSERT_THAT(walk.driver().breaches(), testing::IsEmpty()) << "step " << i;
  }
  for (int host = 0; host < walk.net().hosts().count(); ++host) {
    EXPECT_EQ(text_of(walk.driver().host(host).network), text_of(walk.net().compile(host)));
  }
}

// VIADUCT_WALKS: how many; for long runs by hand.
uint64_t walks() {
  const char* wanted = std::getenv("VIADUCT_WALKS");
  return wanted == nullptr ? 40 : std::strtoull(wanted, nullptr, 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Laws, testing::Range<uint64_t>(1, 1 + walks()));

}  // namespace
}  // namespace viaduct::scenario
