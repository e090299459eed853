#include "flows/match/field_set.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace viaduct::flows {
namespace {

// A key in which every field differs from zero.
FlowKey full_key() {
  FlowKey key;
  key.in_port = {1};
  key.eth_type = 0x86dd;
  key.vlan_tci = FlowKey::kVlanPresent | 2;
  key.inner_vlan_tci = FlowKey::kVlanPresent | 3;
  key.eth_src = MacAddress::from_uint64(4);
  key.eth_dst = MacAddress::from_uint64(5);
  key.ip_src = IpAddress::parse("::6").value();
  key.ip_dst = IpAddress::parse("::7").value();
  key.ip_proto = 8;
  key.ip_tos = 9;
  key.ip_ttl = 10;
  key.fragment = Fragment::first;
  key.l4_src = 11;
  key.l4_dst = 12;
  key.tunnel = {13, IpAddress::v4(14), IpAddress::v4(15)};
  return key;
}

TEST(FieldSet, AllKeepsAndNoneZeroes) {
  EXPECT_EQ(FieldSet::all().apply(full_key()), full_key());
  EXPECT_EQ(FieldSet{}.apply(full_key()), FlowKey{});
}

TEST(FieldSet, EachFieldChangesTheKeyByItselfOnly) {
  std::vector<FlowKey> seen;
  for (unsigned i = 0; i < static_cast<unsigned>(Field::count_); ++i) {
    FieldSet one{static_cast<Field>(i)};
    FlowKey key = one.apply(full_key());
    EXPECT_NE(key, FlowKey{}) << one.to_string();
    EXPECT_EQ(one.apply(key), key);
    FieldSet others = FieldSet::from_bits(~one.bits());
    EXPECT_EQ(others.apply(key), FlowKey{}) << one.to_string();
    for (const FlowKey& other : seen) EXPECT_NE(key, other);
    seen.push_back(key);
  }
}

TEST(FieldSet, ContainsAndBits) {
  FieldSet set = FieldSet::ethernet();
  EXPECT_TRUE(FieldSet::all().contains(set));
  EXPECT_FALSE(set.contains({Field::ip_src}));
  set.add(FieldSet{Field::ip_src, Field::ip_dst});
  EXPECT_TRUE(set.contains({Field::ip_src, Field::vlan}));
  EXPECT_EQ(FieldSet::from_bits(set.bits()), set);
  EXPECT_EQ(FieldSet::from_bits(1U << 31), FieldSet{});
}

TEST(FieldSet, Text) {
  EXPECT_EQ(FieldSet{}.to_string(), "");
  EXPECT_EQ(FieldSet::ethernet().to_string(), "in_port,eth_src,eth_dst,eth_type,vlan");
  EXPECT_EQ((FieldSet{Field::l4_dst, Field::ip_ttl}).to_string(), "ip_ttl,l4_dst");
}

}  // namespace
}  // namespace viaduct::flows
