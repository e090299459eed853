// What breaks the rules for BGP, and what must not.
#include <gtest/gtest.h>

#include "tests/unit/topology/broken_rules.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

// router20 is AS 65000, has peer 91 (10.0.0.9, on port 21), and announces 10.0.0.0/8 (network 95).
std::vector<Operation> speaking() {
  return {Update{bgp_router(20)}, Create{bgp_peer(91, 20, "10.0.0.9")}, Create{bgp_network(95, 20, "10.0.0.0/8")}};
}
Case bad_bgp(BrokenRule rule, std::string name, Operation operation) {
  return {rule, std::move(name), {std::move(operation)}, speaking()};
}
// A second peer, at 10.0.0.8.
Case bad_peer(BrokenRule rule, std::string name, const std::function<void(BgpPeer&)>& change) {
  return bad_bgp(rule, "a peer: " + std::move(name), Create{with(bgp_peer(92, 20, "10.0.0.8"), change)});
}
Case bad_filter(BrokenRule rule, std::string name, PrefixRule filter) {
  return bad_peer(rule, std::move(name), [&](BgpPeer& p) { p.import_filter = {filter}; });
}
BgpPeer far(BgpPeer peer, uint8_t ttl = 2) {
  peer.multihop = ttl;
  return peer;
}

std::vector<Case> as_number_cases() {
  std::vector<Case> all = {
      {BrokenRule::as_number_missing, "of a peer's router", {Create{bgp_peer(91, 20, "10.0.0.9")}}},
      {BrokenRule::as_number_missing, "of a network's router", {Create{bgp_network(95, 20, "10.0.0.0/8")}}},
      {BrokenRule::as_number_missing,
       "once the router has none",
       {Update{router(20)}},
       {Update{bgp_router(20)}, Create{bgp_peer(91, 20, "10.0.0.9")}}},
      {BrokenRule::as_number_missing,
       "once the router of a network has none",
       {Update{router(20)}},
       {Update{bgp_router(20)}, Create{bgp_network(95, 20, "10.0.0.0/8")}}},
      bad_peer(BrokenRule::as_number_not_allowed, "AS 0", [](BgpPeer& p) { p.as_number = 0; }),
  };
  for (const uint32_t reserved : {23'456u, 4'294'967'295u}) {
    all.push_back({BrokenRule::as_number_not_allowed, "of a router", {Update{bgp_router(20, reserved)}}});
    all.push_back(bad_peer(BrokenRule::as_number_not_allowed, "reserved", [&](BgpPeer& p) { p.as_number = reserved; }));
  }
  return all;
}

std::vector<Case> peer_place_cases() {
  const auto at = [](std::string_view address) { return [=](BgpPeer& p) { p.address = ip(address); }; };
  const auto routed_at = [](std::string_view address) {
    return [=](BgpPeer& p) { p.address = ip(address), p.multihop = 255; };
  };
  Port linked = router_port(21, 20, "10.0.0.1/24");
  linked.peer = id<PortId>(11);
  return {
      bad_peer(BrokenRule::address_not_allowed, "multicast", at("224.0.0.5")),
      bad_peer(BrokenRule::address_not_allowed, "loopback, far away", routed_at("127.0.0.1")),
      bad_peer(BrokenRule::address_not_allowed, "IPv6 link-local", at("fe80::1")),
      bad_peer(BrokenRule::address_not_allowed, "IPv6 link-local, far away", routed_at("fe80::1")),
      bad_peer(BrokenRule::address_not_allowed, "the port's own", at("10.0.0.1")),
      bad_peer(BrokenRule::address_not_allowed, "the port's own, far away", routed_at("10.0.0.1")),
      bad_peer(BrokenRule::address_in_use, "twice", at("10.0.0.9")),
      bad_peer(BrokenRule::address_in_use, "twice, once far away", routed_at("10.0.0.9")),
      bad_peer(BrokenRule::prefix_does_not_hold_address, "on no link", at("10.1.0.9")),
      bad_peer(BrokenRule::prefix_does_not_hold_address, "another router's link", at("10.0.3.9")),
      bad_peer(BrokenRule::prefix_does_not_hold_address, "the network address", at("10.0.0.0")),
      bad_peer(BrokenRule::prefix_does_not_hold_address, "the broadcast address", at("10.0.0.255")),
      bad_bgp(BrokenRule::prefix_does_not_hold_address, "the port goes", Erase{ref_of(router_port(21, 20))}),
      bad_bgp(BrokenRule::prefix_does_not_hold_address, "its address goes", Update{router_port(21, 20, "10.0.1.1/24")}),
      bad_bgp(BrokenRule::prefix_does_not_hold_address, "its subnet shrinks",
              Update{router_port(21, 20, "10.0.0.1/29")}),
      bad_bgp(BrokenRule::prefix_does_not_hold_address, "its port is linked", Update{linked}),
      bad_bgp(BrokenRule::address_not_allowed, "a port gets its address", Update{router_port(21, 20, "10.0.0.9/24")}),
      {BrokenRule::address_not_allowed,
       "a port gets the address of one far away",
       {Update{router_port(22, 20, "192.0.2.9/24")}},
       {Update{bgp_router(20)}, Create{far(bgp_peer(91, 20, "192.0.2.9"))}}},
      {BrokenRule::prefix_does_not_hold_address,
       "no longer far away",
       {Update{bgp_peer(91, 20, "192.0.2.9")}},
       {Update{bgp_router(20)}, Create{far(bgp_peer(91, 20, "192.0.2.9"))}}},
  };
}

std::vector<Case> peer_cases() {
  using P = BgpPeer;
  return {
      {BrokenRule::unknown_parent, "a peer's router", {Create{bgp_peer(91, 99, "10.0.0.9")}}},
      {BrokenRule::immutable_field,
       "a peer's router",
       {Update{bgp_peer(91, 30, "10.0.3.9")}},
       {Update{bgp_router(20)}, Update{bgp_router(30)}, Create{bgp_peer(91, 20, "10.0.0.9")}}},
      bad_peer(BrokenRule::name_invalid, "a name", [](P& p) { p.name = "\x07"; }),
      bad_peer(BrokenRule::timing_out_of_range, "no keepalives", [](P& p) { p.keep_alive = 0; }),
      bad_peer(BrokenRule::timing_out_of_range, "rare keepalives",
               [](P& p) { p.keep_alive = 3601, p.hold_time = 7200; }),
      bad_peer(BrokenRule::timing_out_of_range, "late keepalives", [](P& p) { p.keep_alive = p.hold_time = 60; }),
      bad_peer(BrokenRule::timing_out_of_range, "no hold time", [](P& p) { p.keep_alive = 1, p.hold_time = 2; }),
      bad_peer(BrokenRule::timing_out_of_range, "a long hold time", [](P& p) { p.hold_time = 7201; }),
      bad_peer(BrokenRule::timing_out_of_range, "no pause", [](P& p) { p.connect_retry = 0; }),
      bad_peer(BrokenRule::timing_out_of_range, "a long pause", [](P& p) { p.connect_retry = 3601; }),
      bad_peer(BrokenRule::password_invalid, "too long", [](P& p) { p.password.assign(81, 'x'); }),
      bad_peer(BrokenRule::password_invalid, "a space", [](P& p) { p.password = "a b"; }),
      bad_peer(BrokenRule::password_invalid, "a quote", [](P& p) { p.password = "a\"b"; }),
      bad_peer(BrokenRule::password_invalid, "an apostrophe", [](P& p) { p.password = "a'b"; }),
      bad_peer(BrokenRule::password_invalid, "a new line", [](P& p) { p.password = "a\nb"; }),
      bad_peer(BrokenRule::password_invalid, "not ASCII", [](P& p) { p.password = "\xc3\xa4"; }),
      bad_peer(BrokenRule::too_many_entries, "257 rules",
               [](P& p) {
                 p.export_filter.assign(257, {prefix("10.0.0.0/8"), 8, 8, true});
               }),
      bad_peer(BrokenRule::range_out_of_bounds, "on the way out",
               [](P& p) {
                 p.export_filter = {{prefix("10.0.0.0/8"), 8, 33, true}};
               }),
      bad_filter(BrokenRule::range_empty, "lengths", {prefix("10.0.0.0/8"), 24, 16, true}),
      bad_filter(BrokenRule::range_out_of_bounds, "shorter", {prefix("10.0.0.0/8"), 7, 24, true}),
      bad_filter(BrokenRule::range_out_of_bounds, "IPv4", {prefix("10.0.0.0/8"), 8, 33, false}),
      bad_filter(BrokenRule::range_out_of_bounds, "IPv6", {prefix("fd00::/8"), 8, 129, false}),
      bad_filter(BrokenRule::prefix_has_host_bits, "of a filter", {prefix("10.0.0.1/8"), 8, 8, true}),
  };
}

std::vector<Case> network_cases() {
  const auto bad_network = [](BrokenRule rule, std::string_view text) {
    return bad_bgp(rule, "a network: " + std::string(text), Create{bgp_network(96, 20, text)});
  };
  std::vector<Case> all = {
      {BrokenRule::unknown_parent, "a network's router", {Create{bgp_network(95, 99, "10.0.0.0/8")}}},
      {BrokenRule::immutable_field,
       "a network's router",
       {Update{bgp_network(95, 30, "10.0.0.0/8")}},
       {Update{bgp_router(20)}, Update{bgp_router(30)}, Create{bgp_network(95, 20, "10.0.0.0/8")}}},
      bad_network(BrokenRule::network_in_use, "10.0.0.0/8"),
      bad_network(BrokenRule::prefix_has_host_bits, "10.0.0.1/8"),
  };
  for (const char* text : {"127.0.0.0/8", "127.0.0.1/32", "169.254.0.0/16", "224.0.0.0/4", "239.1.0.0/16", "::1/128",
                           "fe80::/64", "ff00::/8", "0.0.0.0/32", "255.255.255.255/32"}) {
    all.push_back(bad_network(BrokenRule::address_not_allowed, text));
  }
  return all;
}

TEST(RulesOfBgp, LegalThings) {
  BgpPeer full = bgp_peer(92, 20, "10.0.0.8", 4'294'967'294);
  full.keep_alive = 1, full.hold_time = 3, full.connect_retry = 3600, full.prefix_limit = 0;
  full.password.assign(80, '~');
  full.import_filter.assign(256, {prefix("10.0.0.0/8"), 8, 32, true});
  full.export_filter = {{prefix("::/0"), 0, 128, false}, {prefix("192.0.2.7/32"), 32, 32, true}};
  const std::vector<std::vector<Operation>> legal = {
      {Create{full}},
      {Create{bgp_peer(92, 20, "10.0.0.8", 65'000)}},  // iBGP
      {Create{far(bgp_peer(92, 20, "2001:db8::9", 65'000), 255)}},
      // With its link in the same transaction; of both families.
      {Create{bgp_peer(92, 20, "fd00::9")}, Update{router_port(22, 20, "fd00::1/64")}},
      {Create{bgp_peer(92, 20, "192.0.2.1")}, Update{router_port(22, 20, "192.0.2.0/31")}},
      // The same of another router.
      {Update{bgp_router(30)}, Create{far(bgp_peer(92, 30, "10.0.0.9"))}, Create{bgp_network(96, 30, "10.0.0.0/8")}},
      {Create{bgp_network(96, 20, "0.0.0.0/0")}, Create{bgp_network(97, 20, "::/0")},
       Create{bgp_network(98, 20, "10.0.0.0/9")}, Create{bgp_network(99, 20, "0.0.0.0/1")}},
      // The link moves, and the peer with it; the peer and its port go together.
      {Update{router_port(21, 20, "10.0.1.1/24")}, Update{bgp_peer(91, 20, "10.0.1.9")}},
      {Update{router_port(21, 20)}, Update{router_port(22, 20, "10.0.0.1/24")}},
      {Erase{ref_of(router_port(21, 20))}, Erase{ref_of(bgp_peer(91, 20, "10.0.0.9"))}},
      {Erase{ref_of(router_port(21, 20))}, Update{far(bgp_peer(91, 20, "10.0.0.9"))}},
      {Update{router(20)}, Erase{ref_of(bgp_peer(91, 20, "10.0.0.9"))}, Erase{ref_of(bgp_network(95, 20, "::/0"))}},
      {Update{bgp_router(20, 1)}},
      {Erase{ref_of(router(20))}},
  };
  const BuildResult start = build(base(), speaking(), 1);
  ASSERT_TRUE(start.ok()) << to_string(start.violations.front());
  for (const auto& operations : legal) {
    const auto result = build(start.next, operations, 2);
    EXPECT_TRUE(result.ok()) << to_string(result.violations.front());
  }
}

TEST(RulesOfBgp, ADeletedRouterTakesItsPeersAndNetworksAlong) {
  const BuildResult start = build(base(), speaking(), 1);
  const BuildResult result = build(start.next, {Erase{ref_of(router(20))}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(result.next.count(Kind::bgp_peer), 0u);
  EXPECT_EQ(result.next.count(Kind::bgp_network), 0u);
}

TEST(RulesOfBgp, APasswordIsNotQuoted) {
  const BgpPeer peer = with(bgp_peer(92, 20, "10.0.0.8"), [](BgpPeer& p) { p.password = "two words"; });
  const BuildResult start = build(base(), speaking(), 1);
  const BuildResult result = build(start.next, {Create{peer}}, 2);
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_EQ(to_string(result.violations[0]).find("two words"), std::string::npos) << to_string(result.violations[0]);
}

TEST(RulesOfBgp, APeerOnALinkedPortIsNamedWithThePort) {
  Port linked = router_port(22, 20, "192.0.2.1/24");
  linked.peer = id<PortId>(11);
  const BuildResult result =
      build(base(), {Update{bgp_router(20)}, Update{linked}, Create{bgp_peer(91, 20, "192.0.2.9")}}, 1);
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_NE(to_string(result.violations[0]).find("192.0.2.9 is in a subnet of port port22, which is linked"),
            std::string::npos)
      << to_string(result.violations[0]);
}

}  // namespace

std::vector<Case> testing::bgp_cases() {
  std::vector<Case> all;
  for (const auto& cases : {as_number_cases(), peer_place_cases(), peer_cases(), network_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

}  // namespace viaduct::topology
