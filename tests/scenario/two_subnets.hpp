// The network that most scenarios play in, with the words to talk about it in either family.
//
//   vm1 ── p1 ─┐                                  ┌─ p3 ── vm3
//              green ── r1-green [r1] r1-blue ── blue
//   vm2 ── p2 ─┘            │                     └─ p4 ── vm4
//                           up1 ── gateway
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver.hpp"
#include "flows/packet/build.hpp"
#include "flows/packet/packet_builder.hpp"
#include "simulation_driver.hpp"

namespace viaduct::scenario {

using flows::DropReason;
using flows::PacketBuilder;
using flows::simulation::Outcome;
using flows::simulation::Stage;

struct Guest {
  std::string port;
  MacAddress mac;
  IpAddress ip;
};

// Every scenario runs with all ports on one host, and with ports spread over three.
struct Setting {
  IpFamily family;
  int hosts;
};

class TwoSubnets : public testing::TestWithParam<Setting> {
 protected:
  static constexpr const char* kGreenMac = "02:00:00:00:01:fe";
  static constexpr const char* kBlueMac = "02:00:00:00:02:fe";
  static constexpr const char* kUpMac = "02:00:00:00:09:01";

  TwoSubnets() : driver(network(), GetParam().hosts) {}
  ~TwoSubnets() override { EXPECT_THAT(driver.breaches(), testing::IsEmpty()); }

  static ScenarioNetwork network() {
    ScenarioNetwork net;
    net.bridge("green").guest_port("green", "p1").guest_port("green", "p2");
    net.bridge("blue").guest_port("blue", "p3").guest_port("blue", "p4");
    net.router("r1");
    net.link("green", "r1-green", kGreenMac, {"10.0.1.254/24", "fd00:1::254/64"});
    net.link("blue", "r1-blue", kBlueMac, {"10.0.2.254/24", "fd00:2::254/64"});
    net.uplink("r1", "up1", kUpMac, {"10.0.9.1/24", "fd00:9::1/64"});
    return net;
  }

  bool v4() const { return GetParam().family == IpFamily::v4; }
  bool one_host() const { return GetParam().hosts == 1; }
  // Where frames for p3 go, when they came in by p1.
  const char* output_to_p3() const { return one_host() ? "output(3)" : "tunnel(9000,4098/192.0.2.1->192.0.2.3)"; }
  const char* pick(const char* four, const char* six) const { return v4() ? four : six; }
  // Host `host` of subnet 1 (green), 2 (blue) or 9 (uplink).
  IpAddress address(int subnet, int host) const {
    return ip(v4() ? "10.0." + std::to_string(subnet) + "." + std::to_string(host)
                   : "fd00:" + std::to_string(subnet) + "::" + std::to_string(host));
  }
  std::string text(int subnet, int host) const { return address(subnet, host).to_string(); }
  Guest guest(int n) const {
    return {"p" + std::to_string(n), mac("02:00:00:00:00:0" + std::to_string(n)), address(n <= 2 ? 1 : 2, n)};
  }
  Guest gateway() const { return {"up1", mac("02:00:00:00:00:99"), address(9, 254)}; }

  // --- frames ------------------------------------------------------------------------------------
  PacketBuilder packet(const Guest& from, const char* to_mac, const IpAddress& to) const {
    PacketBuilder builder;
    builder.eth(from.mac, mac(to_mac)).ip(from.ip, to);
    return builder;
  }
  Frame udp(const Guest& from, const char* to_mac, const IpAddress& to, uint16_t port = 5000) const {
    return packet(from, to_mac, to).udp(port, 53).payload(20).build();
  }
  Frame ping(const Guest& from, const char* to_mac, const IpAddress& to) const {
    return packet(from, to_mac, to).icmp_echo_request(7, 1).payload(32).build();
  }
  Frame who_has(const Guest& asker, const IpAddress& target) const {
    return v4() ? flows::make_arp_request(asker.mac, asker.ip, target)
                : flows::make_neighbour_solicitation(asker.mac, asker.ip, target);
  }
  // "Is this address free?" (RFC 5227 2.1.1, RFC 4862 5.4)
  Frame probe(const MacAddress& who, const IpAddress& target) const {
    if (v4()) return flows::make_arp_request(who, IpAddress{}, target);
    const IpAddress group = target.solicited_node();
    return PacketBuilder{}
        .eth(who, group.multicast_mac())
        .ip(IpAddress::any(IpFamily::v6), group)
        .ttl(255)
        .icmp(135, 0, 0)
        .payload(target.bytes())
        .build();
  }
  Frame announcement(const Guest& guest) const {
    return v4() ? flows::make_gratuitous_arp(guest.mac, guest.ip)
                : flows::make_unsolicited_advertisement(guest.mac, guest.ip, flows::NodeKind::host);
  }
  // What a guest says when asked by `request`.
  static Frame answer(const Frame& request, const MacAddress& who) {
    Frame copy = request;
    const flows::Packet packet = flows::parse(copy, {});
    if (const auto arp = flows::parse_arp(packet)) return flows::make_arp_reply(*arp, who);
    const auto nd = flows::parse_neighbour_discovery(packet);
    return nd ? flows::make_neighbour_advertisement(*nd, packet.key.eth_src, who, flows::NodeKind::host) : Frame{};
  }
  std::string who_has_text(const IpAddress& target, const IpAddress& tell, const char* tell_mac) const {
    return v4() ? "arp request " + target.to_string() + " tell " + tell.to_string()
                : "ns who-has " + target.to_string() + " tell " + tell_mac;
  }
  std::string icmp_text(const char* four, const char* six, const IpAddress& from, const IpAddress& to) const {
    return std::string("icmp ") + pick(four, six) + " " + from.to_string() + " > " + to.to_string();
  }
  // `guest` makes itself known to its bridge.
  void announce(const Guest& guest) { driver.send(guest.port, announcement(guest)); }

  SimulationDriver driver;
};

inline std::string setting_name(const testing::TestParamInfo<Setting>& info) {
  return std::string(info.param.family == IpFamily::v4 ? "v4" : "v6") + (info.param.hosts == 1 ? "" : "_spread");
}
inline auto settings() {
  return testing::Values(Setting{IpFamily::v4, 1}, Setting{IpFamily::v6, 1}, Setting{IpFamily::v4, 3},
                         Setting{IpFamily::v6, 3});
}
inline auto spread_settings() { return testing::Values(Setting{IpFamily::v4, 3}, Setting{IpFamily::v6, 3}); }

}  // namespace viaduct::scenario
