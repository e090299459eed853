// What breaks the rules for groups and load balancers, and what must not.
#include <gtest/gtest.h>

#include "tests/unit/topology/broken_rules.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

Router balanced(uint64_t number, uint64_t balancer) {
  return with(router(number), [&](Router& r) { r.load_balancer = id<LoadBalancerId>(balancer); });
}

// router20 has balancer 93; pools 94 (member 96 and VIP 97) and 95 of it.
std::vector<Operation> balancer() {
  return {Create{load_balancer(93)},
          Update{balanced(20, 93)},
          Create{pool(94, 93)},
          Create{pool(95, 93)},
          Create{pool_member(96, 94, "10.0.0.96", 8080)},
          Create{vip(97, 94, "10.0.0.97", 80)}};
}
Case bad(BrokenRule rule, std::string name, Operation operation) {
  return {rule, std::move(name), {std::move(operation)}, balancer()};
}
Case bad_monitor(BrokenRule rule, std::string name, void (*change)(HealthMonitor&)) {
  return {rule, std::move(name), {Create{with(health_monitor(98), change)}}};
}

std::vector<Case> endpoint_cases() {
  return {
      bad(BrokenRule::unknown_parent, "a member's pool", Create{pool_member(98, 99, "10.0.0.98", 80)}),
      bad(BrokenRule::unknown_parent, "a VIP's pool", Create{vip(98, 99, "10.0.0.98", 80)}),
      bad(BrokenRule::address_not_allowed, "a member", Create{pool_member(98, 94, "224.0.0.1", 80)}),
      bad(BrokenRule::address_not_allowed, "a VIP", Create{vip(98, 94, "0.0.0.0", 80)}),
      bad(BrokenRule::l4_port_missing, "a member", Create{pool_member(98, 94, "10.0.0.98", 0)}),
      bad(BrokenRule::l4_port_missing, "a VIP", Create{vip(98, 94, "10.0.0.98", 0)}),
      bad(BrokenRule::weight_out_of_range, "a member",
          Create{with(pool_member(98, 94, "10.0.0.98", 80), [](PoolMember& m) { m.weight = 65'536; })}),
      bad(BrokenRule::address_family_mismatch, "a member", Create{pool_member(98, 94, "fd00::98", 80)}),
      {BrokenRule::address_family_mismatch,
       "a VIP",
       {Create{vip(98, 94, "fd00::98", 80)}, Create{router_port(23, 20, "fd00::1/64")}},
       balancer()},
      bad(BrokenRule::endpoint_in_use, "two members", Create{pool_member(98, 94, "10.0.0.96", 8080)}),
      bad(BrokenRule::endpoint_in_use, "two VIPs of a pool", Create{vip(98, 94, "10.0.0.97", 80)}),
      bad(BrokenRule::endpoint_in_use, "VIPs of two pools", Create{vip(98, 95, "10.0.0.97", 80)}),
      {BrokenRule::endpoint_in_use,
       "once the other pool moves here",
       {Update{pool(99, 93)}},
       [] {
         auto before = balancer();
         before.emplace_back(Create{pool(99)});
         before.emplace_back(Create{vip(98, 99, "10.0.0.97", 80)});
         return before;
       }()},
  };
}

std::vector<Case> router_cases() {
  const auto ipv6_only = [](uint64_t port) { return router_port(port, 40, "fd00::1/64"); };
  return {
      bad(BrokenRule::load_balancer_in_use, "two routers", Update{balanced(30, 93)}),
      {BrokenRule::unknown_reference, "a load balancer", {Update{balanced(20, 99)}}},
      {BrokenRule::unknown_reference, "a pool's balancer", {Create{pool(94, 99)}}},
      {BrokenRule::unknown_reference, "a pool's monitor", {Create{pool(94, 0, 99)}}},
      {BrokenRule::vip_unreachable,
       "an IPv4 VIP of an IPv6 router",
       {Create{balanced(40, 93)}, Create{ipv6_only(41)}, Update{balanced(20, 0)}},
       balancer()},
      {BrokenRule::vip_unreachable, "the last IPv4 port goes", {Erase{ref_of(router_port(21, 20))}}, balancer()},
      {BrokenRule::vip_unreachable, "the last address goes", {Update{router_port(21, 20)}}, balancer()},
      bad(BrokenRule::vip_unreachable, "an IPv6 VIP of an IPv4 router", Create{vip(98, 95, "fd00::98", 80)}),
  };
}

TEST(RulesOfBalancers, LegalThings) {
  const std::vector<std::vector<Operation>> legal = {
      // The same endpoint of another protocol, and of another balancer.
      {Update{with(pool(95, 93), [](Pool& p) { p.protocol = PoolProtocol::udp; })},
       Create{vip(98, 95, "10.0.0.97", 80)}},
      {Create{load_balancer(99)}, Create{pool(98, 99)}, Create{vip(92, 98, "10.0.0.97", 80)}},
      // A routed VIP, in no subnet of the router; and one that a route alone leads to.
      {Create{vip(98, 94, "203.0.113.7", 443)}},
      {Create{route(1, 20, "::/0", 22)}, Create{vip(98, 95, "2001:db8::7", 443)}},
      // Members draining and down; a pool of its own.
      {Create{with(pool_member(98, 94, "10.0.0.98", 80), [](PoolMember& m) { m.weight = 0, m.admin_up = false; })}},
      {Create{pool(99)}, Create{vip(98, 99, "fd00::1", 80)}, Create{pool_member(92, 99, "fd00::2", 80)}},
      // The router goes, and the balancer stays.
      {Erase{ref_of(router(20))}},
      {Create{health_monitor(99)}, Update{pool(94, 93, 99)}},
      {Update{vip(97, 95, "10.0.0.97", 80)}},
      {Update{pool_member(96, 95, "10.0.0.96", 8080)}},
  };
  const BuildResult start = build(base(), balancer(), 1);
  ASSERT_TRUE(start.ok()) << to_string(start.violations.front());
  for (const auto& operations : legal) {
    const auto result = build(start.next, operations, 2);
    EXPECT_TRUE(result.ok()) << to_string(result.violations.front());
  }
}

TEST(RulesOfBalancers, ADeletedBalancerLeavesItsPools) {
  const BuildResult start = build(base(), balancer(), 1);
  const BuildResult result = build(start.next, {Erase{ref_of(load_balancer(93))}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_TRUE(result.next.find(id<RouterId>(20))->load_balancer.is_nil());
  EXPECT_TRUE(result.next.find(id<PoolId>(94))->load_balancer.is_nil());
  EXPECT_EQ(result.next.count(Kind::vip), 1u);
}

}  // namespace

std::vector<Case> testing::group_cases() {
  const std::vector<Operation> groups = {Create{port_group(84)}, Create{port_group_port(85, 84, 11)},
                                         Create{ip_group(86)}, Create{ip_group_address(87, 86, "10.0.0.0/8")},
                                         Create{port_group(88)}};
  return {
      {BrokenRule::unknown_parent, "a port group", {Create{port_group_port(85, 99, 11)}}},
      {BrokenRule::unknown_parent, "a port of a group", {Create{port_group_port(89, 84, 99)}}, groups},
      {BrokenRule::unknown_parent, "an IP group", {Create{ip_group_address(87, 99, "10.0.0.0/8")}}},
      {BrokenRule::already_in_group, "a port", {Create{port_group_port(89, 84, 11)}}, groups},
      {BrokenRule::already_in_group, "a prefix", {Create{ip_group_address(89, 86, "10.0.0.0/8")}}, groups},
      {BrokenRule::prefix_has_host_bits, "of a group", {Create{ip_group_address(89, 86, "10.0.0.1/8")}}, groups},
      {BrokenRule::immutable_field, "a group's port", {Update{port_group_port(85, 84, 12)}}, groups},
      {BrokenRule::immutable_field, "a port's group", {Update{port_group_port(85, 88, 11)}}, groups},
      {BrokenRule::name_invalid, "a port group", {Create{with(port_group(90), [](PortGroup& g) { g.name = "\x7f"; })}}},
      {BrokenRule::name_invalid, "an IP group", {Create{with(ip_group(90), [](IpGroup& g) { g.tenant = "\xff"; })}}},
  };
}

std::vector<Case> testing::balancer_cases() {
  std::vector<Case> all = {
      bad_monitor(BrokenRule::timing_out_of_range, "no delay", [](HealthMonitor& m) { m.delay = 3601; }),
      bad_monitor(BrokenRule::timing_out_of_range, "no time-out", [](HealthMonitor& m) { m.timeout = 0; }),
      bad_monitor(BrokenRule::timing_out_of_range, "no retries", [](HealthMonitor& m) { m.max_retries = 0; }),
      bad_monitor(BrokenRule::timing_out_of_range, "longer than the delay", [](HealthMonitor& m) { m.timeout = 6; }),
      bad_monitor(BrokenRule::http_invalid, "a path", [](HealthMonitor& m) { m.http_path = "ok"; }),
      bad_monitor(BrokenRule::http_invalid, "a space", [](HealthMonitor& m) { m.http_path = "/a b"; }),
      bad_monitor(BrokenRule::http_invalid, "a status", [](HealthMonitor& m) { m.http_status = 99; }),
  };
  for (const auto& cases : {endpoint_cases(), router_cases()}) all.insert(all.end(), cases.begin(), cases.end());
  return all;
}

}  // namespace viaduct::topology
