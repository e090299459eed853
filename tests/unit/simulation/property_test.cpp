// Random networks, random packets, random changes: the laws of FlowOracle hold at every step, and an updated network is
// the one that compiling would give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "flows/packet/build.hpp"
#include "flows/packet/packet_builder.hpp"
#include "network_text.hpp"
#include "simulation_driver.hpp"

namespace viaduct::scenario {
namespace {

using flows::PacketBuilder;
using flows::simulation::Outcome;
using Admin = ScenarioNetwork::Admin;

class RandomWalk {
 public:
  explicit RandomWalk(uint64_t seed) : random_(seed), net_(network()), driver_(net_) {}

  void step() {
    const int dice = roll(100);
    if (dice < 60) {
      driver_.send(any_of(ports_), packet());
    } else if (dice < 75) {
      driver_.send(any_of(ports_), neighbour_talk());
    } else if (dice < 82) {
      change_state();
    } else {
      change_network();
      driver_.apply(net_);
    }
    expect_sound_verdict();
  }
  SimulationDriver& driver() { return driver_; }
  const ScenarioNetwork& net() const { return net_; }

 private:
  //   p1 p2 ── green ── r1 ── blue ── p3 p4     r1 ── r2 ── red ── p5
  //                     ├ up1                    r2 ── up2
  static ScenarioNetwork network() {
    ScenarioNetwork net;
    net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
    net.bridge("blue").guest_port("blue", "p3").guest_port("blue", "p4");
    net.bridge("red").guest_port("red", "p5");
    net.router("r1").link("green", "g1", "02:00:00:00:01:fe", {"10.0.1.254/24", "fd00:1::254/64"});
    net.link("blue", "b1", "02:00:00:00:02:fe", {"10.0.2.254/24", "fd00:2::254/64"});
    net.uplink("r1", "up1", "02:00:00:00:09:01", {"10.0.9.1/24", "fd00:9::1/64"});
    net.router("r2").link("red", "d2", "02:00:00:00:03:fe", {"10.0.3.254/24", "fd00:3::254/64"});
    net.uplink("r2", "up2", "02:00:00:00:08:01", {"10.0.8.1/24", "fd00:8::1/64"});
    net.link_routers({"r1", "x1", "02:00:00:00:12:01", {"10.12.0.1/30", "fd12::1/126"}},
                     {"r2", "x2", "02:00:00:00:12:02", {"10.12.0.2/30", "fd12::2/126"}});
    net.route("a", "r1", "10.0.3.0/24", "x1", "10.12.0.2").route("b", "r2", "10.0.0.0/16", "x2", "10.12.0.1");
    net.route("c", "r1", "fd00:3::/64", "x1", "fd12::2").route("d", "r2", "fd00::/16", "x2", "fd12::1");
    return net;
  }

  int roll(int sides) { return static_cast<int>(random_() % static_cast<uint64_t>(sides)); }
  template <class T>
  const T& any_of(const std::vector<T>& list) {
    return list[static_cast<size_t>(roll(static_cast<int>(list.size())))];
  }
  bool chance(int percent) { return roll(100) < percent; }

  IpAddress host(bool v4) {
    static const std::vector<std::pair<const char*, const char*>> hosts = {
        {"10.0.1.1", "fd00:1::1"},     {"10.0.1.2", "fd00:1::2"},     {"10.0.2.3", "fd00:2::3"},
        {"10.0.2.4", "fd00:2::4"},     {"10.0.3.5", "fd00:3::5"},     {"10.0.9.254", "fd00:9::254"},
        {"10.0.8.254", "fd00:8::254"}, {"10.0.1.254", "fd00:1::254"}, {"10.0.2.254", "fd00:2::254"},
        {"8.8.8.8", "2001:db8::8"},    {"10.66.0.1", "fd66::1"},      {"10.0.1.255", "ff02::1"},
        {"10.0.3.254", "fe80::5"},     {"127.0.0.1", "::1"}};
    const auto& pair = any_of(hosts);
    return ip(v4 ? pair.first : pair.second);
  }
  MacAddress guest_mac() { return MacAddress::from_uint64(0x0200'0000'0000 + 1 + static_cast<uint64_t>(roll(7))); }
  MacAddress destination_mac() {
    static const std::vector<std::string> special = {"02:00:00:00:01:fe", "02:00:00:00:02:fe", "02:00:00:00:03:fe",
                                                     "02:00:00:00:09:01", "02:00:00:00:08:01", "ff:ff:ff:ff:ff:ff",
                                                     "33:33:00:00:00:01", "02:00:00:00:00:77"};
    return chance(70) ? mac(any_of(special)) : guest_mac();
  }

  Frame packet() {
    const bool v4 = chance(50);
    PacketBuilder builder;
    builder.eth(chance(3) ? mac("03:00:00:00:00:01") : guest_mac(), destination_mac());
    if (chance(5)) builder.vlan(static_cast<uint16_t>(roll(2)), 0);
    if (chance(3)) return builder.ethertype(0x8847).payload(40).build();
    builder.ip(host(v4), host(v4)).ttl(static_cast<uint8_t>(any_of(std::vector<int>{1, 2, 3, 64, 64, 64, 64})));
    if (v4 && chance(20)) builder.dont_fragment();
    if (chance(8)) builder.fragment(chance(50) ? 0 : 64, true);
    switch (roll(5)) {
      case 0:
        builder.tcp(static_cast<uint16_t>(roll(4)), 80);
        break;
      case 1:
        builder.icmp_echo_request(1, 1);
        break;
      case 2:
        builder.icmp(v4 ? 3 : static_cast<uint8_t>(any_of(std::vector<int>{1, 130, 133, 137})), 0, 0);
        break;
      case 3:
        builder.protocol(47);
        break;
      default:
        builder.udp(static_cast<uint16_t>(roll(4)), 53);
    }
    return builder.payload(static_cast<size_t>(chance(10) ? 1400 : 40)).build();
  }

  Frame neighbour_talk() {
    const bool v4 = chance(50);
    const IpAddress own = host(v4), other = host(v4);
    const MacAddress who = guest_mac();
    if (v4) {
      if (chance(50)) return flows::make_gratuitous_arp(who, own);
      return flows::make_arp_request(who, own, other);
    }
    if (own.is_multicast() || own.is_loopback())
      return flows::make_unsolicited_advertisement(who, ip("fd00:1::1"), flows::NodeKind::host);
    if (chance(50)) return flows::make_unsolicited_advertisement(who, own, flows::NodeKind::host);
    return flows::make_neighbour_solicitation(who, own, other);
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
    if (chance(40) && !macs.empty()) return driver_.expire(any_of(macs));
    if (neighbours.empty()) return;
    const auto& key = any_of(neighbours);
    if (chance(40)) return driver_.expire(key);
    driver_.set_neighbour_state(key, chance(50) ? flows::NeighbourState::stale : flows::NeighbourState::failed);
  }

  void toggle(std::set<std::string>& things, const std::string& name, const std::function<void()>& make) {
    if (things.erase(name) != 0) {
      net_.remove(name);
    } else {
      make();
      things.insert(name);
    }
  }

  void change_network() {
    static const std::vector<std::string> switchable = {"p1",  "p3", "p5", "g1",  "b1",   "x1",       "x2",
                                                        "up1", "r1", "r2", "red", "blue", "green-g1", "blue-b1"};
    switch (roll(11)) {
      case 0:
      case 1:
        net_.set(any_of(switchable), chance(65) ? Admin::up : Admin::down);
        break;
      case 2: {
        const std::string& port = any_of(ports_);
        chance(65) ? net_.activate(port) : net_.deactivate(port);
        break;
      }
      case 3:
        toggle(extra_, "default", [&] { net_.route("default", "r1", "0.0.0.0/0", "up1", "10.0.9.254"); });
        break;
      case 4:
        toggle(extra_, "share", [&] { net_.route("share", "r1", "0.0.0.0/0", "x1", "10.12.0.2"); });
        break;
      case 5:
        toggle(extra_, "six", [&] { net_.route("six", "r1", "::/0", "up1", "fd00:9::254"); });
        break;
      case 6:
        toggle(extra_, "black", [&] {
          net_.special_route("black", "r1", chance(50) ? "10.66.0.0/16" : "10.0.2.0/24",
                             chance(50) ? topology::NextHop::blackhole : topology::NextHop::reject);
        });
        break;
      case 7:
        toggle(extra_, "green 02:00:00:00:00:02",
               [&] { net_.static_mac("green", "02:00:00:00:00:02", chance(50) ? "p1" : "p2"); });
        break;
      case 8:
        toggle(extra_, "blue 10.0.2.3", [&] { net_.static_neighbour("blue", "10.0.2.3", "02:00:00:00:00:05"); });
        break;
      case 9:
        net_.set_mtu(chance(50) ? "b1" : "x1", chance(50) ? 0 : 1300);
        break;
      default:
        change_router_port();
    }
  }

  void change_router_port() {
    const std::string name = chance(50) ? "b1" : "x2";
    topology::Port port = *net_.snapshot().find(net_.port(name));
    if (chance(50)) {
      port.mac = MacAddress::from_uint64(port.mac.as_uint64() ^ 0x100);
    } else if (port.addresses.size() > 2) {
      port.addresses.pop_back();
    } else {
      port.addresses.push_back(prefix("10.66.0.1/24"));
    }
    net_.put(port);
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
  const std::vector<std::string> ports_ = {"p1", "p2", "p3", "p4", "p5", "up1", "up2"};
  std::set<std::string> extra_;
};

class Laws : public testing::TestWithParam<uint64_t> {};

TEST_P(Laws, hold_on_a_random_walk) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  RandomWalk walk(GetParam());
  for (int i = 0; i < 400; ++i) {
    walk.step();
    ASSERT_THAT(walk.driver().breaches(), testing::IsEmpty()) << "step " << i;
  }
  EXPECT_EQ(text_of(walk.driver().network()), text_of(walk.net().compile()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Laws, testing::Range<uint64_t>(1, 31));

}  // namespace
}  // namespace viaduct::scenario
