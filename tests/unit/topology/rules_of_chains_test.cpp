// What breaks the rules for rules, and what must not.
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/topology/broken_rules.hpp"

namespace viaduct::topology {
namespace {

using namespace testing;  // NOLINT: the literals

template <class T>
Match<T> is(T value) {
  return {std::move(value), false};
}
template <class T>
Match<T> is_not(T value) {
  return {std::move(value), true};
}
Rule tcp(Rule rule) {
  rule.condition.ip_proto = is<uint8_t>(6);
  rule.condition.fragments = FragmentPolicy::header;
  return rule;
}
NatTarget target(std::string_view first, std::string_view last, uint16_t port_first = 1024,
                 uint16_t port_last = 65535) {
  return {ip(first), ip(last), port_first, port_last, 0};
}
NatTarget network(std::string_view text) {
  const IpPrefix of = prefix(text);
  return {of.address(), of.address(), 0, 0, static_cast<uint8_t>(of.length())};
}
Rule snat(Rule rule, std::vector<NatTarget> targets) {
  rule.nat = NatKind::snat;
  rule.targets = std::move(targets);
  rule.condition.fragments = FragmentPolicy::unfragmented;
  return rule;
}

// chain80 with rule 82 at 10; chain81.
std::vector<Operation> chains() { return {Create{chain(80)}, Create{chain(81)}, Create{rule(82, 80, 10)}}; }
// Rule 83 in chain 80, changed so.
Case bad(BrokenRule broken, std::string name, const std::function<void(Rule&)>& change) {
  return {broken, std::move(name), {Create{with(rule(83, 80), change)}}, chains()};
}
Case bad_condition(BrokenRule broken, std::string name, const std::function<void(Condition&)>& change) {
  return bad(broken, std::move(name), [&](Rule& rule) { change(rule.condition); });
}
Case bad_nat(
    BrokenRule broken, std::string name, std::vector<NatTarget> targets,
    const std::function<void(Rule&)>& change = [](Rule&) {}) {
  return {broken, std::move(name), {Create{with(snat(rule(83, 80), std::move(targets)), change)}}, chains()};
}

std::vector<Case> place_cases() {
  return {
      {BrokenRule::unknown_parent, "a chain", {Create{rule(82, 99)}}},
      {BrokenRule::immutable_field, "a rule's chain", {Update{rule(82, 81, 10)}}, chains()},
      {BrokenRule::position_in_use, "two rules of a chain", {Create{rule(83, 80, 10)}}, chains()},
      {BrokenRule::position_in_use, "two new ones", {Create{rule(83, 81, 7)}, Create{rule(84, 81, 7)}}, chains()},
      {BrokenRule::chain_full,
       "behind the greatest",
       {Create{rule(84, 80)}},
       {Create{chain(80)}, Create{rule(83, 80, ~0u)}}},
      bad(BrokenRule::jump_missing, "to nothing", [](Rule& r) { r.action = RuleAction::jump; }),
      bad(BrokenRule::jump_not_allowed, "with another action", [](Rule& r) { r.jump = id<ChainId>(81); }),
      {BrokenRule::jump_to_itself, "a chain", {Create{jump(83, 80, 80)}}, chains()},
      {BrokenRule::unknown_reference, "a jump", {Create{jump(83, 80, 99)}}, chains()},
      bad_condition(BrokenRule::unknown_reference, "a group",
                    [](Condition& c) { c.port_group = is(id<PortGroupId>(99)); }),
      bad_condition(BrokenRule::unknown_reference, "no group", [](Condition& c) { c.ip_src_group = is(IpGroupId{}); }),
      bad_condition(BrokenRule::unknown_reference, "a port",
                    [](Condition& c) {
                      c.in_ports = is(std::vector{id<PortId>(11), id<PortId>(99)});
                    }),
      bad_condition(BrokenRule::unknown_reference, "no port",
                    [](Condition& c) { c.out_ports = is(std::vector{PortId{}}); }),
      bad_condition(BrokenRule::unknown_reference, "no device", [](Condition& c) { c.traversed_device = is(Uuid{}); }),
      {BrokenRule::unknown_reference,
       "a filter",
       {Update{with(bridge_port(11, 10), [](Port& p) { p.inbound_filter = id<ChainId>(99); })}}},
      {BrokenRule::unknown_reference,
       "a bridge's filter",
       {Update{with(bridge(10), [](Bridge& b) { b.outbound_filter = id<ChainId>(99); })}}},
      {BrokenRule::unknown_reference,
       "a router's filter",
       {Update{with(router(20), [](Router& r) { r.local_redirect = id<ChainId>(99); })}}},
      {BrokenRule::still_referenced,
       "a group that a rule names",
       {Erase{ref_of(port_group(84))}},
       {Create{chain(80)}, Create{port_group(84)},
        Create{with(rule(83, 80), [](Rule& r) { r.condition.in_port_group = is_not(id<PortGroupId>(84)); })}}},
      {BrokenRule::duplicate_id, "a chain with a bridge's id", {Create{chain(10)}}},
      {BrokenRule::name_invalid, "a chain", {Create{with(chain(80), [](Chain& c) { c.name = "a\tb"; })}}},
  };
}

std::vector<Case> condition_cases() {
  const auto with_tcp = [&](const std::function<void(Condition&)>& change) {
    return [=](Rule& rule) {
      rule = tcp(rule);
      change(rule.condition);
    };
  };
  return {
      bad(BrokenRule::l4_without_protocol, "GRE", with_tcp([](Condition& c) {
            c.ip_proto = is<uint8_t>(47);
            c.l4_dst = is(PortRange{80, 80});
          })),
      bad(BrokenRule::range_empty, "ports", with_tcp([](Condition& c) {
            c.l4_src = is(PortRange{2, 1});
          })),
      bad(BrokenRule::range_out_of_bounds, "an ICMP code", with_tcp([](Condition& c) {
            c.ip_proto = is<uint8_t>(1);
            c.l4_dst = is(PortRange{0, 256});
          })),
      bad(BrokenRule::fragments_without_ports, "any", with_tcp([](Condition& c) {
            c.l4_dst = is(PortRange{80, 80});
            c.fragments = FragmentPolicy::any;
          })),
      bad(BrokenRule::fragments_without_ports, "later ones", with_tcp([](Condition& c) {
            c.l4_dst = is_not(PortRange{80, 80});
            c.fragments = FragmentPolicy::nonheader;
          })),
      bad_condition(BrokenRule::match_contradicts, "two families",
                    [](Condition& c) { c.ip_src = is(prefix("10.0.0.0/8")), c.ip_dst = is_not(prefix("fd00::/8")); }),
      bad_condition(BrokenRule::match_contradicts, "another eth_type",
                    [](Condition& c) { c.ip_src = is(prefix("10.0.0.0/8")), c.eth_type = is<uint16_t>(0x86dd); }),
      bad_condition(BrokenRule::match_contradicts, "not this eth_type",
                    [](Condition& c) { c.ip_src = is(prefix("fd00::/8")), c.eth_type = is_not<uint16_t>(0x86dd); }),
      bad_condition(BrokenRule::match_contradicts, "ICMP in IPv6",
                    [](Condition& c) { c.ip_dst = is(prefix("fd00::/8")), c.ip_proto = is<uint8_t>(1); }),
      bad_condition(BrokenRule::match_contradicts, "ICMPv6 in IPv4",
                    [](Condition& c) { c.eth_type = is<uint16_t>(0x0800), c.ip_proto = is<uint8_t>(58); }),
      bad_condition(BrokenRule::match_contradicts, "a protocol without IP",
                    [](Condition& c) { c.eth_type = is<uint16_t>(0x88cc), c.ip_proto = is<uint8_t>(6); }),
      bad_condition(BrokenRule::match_contradicts, "a quoted packet of another family",
                    [](Condition& c) { c.icmp_data_src = is(prefix("fd00::/8")), c.ip_proto = is<uint8_t>(1); }),
      bad_condition(BrokenRule::match_contradicts, "tagged and untagged",
                    [](Condition& c) { c.untagged = true, c.vlan = 7; }),
      bad_condition(BrokenRule::match_contradicts, "forward and return",
                    [](Condition& c) { c.forward_flow = c.return_flow = true; }),
      bad_condition(BrokenRule::vlan_out_of_range, "4095", [](Condition& c) { c.vlan = 4095; }),
      bad_condition(BrokenRule::prefix_has_host_bits, "a match",
                    [](Condition& c) { c.ip_dst = is(prefix("10.0.0.1/8")); }),
      bad_condition(BrokenRule::mac_mask_invalid, "nothing counts",
                    [](Condition& c) {
                      c.eth_src = is(MacMatch{mac("00:00:00:00:00:00"), mac("00:00:00:00:00:00")});
                    }),
      bad_condition(BrokenRule::mac_mask_invalid, "bits outside",
                    [](Condition& c) {
                      c.eth_dst = is(MacMatch{mac("01:00:00:00:00:01"), mac("01:00:00:00:00:00")});
                    }),
      bad_condition(BrokenRule::ports_missing, "none", [](Condition& c) { c.in_ports.value.emplace(); }),
      bad_condition(BrokenRule::ports_missing, "none, inverted",
                    [](Condition& c) { c.out_ports = is_not(std::vector<PortId>{}); }),
      bad_condition(BrokenRule::too_many_entries, "ports",
                    [](Condition& c) { c.in_ports = is(std::vector<PortId>(2000, id<PortId>(11))); }),
  };
}

TEST(RulesOfChains, LegalThings) {
  const std::vector<std::function<void(Rule&)>> legal = {
      [](Rule& r) {
        r = tcp(r), r.condition.l4_dst = is_not(PortRange{0, 65535});
      },
      [](Rule& r) {
        r = tcp(r), r.condition.ip_proto = is<uint8_t>(58), r.condition.l4_src = is(PortRange{135, 136});
      },
      [](Rule& r) { r.condition.eth_type = is_not<uint16_t>(0x86dd), r.condition.ip_src = is(prefix("10.0.0.0/8")); },
      [](Rule& r) { r.condition.eth_type = is<uint16_t>(0x0806), r.condition.ip_src = is_not(prefix("10.0.0.1/32")); },
      [](Rule& r) { r.condition.ip_proto = is_not<uint8_t>(1), r.condition.ip_src = is(prefix("fd00::/8")); },
      [](Rule& r) { r.condition.inverted = true, r.condition.vlan = 4094; },
      [](Rule& r) {
        r.condition.eth_src = is(MacMatch{mac("01:00:00:00:00:00"), mac("01:00:00:00:00:00")});
      },
      [](Rule& r) { r.action = RuleAction::jump, r.jump = id<ChainId>(81); },
      [](Rule& r) {
        r = snat(r, {target("203.0.113.1", "203.0.113.9"), target("203.0.113.20", "203.0.113.20")});
      },
      [](Rule& r) { r = snat(r, {target("203.0.113.1", "203.0.113.1", 0, 0)}), r.condition.fragments = {}; },
      [](Rule& r) { r = snat(r, {target("203.0.113.1", "0.0.0.0", 0, 0)}); },
      // Ports of whatever has them.
      [](Rule& r) {
        r = tcp(r), r.condition.ip_proto = {}, r.condition.l4_dst = is(PortRange{80, 80});
      },
      [](Rule& r) {
        r = tcp(r), r.condition.ip_proto = is_not<uint8_t>(17), r.condition.l4_src = is(PortRange{80, 80});
      },
      [](Rule& r) { r = snat(r, {network("2001:db8:1::/48")}), r.condition.ip_src = is(prefix("fd00:1:2::/48")); },
      [](Rule& r) { r.nat = NatKind::reverse_dnat, r.action = RuleAction::return_; },
  };
  const BuildResult start = build(base(), chains(), 1);
  for (const auto& change : legal) {
    const auto result = build(start.next, {Create{with(rule(83, 80), change)}}, 2);
    EXPECT_TRUE(result.ok()) << to_string(result.violations.front());
  }
  // Loops over several chains.
  EXPECT_TRUE(build(start.next, {Create{jump(83, 80, 81)}, Create{jump(84, 81, 80)}}, 2).ok());
}

TEST(RulesOfChains, AProtocolWithoutPortsIsNamed) {
  const BuildResult start = build(base(), chains(), 1);
  const auto result = build(start.next,
                            {Create{with(tcp(rule(83, 80)),
                                         [](Rule& r) {
                                           r.condition.ip_proto = is<uint8_t>(47);
                                           r.condition.l4_dst = is(PortRange{80, 80});
                                         })}},
                            2);
  ASSERT_EQ(result.violations.size(), 1u);
  EXPECT_EQ(result.violations[0].field, "l4_dst");
  EXPECT_EQ(result.violations[0].message, "It asks for ports, and protocol 47 has none.");
}

// --- positions -------------------------------------------------------------------------------------

uint32_t position_of(const BuildResult& result, uint64_t number) {
  return result.next.find(id<RuleId>(number))->position;
}

TEST(RulesOfChains, WithoutPositionsTheyGoBehindTheLastInTheirOrder) {
  const BuildResult start = build(base(), chains(), 1);
  // Numbers that do not follow the order; one with a position, further behind.
  const auto result = build(
      start.next, {Create{rule(95, 80)}, Create{rule(84, 80)}, Create{rule(85, 81)}, Create{rule(90, 80, 25)}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(position_of(result, 95), 35u);
  EXPECT_EQ(position_of(result, 84), 45u);
  EXPECT_EQ(position_of(result, 85), 10u) << "the first of its chain";
  EXPECT_EQ(position_of(build(result.next, {Create{rule(96, 80)}}, 3), 96), 55u);
}

TEST(RulesOfChains, AnUpdateWithoutAPositionKeepsIt) {
  const BuildResult start = build(base(), chains(), 1);
  const Rule dropping = with(rule(82, 80), [](Rule& r) { r.action = RuleAction::drop; });
  const auto result = build(start.next, {Update{dropping}}, 2);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(position_of(result, 82), 10u);
  EXPECT_TRUE(build(start.next, {Update{rule(82, 80)}}, 2).delta.empty()) << "nothing changed";
}

TEST(RulesOfChains, TwoRulesMayChangePlaces) {
  const auto start = build(base(), {Create{chain(80)}, Create{rule(82, 80, 10)}, Create{rule(83, 80, 20)}}, 1);
  const auto result = build(start.next, {Update{rule(82, 80, 20)}, Update{rule(83, 80, 10)}}, 2);
  ASSERT_TRUE(result.ok()) << to_string(result.violations.front());
  EXPECT_EQ(position_of(result, 82), 20u);
}

}  // namespace

std::vector<Case> testing::chain_cases() {
  std::vector<Case> all = place_cases();
  for (Case& one : condition_cases()) all.push_back(std::move(one));
  return all;
}

std::vector<Case> testing::nat_cases() {
  const NatTarget one = target("203.0.113.1", "203.0.113.1");
  return {
      bad_nat(BrokenRule::nat_target_missing, "none", {}),
      bad_nat(BrokenRule::nat_target_not_allowed, "no NAT", {one}, [](Rule& r) { r.nat = NatKind::none; }),
      bad_nat(BrokenRule::nat_target_not_allowed, "reverse", {one}, [](Rule& r) { r.nat = NatKind::reverse_snat; }),
      bad_nat(BrokenRule::nat_target_not_allowed, "a network with ports",
              {with(network("203.0.113.0/24"), [](NatTarget& t) { t.port_first = 1, t.port_last = 9; })},
              [](Rule& r) { r.condition.ip_src = is(prefix("10.0.0.0/24")); }),
      bad_nat(BrokenRule::nat_action_not_allowed, "drop", {one}, [](Rule& r) { r.action = RuleAction::drop; }),
      bad_nat(BrokenRule::nat_action_not_allowed, "jump", {one},
              [](Rule& r) { r.action = RuleAction::jump, r.jump = id<ChainId>(81); }),
      bad_nat(BrokenRule::address_family_mismatch, "two targets", {one, target("fd00::1", "fd00::1")}),
      bad_nat(BrokenRule::address_family_mismatch, "one target", {target("203.0.113.1", "fd00::1")}),
      bad_nat(BrokenRule::address_family_mismatch, "the rule's prefix", {one},
              [](Rule& r) { r.condition.ip_dst = is(prefix("fd00::/8")); }),
      bad_nat(BrokenRule::address_not_allowed, "a multicast target", {target("224.0.0.1", "224.0.0.1")}),
      bad_nat(BrokenRule::range_empty, "addresses", {target("203.0.113.9", "203.0.113.1")}),
      bad_nat(BrokenRule::range_empty, "translated ports", {target("203.0.113.1", "203.0.113.1", 9, 1)}),
      bad_nat(BrokenRule::range_out_of_bounds, "port 0", {target("203.0.113.1", "203.0.113.1", 0, 9)}),
      bad_nat(BrokenRule::range_out_of_bounds, "2^24 and one", {target("2001:db8::", "2001:db8::100:0")}),
      bad_nat(BrokenRule::range_out_of_bounds, "a static range", {target("203.0.113.1", "203.0.113.2", 0, 0)}),
      bad_nat(BrokenRule::range_out_of_bounds, "a prefix of 33 bits",
              {with(network("203.0.113.0/32"), [](NatTarget& t) { t.prefix_length = 33; })}),
      bad_nat(BrokenRule::nat_static_not_alone, "and a dynamic one", {one, target("203.0.113.2", "203.0.113.2", 0, 0)}),
      bad_nat(BrokenRule::prefix_has_host_bits, "a network", {network("203.0.113.1/24")},
              [](Rule& r) { r.condition.ip_src = is(prefix("10.0.0.0/24")); }),
      bad_nat(BrokenRule::nat_prefix_unmatched, "every source", {network("203.0.113.0/24")}),
      bad_nat(BrokenRule::nat_prefix_unmatched, "a larger network", {network("203.0.113.0/24")},
              [](Rule& r) { r.condition.ip_src = is(prefix("10.0.0.0/8")); }),
      bad_nat(BrokenRule::nat_prefix_unmatched, "all but one", {network("203.0.113.0/24")},
              [](Rule& r) { r.condition.ip_src = is_not(prefix("10.0.0.0/24")); }),
      bad_nat(BrokenRule::nat_prefix_unmatched, "the other end", {network("203.0.113.0/24")},
              [](Rule& r) { r.nat = NatKind::dnat, r.condition.ip_src = is(prefix("10.0.0.0/24")); }),
      bad_nat(BrokenRule::fragments_without_ports, "dynamic NAT of any", {one},
              [](Rule& r) { r.condition.fragments = FragmentPolicy::any; }),
      bad_nat(BrokenRule::too_many_entries, "targets", std::vector<NatTarget>(300, one)),
  };
}

}  // namespace viaduct::topology
