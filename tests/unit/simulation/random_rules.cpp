// Rules, groups and load balancers of RandomChanges.
#include "random_changes.hpp"

namespace viaduct::scenario {

using topology::Condition;
using topology::Kind;
using topology::NatKind;
using topology::Object;
using topology::Rule;
using topology::RuleAction;

namespace {

const std::vector<std::string> kPrefixes = {"10.0.1.0/24", "10.0.2.3/32", "10.0.0.0/16",   "8.0.0.0/8",
                                            "10.0.9.1/32", "fd00:1::/64", "fd00:2::3/128", "fd00::/16"};
const std::vector<std::string> kNatAddresses = {"10.0.9.1", "203.0.113.5", "10.0.2.4", "fd00:9::1", "fd00:2::4"};

}  // namespace

Condition RandomChanges::random_condition() {
  Condition out;
  out.inverted = chance(8);
  out.forward_flow = chance(12);
  out.return_flow = !out.forward_flow && chance(12);
  const bool v4 = chance(60);
  const auto prefix_of = [&]() {
    IpPrefix one = prefix(any_of(kPrefixes));
    while (one.family() != (v4 ? IpFamily::v4 : IpFamily::v6)) one = prefix(any_of(kPrefixes));
    return one;
  };
  if (chance(30)) out.ip_src = {prefix_of(), chance(20)};
  if (chance(30)) out.ip_dst = {prefix_of(), chance(20)};
  if (chance(30)) {
    if (chance(80)) out.ip_proto = {static_cast<uint8_t>(chance(50) ? 17 : 6), chance(20)};
    if (!out.ip_proto.value || chance(50)) {
      out.l4_src = {topology::PortRange{static_cast<uint16_t>(roll(20)), static_cast<uint16_t>(20 + roll(20))},
                    chance(20)};
      out.fragments = topology::FragmentPolicy::header;
    }
  }
  if (chance(10)) out.ip_tos = {static_cast<uint8_t>(roll(4) * 0x29), chance(30)};
  const auto group = any<topology::IpGroup>();
  if (group && chance(12)) out.ip_src_group = {group->id, chance(30)};
  const auto ports = any<topology::PortGroup>();
  if (ports && chance(12)) (chance(50) ? out.port_group : out.out_port_group) = {ports->id, chance(30)};
  const auto port = any<topology::Port>();
  if (port && chance(10)) {
    auto& ports_named = chance(50) ? out.in_ports : out.out_ports;
    ports_named.value = std::vector<PortId>{port->id};
    ports_named.inverted = chance(30);
  }
  if (port && chance(10)) out.traversed_device = {port->device(), chance(30)};
  if (chance(6)) out.eth_type = {static_cast<uint16_t>(v4 ? 0x0800 : 0x86dd), chance(30)};
  out.destination_rewritten = chance(5);
  return out;
}

Rule RandomChanges::random_rule(const topology::Chain& chain) {
  Rule rule;
  rule.chain = chain.id;
  rule.condition = random_condition();
  const int dice = roll(20);
  if (dice < 5) {
    rule.action = any_of(std::vector{RuleAction::accept, RuleAction::return_, RuleAction::continue_});
    rule.nat = any_of(std::vector{NatKind::snat, NatKind::dnat, NatKind::reverse_snat, NatKind::reverse_dnat});
    if (rule.nat == NatKind::snat || rule.nat == NatKind::dnat) {
      const IpAddress to = ip(any_of(kNatAddresses));
      const bool dynamic = chance(60);
      rule.targets.push_back(
          {to, to, static_cast<uint16_t>(dynamic ? 1'024 : 0), static_cast<uint16_t>(dynamic ? 9'000 : 0), 0});
      if (dynamic) rule.condition.fragments = topology::FragmentPolicy::header;
    }
  } else if (dice < 7) {
    rule.action = RuleAction::jump;
    if (const auto to = any<topology::Chain>()) rule.jump = to->id;
  } else {
    rule.action = any_of(std::vector{RuleAction::accept, RuleAction::accept, RuleAction::drop, RuleAction::reject,
                                     RuleAction::return_, RuleAction::continue_});
  }
  return rule;
}

void RandomChanges::create_rule() {
  const auto chain = any<topology::Chain>();
  if (!chain || all(Kind::rule).size() > 24) return;
  commit({topology::Create{random_rule(*chain)}});
}

void RandomChanges::change_rule() {
  auto rule = any<Rule>();
  if (!rule) return;
  rule->condition = random_condition();
  rule->condition.fragments = topology::FragmentPolicy::header;
  rule->position = chance(30) ? static_cast<uint32_t>(1 + roll(100)) : rule->position;
  update(*rule);
}

void RandomChanges::change_filter() {
  const auto chain = any<topology::Chain>();
  const ChainId to = chain && chance(70) ? chain->id : ChainId{};
  const int dice = roll(10);
  if (dice < 5) {
    auto port = any<topology::Port>();
    if (!port) return;
    ChainId& filter = chance(50) ? port->inbound_filter : port->outbound_filter;
    filter = to;
    update(*port);
  } else if (dice < 7) {
    auto bridge = any<topology::Bridge>();
    if (!bridge) return;
    (chance(50) ? bridge->inbound_filter : bridge->outbound_filter) = to;
    update(*bridge);
  } else {
    auto router = any<topology::Router>();
    if (!router) return;
    any_of(std::vector<ChainId*>{&router->local_redirect, &router->inbound_filter, &router->forward_filter,
                                 &router->outbound_filter})[0] = to;
    update(*router);
  }
}

void RandomChanges::change_group() {
  const auto group = any<topology::IpGroup>();
  const auto ports = any<topology::PortGroup>();
  if (group && chance(50)) {
    topology::IpGroupAddress address;
    address.group = group->id;
    address.prefix = chance(50) ? prefix(any_of(kPrefixes)) : IpPrefix::host(ip(any_of(kNatAddresses)));
    commit({topology::Create{address}});
  } else if (ports) {
    const auto port = any<topology::Port>();
    if (!port) return;
    topology::PortGroupPort member;
    member.group = ports->id;
    member.port = port->id;
    commit({topology::Create{member}});
  }
}

void RandomChanges::change_balancing() {
  auto member = any<topology::PoolMember>();
  auto pool = any<topology::Pool>();
  const int dice = roll(10);
  if (dice < 4 && member) {
    member->admin_up = !member->admin_up;
    update(*member);
  } else if (dice < 6 && member) {
    member->weight = static_cast<uint32_t>(roll(3));
    update(*member);
  } else if (dice < 7 && pool) {
    pool->sticky = !pool->sticky;
    update(*pool);
  } else if (pool) {
    topology::PoolMember more;
    more.pool = pool->id;
    more.address = ip("10.0.2." + std::to_string(3 + roll(2)));
    more.port = static_cast<uint16_t>(80 + roll(3));
    commit({topology::Create{more}});
  }
}

}  // namespace viaduct::scenario
