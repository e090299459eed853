#include "flows/match/flow.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "flows/match/siphash.hpp"

namespace viaduct::flows {
namespace {

FlowKey some_key() {
  FlowKey key;
  key.in_port = {3};
  key.eth_type = ethertype::kIpv4;
  key.eth_src = MacAddress::from_uint64(0x020000000001);
  key.eth_dst = MacAddress::from_uint64(0x020000000002);
  key.ip_src = IpAddress::parse("10.0.0.1").value();
  key.ip_dst = IpAddress::parse("10.0.0.2").value();
  key.ip_proto = 6;
  key.l4_src = 1000;
  key.l4_dst = 80;
  return key;
}

// The reference implementation's vectors for input that is whole words (key 00..0f, input 00 01 02 …).
TEST(SipHash128, ReferenceVectors) {
  constexpr uint64_t kKey0 = 0x0706050403020100, kKey1 = 0x0f0e0d0c0b0a0908;
  Hash128 empty = SipHash128(kKey0, kKey1).finish();
  EXPECT_EQ(empty.low, 0xe6a825ba047f81a3U);
  EXPECT_EQ(empty.high, 0x930255c71472f66dU);
  SipHash128 hash(kKey0, kKey1);
  hash.add(0x0706050403020100);
  hash.add(0x0f0e0d0c0b0a0908);
  Hash128 sixteen = hash.finish();
  EXPECT_EQ(sixteen.low, 0xbb54b067caa4e26eU);
  EXPECT_EQ(sixteen.high, 0x77052385bf1533fdU);
}

TEST(FlowId, IsTheSameInEveryLife) {
  // Written down once: a change of the hash orphans every flow in every kernel at the next upgrade.
  FieldSet before_tunnels = FieldSet::from_bits(FieldSet::all().bits() & ~FieldSet{Field::tunnel}.bits());
  EXPECT_EQ(FlowId::of(some_key(), before_tunnels).to_string(), "bb2200d49fe5da94114b4a3783676a28");
  FlowKey tunnelled = some_key();
  tunnelled.tunnel = {5, IpAddress::v4(0xc0000201), IpAddress::v4(0xc0000202)};
  EXPECT_EQ(FlowId::of(tunnelled, FieldSet::all()).to_string(), "77d21038d44c64e118b0c24834964d53");
}

TEST(FlowId, EveryFieldAndTheMaskCount) {
  std::unordered_set<FlowId> ids{FlowId::of(some_key(), FieldSet::all())};
  auto differs = [&](auto change) {
    FlowKey key = some_key();
    change(key);
    return ids.insert(FlowId::of(key, FieldSet::all())).second;
  };
  EXPECT_TRUE(differs([](FlowKey& k) { k.tunnel.key = 1; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.tunnel.src = k.ip_src; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.tunnel.dst = k.ip_src; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.in_port = {4}; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.eth_type = ethertype::kIpv6; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.vlan_tci = 1; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.inner_vlan_tci = 1; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.eth_src = k.eth_dst; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.eth_dst = k.eth_src; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.ip_src = k.ip_dst; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.ip_dst = k.ip_src; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.ip_dst = IpAddress::from_network(IpFamily::v6, k.ip_dst.storage().data()); }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.ip_proto = 17; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.ip_tos = 1; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.ip_ttl = 1; }));
  EXPECT_TRUE(differs([](FlowKey& k) { k.fragment = Fragment::first; }));
  EXPECT_TRUE(differs([](FlowKey& k) { std::swap(k.l4_src, k.l4_dst); }));
  EXPECT_TRUE(ids.insert(FlowId::of(some_key(), FieldSet::ethernet())).second);
}

TEST(Flow, MatchesItsMegaflow) {
  Flow flow = Flow::make(some_key(), FieldSet::ethernet(), {Output{{9}}});
  FlowKey other = some_key();
  other.ip_dst = IpAddress::parse("10.0.0.77").value();
  other.l4_src = 5;
  EXPECT_TRUE(flow.matches(other));
  EXPECT_EQ(Flow::make(other, FieldSet::ethernet(), {}).id, flow.id);
  other.eth_dst = MacAddress::broadcast();
  EXPECT_FALSE(flow.matches(other));
}

TEST(Flow, Text) {
  FlowKey key = some_key();
  key.vlan_tci = FlowKey::kVlanPresent | 3 << 13 | 10;
  Flow flow = Flow::make(
      key,
      {Field::in_port, Field::vlan, Field::inner_vlan, Field::eth_type, Field::ip_src, Field::fragment, Field::l4_dst},
      {});
  EXPECT_EQ(flow.to_string(), flow.id.to_string() +
                                  " in_port=3 eth_type=0x0800 vlan=10/pcp3 inner_vlan=none ip_src=10.0.0.1 fragment=no "
                                  "l4_dst=80 actions=drop");
  EXPECT_EQ(Flow::make(key, {Field::tunnel}, {}).match_to_string(), "tunnel=none");
  key.tunnel = {5, IpAddress::v4(0x0a000001), IpAddress::v4(0x0a000002)};
  EXPECT_EQ(Flow::make(key, {Field::tunnel}, {}).match_to_string(), "tunnel=5/10.0.0.1->10.0.0.2");
}

}  // namespace
}  // namespace viaduct::flows
