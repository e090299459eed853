// One transaction for each rule: what breaks it, alone.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/topology/broken_rules.hpp"
#include "topology/builder.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

Port linked(Port port, uint64_t peer, uint16_t vlan = 0) {
  port.peer = id<PortId>(peer);
  port.vlan = vlan;
  return port;
}
Port bound(Port port, std::string interface, uint64_t on = 1) {
  port.host = id<HostId>(on);
  port.interface = std::move(interface);
  return port;
}
Port addressed(uint64_t number, uint64_t router, std::initializer_list<std::string_view> addresses) {
  Port port = router_port(number, router);
  for (std::string_view text : addresses) port.addresses.push_back(prefix(text));
  return port;
}
Route local_route(uint64_t number) {
  Route out = route(number, 20, "10.9.0.0/16", 0);
  out.next_hop = NextHop::blackhole;
  return out;
}

std::vector<Case> identity_cases() {
  return {
      {BrokenRule::duplicate_id, "the id of a port again", {Create{bridge_port(11, 10)}}},
      {BrokenRule::duplicate_id, "a router with a bridge's id", {Create{router(10)}}},
      {BrokenRule::duplicate_name, "two hosts", {Create{with(host(2), [](Host& h) { h.name = "host1"; })}}},
      {BrokenRule::unknown_object, "an update of nothing", {Update{bridge(99)}}},
      {BrokenRule::unknown_object, "a deletion of nothing", {Erase{{Kind::bridge, Uuid::from_words(0, 99)}}}},
      {BrokenRule::repeated_object, "updated and deleted", {Update{bridge(10)}, Erase{ref_of(bridge(10))}}},
      {BrokenRule::revision_conflict, "an old revision", {Update{with(bridge(10), [](Bridge& b) { b.revision = 3; })}}},
      {BrokenRule::immutable_field, "a port moves", {Update{bridge_port(11, 15)}}},
      {BrokenRule::immutable_field,
       "a route moves",
       {Update{with(local_route(1), [](Route& r) { r.router = id<RouterId>(30); })}},
       {Create{local_route(1)}}},
      {BrokenRule::still_referenced,
       "a host with ports",
       {Erase{ref_of(host(1))}},
       {Update{bound(bridge_port(11, 10), "eth0")}}},
      {BrokenRule::too_many_operations, "one too many", std::vector<Operation>(kMaxOperations + 1, Update{bridge(10)})},
  };
}

std::vector<Case> reference_cases() {
  return {
      {BrokenRule::unknown_parent, "a port", {Create{bridge_port(50, 99)}}},
      {BrokenRule::unknown_parent, "a route", {Create{with(local_route(1), [](Route& r) { r.router = {}; })}}},
      {BrokenRule::unknown_parent, "a neighbour", {Create{static_neighbour(1, 99, "10.0.0.9", "02:00:00:00:00:09")}}},
      {BrokenRule::unknown_reference, "a host", {Update{bound(bridge_port(11, 10), "eth0", 99)}}},
      {BrokenRule::unknown_reference, "a peer", {Update{linked(bridge_port(11, 10), 99)}}},
      {BrokenRule::unknown_reference, "a next hop", {Create{route(1, 20, "0.0.0.0/0", 99)}}},
      {BrokenRule::unknown_reference, "a static MAC's port", {Create{static_mac(1, 10, "02:00:00:00:00:09", 99)}}},
      {BrokenRule::no_device, "a port on nothing", {Create{with(bridge_port(50, 10), [](Port& p) { p.bridge = {}; })}}},
      {BrokenRule::two_devices,
       "a port on both",
       {Create{with(router_port(50, 20), [](Port& p) { p.bridge = id<BridgeId>(10); })}}},
      {BrokenRule::name_missing, "a host", {Create{with(host(2), [](Host& h) { h.name.clear(); })}}},
      {BrokenRule::name_invalid, "a control character", {Create{with(bridge(50), [](Bridge& b) { b.name = "a\tb"; })}}},
      {BrokenRule::name_invalid, "too long", {Create{with(bridge(50), [](Bridge& b) { b.name.assign(256, 'x'); })}}},
      {BrokenRule::name_invalid, "not UTF-8", {Create{with(bridge(50), [](Bridge& b) { b.tenant = "\xc3("; })}}},
      {BrokenRule::name_invalid, "overlong UTF-8", {Create{with(bridge(50), [](Bridge& b) { b.name = "\xc0\xaf"; })}}},
      {BrokenRule::name_invalid, "a surrogate", {Create{with(bridge(50), [](Bridge& b) { b.name = "\xed\xa0\x80"; })}}},
      {BrokenRule::interface_name_invalid, "16 bytes", {Update{bound(bridge_port(11, 10), "abcdefghijklmnop")}}},
      {BrokenRule::interface_name_invalid, "a slash", {Update{bound(bridge_port(11, 10), "a/b")}}},
      {BrokenRule::interface_name_invalid, "a dot", {Update{bound(bridge_port(11, 10), "..")}}},
  };
}

std::vector<Case> link_cases() {
  return {
      {BrokenRule::binding_incomplete, "no host", {Update{bound(bridge_port(11, 10), "eth0", 0)}}},
      {BrokenRule::binding_incomplete, "no interface", {Update{bound(bridge_port(11, 10), "")}}},
      {BrokenRule::interface_already_bound,
       "two ports",
       {Update{bound(bridge_port(16, 15), "eth0")}},
       {Update{bound(bridge_port(11, 10), "eth0")}}},
      {BrokenRule::port_already_bound,
       "a bound port gets a peer",
       {Update{linked(router_port(22, 20), 11)}},
       {Update{bound(bridge_port(11, 10), "eth0")}}},
      {BrokenRule::port_already_linked,
       "a linked port is bound",
       {Update{bound(linked(bridge_port(11, 10), 22), "eth0")}},
       {Update{linked(bridge_port(11, 10), 22)}}},
      {BrokenRule::port_already_linked,
       "a third port",
       {Update{linked(router_port(22, 20), 11)}},
       {Update{linked(bridge_port(11, 10), 32)}}},
      {BrokenRule::port_already_linked,
       "two want one",
       {Update{linked(router_port(22, 20), 11)}, Update{linked(router_port(32, 30), 11)}}},
      {BrokenRule::link_to_itself, "a port", {Update{linked(bridge_port(11, 10), 11)}}},
      {BrokenRule::link_to_itself, "a bridge", {Update{linked(bridge_port(11, 10), 12, 5)}}},
      {BrokenRule::link_not_allowed, "bridges without a VLAN", {Update{linked(bridge_port(11, 10), 16)}}},
      {BrokenRule::link_not_allowed,
       "bridges with two VLANs",
       {Update{linked(bridge_port(11, 10), 16, 5)}, Update{linked(bridge_port(16, 15), 11, 6)}}},
      {BrokenRule::link_not_allowed,
       "the VLAN is taken away",
       {Update{linked(bridge_port(11, 10), 16)}},
       {Update{linked(bridge_port(11, 10), 16, 5)}}},
      {BrokenRule::vlan_out_of_range, "4095", {Update{linked(bridge_port(11, 10), 22, 4095)}}},
      {BrokenRule::vlan_out_of_range,
       "of a static MAC",
       {Create{with(static_mac(1, 10, "02:00:00:00:00:09", 11), [](StaticMac& m) { m.vlan = 5000; })}}},
      {BrokenRule::vlan_conflict,
       "two ports of a bridge",
       {Update{linked(bridge_port(11, 10), 22, 5)}, Update{linked(bridge_port(12, 10), 32, 5)}}},
      {BrokenRule::vlan_not_allowed, "a router port", {Update{with(router_port(22, 20), [](Port& p) { p.vlan = 5; })}}},
      {BrokenRule::vlan_not_allowed,
       "a bound port",
       {Update{with(bound(bridge_port(11, 10), "eth0"), [](Port& p) { p.vlan = 5; })}}},
  };
}

std::vector<Case> address_cases() {
  const Port same_mac = with(router_port(32, 30), [](Port& p) { p.mac = router_port(22, 20).mac; });
  return {
      {BrokenRule::address_in_use, "twice on a router", {Update{addressed(22, 20, {"10.0.0.1/32"})}}},
      {BrokenRule::address_in_use, "twice on a port", {Update{addressed(22, 20, {"10.1.0.1/24", "10.1.0.1/16"})}}},
      {BrokenRule::address_in_use,
       "two routers on a bridge",
       {Update{linked(addressed(22, 20, {"10.7.0.1/24"}), 11)},
        Update{linked(addressed(32, 30, {"10.7.0.1/24"}), 12)}}},
      {BrokenRule::address_in_use,
       "two linked routers",
       {Update{linked(addressed(22, 20, {"fe80::1/64"}), 32)}, Update{addressed(32, 30, {"fe80::1/64"})}}},
      {BrokenRule::address_in_use,
       "a link makes it so",
       {Update{linked(bridge_port(12, 10), 32)}},
       {Update{linked(addressed(22, 20, {"10.7.0.1/24"}), 11)}, Update{addressed(32, 30, {"10.7.0.1/24"})}}},
      {BrokenRule::address_in_use,
       "two static neighbours",
       {Create{static_neighbour(1, 10, "fd00::9", "02:00:00:00:00:09")},
        Create{static_neighbour(2, 10, "fd00::9", "02:00:00:00:00:0a")}}},
      {BrokenRule::address_not_allowed, "multicast", {Update{addressed(22, 20, {"224.0.0.1/24"})}}},
      {BrokenRule::address_not_allowed, "loopback", {Update{addressed(22, 20, {"::1/128"})}}},
      {BrokenRule::address_not_allowed, "unspecified", {Update{addressed(22, 20, {"0.0.0.0/32"})}}},
      {BrokenRule::address_not_allowed, "this network", {Update{addressed(22, 20, {"0.1.2.3/8"})}}},
      {BrokenRule::address_not_allowed, "IPv4-mapped", {Update{addressed(22, 20, {"::ffff:10.0.0.9/120"})}}},
      {BrokenRule::address_not_allowed,
       "the port itself as gateway",
       {Create{route(1, 20, "0.0.0.0/0", 21, "10.0.0.1")}}},
      {BrokenRule::address_family_mismatch, "a gateway", {Create{route(1, 20, "::/0", 21, "10.0.0.9")}}},
      {BrokenRule::address_family_mismatch,
       "a source",
       {Create{with(local_route(1), [](Route& r) { r.source = prefix("fd00::/8"); })}}},
      {BrokenRule::prefix_has_host_bits,
       "a destination",
       {Create{with(local_route(1), [](Route& r) { r.destination = prefix("10.0.0.1/8"); })}}},
      {BrokenRule::prefix_has_host_bits,
       "a source",
       {Create{with(local_route(1), [](Route& r) { r.source = prefix("10.0.0.1/8"); })}}},
      {BrokenRule::prefix_does_not_hold_address,
       "a gateway elsewhere",
       {Create{route(1, 20, "0.0.0.0/0", 21, "10.5.0.9")}}},
      {BrokenRule::prefix_does_not_hold_address,
       "a gateway without subnets",
       {Create{route(1, 20, "0.0.0.0/0", 22, "10.5.0.9")}}},
      {BrokenRule::prefix_does_not_hold_address,
       "broadcast as gateway",
       {Create{route(1, 20, "0.0.0.0/0", 21, "10.0.0.255")}}},
      {BrokenRule::prefix_does_not_hold_address, "the network", {Update{addressed(22, 20, {"10.1.0.0/24"})}}},
      {BrokenRule::prefix_does_not_hold_address,
       "the broadcast address",
       {Update{addressed(22, 20, {"10.1.0.255/24"})}}},
      {BrokenRule::prefix_does_not_hold_address, "anycast", {Update{addressed(22, 20, {"2001:db8::/64"})}}},
      {BrokenRule::subnets_overlap, "around", {Update{addressed(22, 20, {"10.9.0.2/8"})}}},
      {BrokenRule::subnets_overlap, "inside", {Update{addressed(22, 20, {"10.0.0.130/25"})}}},
      {BrokenRule::too_many_addresses,
       "65",
       {Update{with(router_port(22, 20),
                    [](Port& p) {
                      for (uint32_t i = 0; i <= kMaxAddresses; ++i)
                        p.addresses.push_back({IpAddress::v4(0x0a010001 + i), 16});
                    })}}},
      {BrokenRule::address_on_bridge_port,
       "an address",
       {Update{with(bridge_port(11, 10), [](Port& p) { p.addresses = {prefix("10.1.0.1/24")}; })}}},
      {BrokenRule::mac_missing, "a router port", {Update{with(router_port(22, 20), [](Port& p) { p.mac = {}; })}}},
      {BrokenRule::mac_invalid,
       "a group address",
       {Update{with(router_port(22, 20), [](Port& p) { p.mac = mac("01:00:5e:00:00:01"); })}}},
      {BrokenRule::mac_invalid, "a static MAC", {Create{static_mac(1, 10, "ff:ff:ff:ff:ff:ff", 11)}}},
      {BrokenRule::mac_in_use,
       "two routers on a bridge",
       {Update{linked(router_port(22, 20), 11)}, Update{linked(same_mac, 12)}}},
      {BrokenRule::mac_in_use,
       "two static MACs",
       {Create{static_mac(1, 10, "02:00:00:00:00:09", 11)}, Create{static_mac(2, 10, "02:00:00:00:00:09", 12)}}},
      {BrokenRule::mac_on_bridge_port,
       "a MAC",
       {Update{with(bridge_port(11, 10), [](Port& p) { p.mac = mac("02:00:00:00:00:09"); })}}},
      {BrokenRule::mtu_out_of_range,
       "IPv4",
       {Update{with(addressed(22, 20, {"10.1.0.1/24"}), [](Port& p) { p.mtu = 67; })}}},
      {BrokenRule::mtu_out_of_range,
       "IPv6",
       {Update{with(addressed(22, 20, {"fd00::1/64"}), [](Port& p) { p.mtu = 1279; })}}},
      {BrokenRule::mtu_on_bridge_port, "an MTU", {Update{with(bridge_port(11, 10), [](Port& p) { p.mtu = 1500; })}}},
      {BrokenRule::next_hop_missing,
       "no port",
       {Create{with(local_route(1), [](Route& r) { r.next_hop = NextHop::port; })}}},
      {BrokenRule::next_hop_not_on_router,
       "another router's port",
       {Create{route(1, 20, "0.0.0.0/0", 31, "10.0.3.9")}}},
      {BrokenRule::next_hop_not_on_router, "a bridge's port", {Create{route(1, 20, "0.0.0.0/0", 11)}}},
      {BrokenRule::next_hop_not_allowed,
       "a blackhole's port",
       {Create{with(local_route(1), [](Route& r) { r.next_hop_port = id<PortId>(21); })}}},
      {BrokenRule::next_hop_not_allowed,
       "a blackhole's gateway",
       {Create{with(local_route(1), [](Route& r) { r.gateway = ip("10.0.0.9"); })}}},
      {BrokenRule::port_not_on_bridge, "another bridge's port", {Create{static_mac(1, 10, "02:00:00:00:00:09", 16)}}},
  };
}

// zone70 (vxlan): host1 with 192.0.2.1. Over base().
std::vector<Operation> zone_with_a_host() {
  return {Create{tunnel_zone(70)}, Create{tunnel_zone_host(71, 70, 1, "192.0.2.1")}};
}
Case joins(BrokenRule rule, std::string name, uint64_t host_number, std::string_view address) {
  return {rule,
          std::move(name),
          {Create{host(2)}, Create{tunnel_zone_host(72, 70, host_number, address)}},
          zone_with_a_host()};
}

std::vector<Case> tunnel_cases() {
  const TunnelZone other_name = with(tunnel_zone(80), [](TunnelZone& z) { z.name = "zone70"; });
  const TunnelZone gre = with(tunnel_zone(70), [](TunnelZone& z) { z.type = TunnelType::gre; });
  return {
      {BrokenRule::duplicate_name, "two zones", {Create{tunnel_zone(70)}, Create{other_name}}},
      {BrokenRule::name_missing, "a zone", {Create{with(tunnel_zone(70), [](TunnelZone& z) { z.name.clear(); })}}},
      {BrokenRule::name_invalid, "a zone", {Create{with(tunnel_zone(70), [](TunnelZone& z) { z.name = "a\nb"; })}}},
      {BrokenRule::unknown_parent, "a zone", {Create{tunnel_zone_host(71, 99, 1, "192.0.2.1")}}},
      {BrokenRule::unknown_reference,
       "a zone's host",
       {Create{tunnel_zone(70)}, Create{tunnel_zone_host(71, 70, 99, "192.0.2.1")}}},
      {BrokenRule::immutable_field,
       "a member moves",
       {Create{tunnel_zone(80)}, Update{tunnel_zone_host(71, 80, 1, "192.0.2.1")}},
       zone_with_a_host()},
      {BrokenRule::immutable_field,
       "a member's host",
       {Create{host(2)}, Update{tunnel_zone_host(71, 70, 2, "192.0.2.1")}},
       zone_with_a_host()},
      {BrokenRule::tunnel_type_in_use, "with a host", {Update{gre}}, zone_with_a_host()},
      joins(BrokenRule::host_already_in_zone, "twice", 1, "192.0.2.9"),
      joins(BrokenRule::address_in_use, "two hosts of a zone", 2, "192.0.2.1"),
      joins(BrokenRule::address_family_mismatch, "IPv6 among IPv4", 2, "2001:db8::1"),
      joins(BrokenRule::address_not_allowed, "of a tunnel: multicast", 2, "224.0.0.5"),
      joins(BrokenRule::address_not_allowed, "of a tunnel: loopback", 2, "127.0.0.1"),
      joins(BrokenRule::address_not_allowed, "of a tunnel: unspecified", 2, "0.0.0.0"),
      joins(BrokenRule::address_not_allowed, "of a tunnel: IPv4 link-local", 2, "169.254.1.1"),
      {BrokenRule::address_not_allowed,
       "of a tunnel: IPv6 link-local",
       {Create{tunnel_zone(70)}, Create{tunnel_zone_host(71, 70, 1, "fe80::1")}}},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& cases : {identity_cases(), reference_cases(), link_cases(), address_cases(), tunnel_cases(),
                            chain_cases(), nat_cases(), group_cases(), balancer_cases(), bgp_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

class RuleTest : public ::testing::TestWithParam<Case> {};

TEST_P(RuleTest, IsBrokenAndNamed) {
  const Case& broken = GetParam();
  const BuildResult start = build(base(), broken.before, 1);
  ASSERT_TRUE(start.ok()) << to_string(start.violations.front());
  const BuildResult result = build(start.next, broken.operations, 2);
  ASSERT_FALSE(result.ok());
  for (const Violation& violation : result.violations) {
    EXPECT_EQ(violation.rule, broken.rule) << to_string(violation);
    EXPECT_FALSE(violation.message.empty());
    EXPECT_FALSE(violation.cure.empty());
  }
  EXPECT_EQ(result.next.revision(), start.next.revision());
}

INSTANTIATE_TEST_SUITE_P(EachRule, RuleTest, ::testing::ValuesIn(all_cases()));

TEST(Rules, EachHasACase) {
  std::set<BrokenRule> covered;
  for (const Case& one : all_cases()) covered.insert(one.rule);
  for (int rule = 0; rule < static_cast<int>(BrokenRule::count_); ++rule) {
    EXPECT_TRUE(covered.contains(static_cast<BrokenRule>(rule))) << to_string(static_cast<BrokenRule>(rule));
  }
}

// What the rules must not forbid.
TEST(Rules, LegalThings) {
  const std::vector<std::vector<Operation>> legal = {
      {Update{addressed(22, 20, {"10.1.0.1/24", "10.1.0.2/24", "fd00::1/64", "fe80::1/64"})}},
      {Update{addressed(21, 20, {"fe80::1/64"})}, Update{addressed(22, 20, {"fe80::1/64"})}},
      {Update{addressed(22, 20, {"10.1.0.0/31", "192.0.2.7/32", "fd00::/127", "10.0.0.77/32"})}},
      {Update{linked(bridge_port(11, 10), 16, 5)}},
      {Update{linked(router_port(22, 20), 32)}},
      {Update{linked(router_port(22, 20), 11)}, Update{linked(bridge_port(12, 10), 32, 7)}},
      {Update{bound(bridge_port(11, 10), "eth0")}, Update{bound(router_port(22, 20), "a.b-c_d@1")}},
      {Create{route(1, 20, "0.0.0.0/0", 21, "10.0.0.254")}, Create{route(2, 20, "0.0.0.0/0", 21)}},
      {Create{route(1, 20, "::/0", 21, "fe80::9")}, Create{local_route(2)}},
      {Create{with(bridge(50), [](Bridge& b) { b.name = "prüf — 青 \xf0\x9f\x8c\x89"; })}},
      {Create{with(bridge(50), [](Bridge& b) { b.name = "bridge10"; })}},
      // Two uplinks in one subnet, and a third address of one of them there.
      {Update{addressed(22, 20, {"10.0.0.2/24", "10.0.0.3/24"})}},
      {Update{with(addressed(22, 20, {"10.1.0.1/24"}), [](Port& p) { p.mtu = 68; })}},
      // One host in two zones, with one address; two zones of one type.
      {Create{tunnel_zone(70)}, Create{tunnel_zone(80)}, Create{tunnel_zone_host(71, 70, 1, "192.0.2.1")},
       Create{tunnel_zone_host(81, 80, 1, "192.0.2.1")}},
  };
  for (const auto& operations : legal) {
    const auto result = build(base(), operations, 2);
    EXPECT_TRUE(result.ok()) << to_string(result.violations.front());
  }
}

// Who reads a message may not be somebody who may see all of it.
TEST(Rules, AMessageSaysWhichOthersItNames) {
  const auto named = [](const BuildResult& result) {
    EXPECT_EQ(result.violations.size(), 1u);
    return result.violations.front().mentions;
  };
  const Mention port21{ref_of(router_port(21, 20)), "port port21"};
  const auto taken = build(base(), {Update{addressed(22, 20, {"10.0.0.1/32"})}}, 2);
  EXPECT_EQ(named(taken), std::vector{port21});
  EXPECT_NE(taken.violations.front().message.find(port21.label), std::string::npos);
  const auto overlap = build(base(), {Update{addressed(22, 20, {"10.0.0.130/25"})}}, 2);
  EXPECT_EQ(named(overlap), std::vector{port21});
  const auto alone = build(base(), {Update{addressed(22, 20, {"224.0.0.1/24"})}}, 2);
  EXPECT_EQ(named(alone), std::vector<Mention>{});
}

}  // namespace
}  // namespace viaduct::topology
