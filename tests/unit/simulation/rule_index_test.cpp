// The index against a plain walk over all rules, for random rules and packets.
#include "flows/simulation/rule_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "flows/simulation/maglev.hpp"

namespace viaduct::flows::simulation {
namespace {

using topology::Condition;
using topology::Rule;

RulePtr make_rule(uint64_t id, uint32_t position, Condition condition) {
  Rule rule;
  rule.id = RuleId(Uuid::from_words(1, id));
  rule.position = position;
  rule.condition = std::move(condition);
  return std::make_shared<const Rule>(std::move(rule));
}

class Chance {
 public:
  explicit Chance(uint64_t seed) : engine_(seed) {}
  uint32_t upto(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
  bool one_in(uint32_t n) { return upto(n) == 0; }
  IpAddress address() {
    if (one_in(3)) {
      IpAddress::Bytes bytes{0x20, 0x01, 0x0d, 0xb8};
      bytes[7] = static_cast<uint8_t>(upto(3));
      bytes[15] = static_cast<uint8_t>(upto(5));
      return IpAddress::v6(bytes);
    }
    return IpAddress::v4(0x0a000000 | upto(4) << 16 | upto(3) << 8 | upto(6));
  }
  IpPrefix prefix() {
    const IpAddress of = address();
    return IpPrefix(of, static_cast<int>(upto(static_cast<uint32_t>(of.width_bits()) + 1))).network();
  }
  PortId port() { return PortId(Uuid::from_words(3, upto(3))); }
  Condition condition() {
    Condition out;
    out.inverted = one_in(10);
    if (one_in(2)) out.ip_src = {prefix(), one_in(5)};
    if (one_in(2)) out.ip_dst = {prefix(), one_in(5)};
    if (one_in(2)) out.ip_proto = {static_cast<uint8_t>(one_in(2) ? 6 : 17), one_in(6)};
    if (one_in(3)) {
      const auto first = static_cast<uint16_t>(upto(100));
      out.l4_dst = {topology::PortRange{first, static_cast<uint16_t>(first + (one_in(2) ? 0 : upto(2'000)))},
                    one_in(5)};
    }
    if (one_in(5)) out.in_ports = {std::vector<PortId>{port()}, one_in(5)};
    if (one_in(5)) out.eth_type = {static_cast<uint16_t>(one_in(2) ? 0x0800 : 0x86dd), one_in(5)};
    if (one_in(6)) out.eth_src = {topology::MacMatch{MacAddress::from_uint64(upto(3))}, one_in(5)};
    return out;
  }
  FlowKey key() {
    FlowKey out;
    out.ip_src = address();
    out.ip_dst = address();
    while (out.ip_dst.family() != out.ip_src.family()) out.ip_dst = address();
    out.eth_type = out.ip_src.is_v4() ? 0x0800 : 0x86dd;
    out.ip_proto = one_in(2) ? 6 : 17;
    out.l4_dst = static_cast<uint16_t>(upto(300));
    out.eth_src = MacAddress::from_uint64(upto(3));
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

// What the index may know of: a rule that this says no to may be left out, one that it says yes to must not.
bool meets(const Condition& condition, const FlowKey& key, PortId in) {
  const auto holds = [](const auto& match, auto&& test) {
    return !match.value || test(*match.value) != match.inverted;
  };
  const bool met =
      holds(condition.ip_src, [&](const IpPrefix& p) { return p.contains(key.ip_src); }) &&
      holds(condition.ip_dst, [&](const IpPrefix& p) { return p.contains(key.ip_dst); }) &&
      holds(condition.ip_proto, [&](uint8_t p) { return p == key.ip_proto; }) &&
      holds(condition.l4_dst, [&](const topology::PortRange& r) { return r.contains(key.l4_dst); }) &&
      holds(condition.in_ports, [&](const auto& list) { return std::count(list.begin(), list.end(), in) != 0; }) &&
      holds(condition.eth_type, [&](uint16_t type) { return key.eth_type == type; }) &&
      holds(condition.eth_src, [&](const topology::MacMatch& m) { return m.address == key.eth_src; });
  return met != condition.inverted;
}

TEST(RuleIndex, FindsEveryRuleThatMatchesInOrder) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Chance chance(seed);
    RuleIndex index;
    std::vector<RulePtr> rules;
    for (uint32_t step = 0; step < 300; ++step) {
      if (!rules.empty() && chance.one_in(4)) {
        const size_t at = chance.upto(static_cast<uint32_t>(rules.size()));
        index.remove(rules[at]->id);
        rules.erase(rules.begin() + static_cast<ptrdiff_t>(at));
      } else {
        rules.push_back(make_rule(step, chance.upto(1'000'000), chance.condition()));
        index.add(rules.back());
      }
      ASSERT_EQ(index.size(), rules.size());
      const FlowKey key = chance.key();
      const PortId in = chance.port();
      std::vector<uint32_t> found, expected;
      auto candidates = index.candidates(key, in, PortId{});
      uint32_t last = 0;
      while (const Rule* rule = candidates.next()) {
        EXPECT_GE(rule->position, last);
        last = rule->position;
        if (meets(rule->condition, key, in)) found.push_back(rule->position);
      }
      for (const RulePtr& rule : rules) {
        if (meets(rule->condition, key, in)) expected.push_back(rule->position);
      }
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(found, expected);
    }
  }
}

// An attacker chooses every field of its packets: the masks that it makes are one for what is not IP, one for each
// protocol whose ports rules ask for, and one for all others.
TEST(RuleIndex, PacketsCannotMultiplyMasks) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Chance chance(seed);
    RuleIndex index;
    for (uint32_t i = 0; i < 500; ++i) index.add(make_rule(i, i + 1, chance.condition()));
    std::set<uint32_t> masks;
    for (int i = 0; i < 20'000; ++i) {
      FlowKey key = chance.key();
      key.ip_proto = static_cast<uint8_t>(chance.upto(256));
      key.ip_tos = static_cast<uint8_t>(chance.upto(256));
      key.ip_ttl = static_cast<uint8_t>(chance.upto(256));
      key.fragment = static_cast<Fragment>(chance.upto(3));
      if (chance.one_in(4)) key.eth_type = static_cast<uint16_t>(chance.upto(0x10000));
      masks.insert(index.reads(key).bits());
    }
    EXPECT_LE(masks.size(), 4U) << "seed " << seed;
  }
}

TEST(RuleIndex, TenThousandRulesGiveFewCandidates) {
  RuleIndex index;
  for (uint32_t i = 0; i < 10'000; ++i) {
    Condition condition;
    condition.ip_proto.value = 6;
    condition.ip_src.value = IpPrefix(IpAddress::v4(0x0a000000), 8);
    condition.ip_dst.value = IpPrefix::host(IpAddress::v4(0x0b000000 + i / 10));
    condition.l4_dst.value = topology::PortRange{static_cast<uint16_t>(i % 10), static_cast<uint16_t>(i % 10)};
    index.add(make_rule(i, i + 1, condition));
  }
  FlowKey key;
  key.eth_type = 0x0800;
  key.ip_proto = 6;
  key.ip_src = IpAddress::v4(0x0a010203);
  key.ip_dst = IpAddress::v4(0x0b000000 + 77);
  key.l4_dst = 3;
  auto candidates = index.candidates(key, PortId{}, PortId{});
  int tried = 0;
  while (candidates.next() != nullptr) ++tried;
  EXPECT_LE(tried, 40);
  EXPECT_GE(tried, 1);
}

TEST(RuleIndex, SaysWhatItsRulesAskFor) {
  RuleIndex index;
  FlowKey tcp, udp;
  tcp.eth_type = udp.eth_type = 0x0800;
  tcp.ip_proto = 6;
  udp.ip_proto = 17;
  EXPECT_EQ(index.reads(tcp), FieldSet{});
  Condition condition;
  condition.ip_proto.value = 6;
  condition.l4_dst.value = topology::PortRange{80, 80};
  const RulePtr web = make_rule(1, 1, condition);
  index.add(web);
  EXPECT_EQ(index.reads(tcp), FieldSet{Field::l4_dst});
  EXPECT_EQ(index.reads(udp), FieldSet{}) << "no rule asks for its ports";
  Condition flow;
  flow.return_flow = true;
  index.add(make_rule(2, 2, flow));
  EXPECT_TRUE(index.reads(udp).contains({Field::ip_src, Field::ip_dst}));
  index.remove(web->id);
  EXPECT_FALSE(index.reads(tcp).has(Field::l4_dst));
}

std::vector<MaglevTable::Member> members(size_t count) {
  std::vector<MaglevTable::Member> out;
  for (size_t i = 0; i < count; ++i) out.push_back({(i + 1) * 0x9e37'79b9'7f4a'7c15ULL, 1});
  return out;
}

TEST(Maglev, OneOfAThousandTakesAboutItsOwnShareAlong) {
  auto all = members(1'000);
  const MaglevTable before(all);
  all[500].weight = 0;
  const MaglevTable after(all);
  size_t moved = 0, own = 0;
  for (size_t slot = 0; slot < before.size(); ++slot) {
    own += before.pick(slot) == 500 ? 1 : 0;
    moved += before.pick(slot) != after.pick(slot) ? 1 : 0;
    ASSERT_NE(after.pick(slot), 500U);
  }
  EXPECT_NEAR(static_cast<double>(own) / static_cast<double>(before.size()), 0.001, 0.0005);
  EXPECT_LT(static_cast<double>(moved) / static_cast<double>(before.size()), 0.03);
}

TEST(Maglev, WeightsAreShares) {
  auto some = members(3);
  some[1].weight = 3;
  some[2].weight = 0;
  const MaglevTable table(some);
  std::array<size_t, 3> share{};
  for (size_t slot = 0; slot < table.size(); ++slot) ++share[table.pick(slot)];
  EXPECT_EQ(share[2], 0U);
  EXPECT_NEAR(static_cast<double>(share[1]) / static_cast<double>(share[0]), 3, 0.1);
  EXPECT_EQ(MaglevTable().pick(7), MaglevTable::kNone);
}

TEST(Maglev, TheOrderOfMembersDoesNotMatter) {
  auto some = members(50);
  const MaglevTable one(some);
  std::reverse(some.begin(), some.end());
  const MaglevTable other(some);
  for (size_t slot = 0; slot < one.size(); ++slot) ASSERT_EQ(one.pick(slot), 49 - other.pick(slot));
}

}  // namespace
}  // namespace viaduct::flows::simulation
