#include "topology/address/id.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>

namespace viaduct {
namespace {

constexpr const char* kText = "01234567-89ab-cdef-fedc-ba9876543210";

TEST(Uuid, ReadsAndWritesTheTextForm) {
  const auto uuid = Uuid::parse(kText);
  ASSERT_TRUE(uuid);
  EXPECT_EQ(uuid->to_string(), kText);
  EXPECT_EQ(uuid->high(), 0x0123'4567'89ab'cdefU);
  EXPECT_EQ(uuid->low(), 0xfedc'ba98'7654'3210U);
  EXPECT_EQ(Uuid::from_words(uuid->high(), uuid->low()), *uuid);
  EXPECT_EQ(Uuid::parse("01234567-89AB-CDEF-FEDC-BA9876543210"), uuid);
}

// Every text that differs from a good one by one character or by its length.
TEST(Uuid, RefusesEverythingElse) {
  const std::string good = kText;
  for (size_t at = 0; at < good.size(); ++at) {
    for (char other : {'g', '-', ' ', '\0', '/', ':', '@', '`', 'G', '\xff'}) {
      std::string bad = good;
      if (bad[at] == other) continue;
      bad[at] = other;
      EXPECT_EQ(Uuid::parse(bad), std::nullopt) << bad;
    }
    EXPECT_EQ(Uuid::parse(good.substr(0, at)), std::nullopt);
  }
  EXPECT_EQ(Uuid::parse(good + "0"), std::nullopt);
  EXPECT_EQ(Uuid::parse("{" + good + "}"), std::nullopt);
  EXPECT_EQ(Uuid::parse("0123456789abcdeffedcba9876543210"), std::nullopt);
}

TEST(Uuid, NilIsNone) {
  EXPECT_TRUE(Uuid{}.is_nil());
  EXPECT_FALSE(Uuid{});
  EXPECT_TRUE(Uuid::from_words(0, 1));
  EXPECT_EQ(Uuid{}.to_string(), "00000000-0000-0000-0000-000000000000");
}

TEST(Uuid, OrdersAsItsTextDoes) {
  const Uuid a = Uuid::from_words(1, ~uint64_t{0}), b = Uuid::from_words(2, 0);
  EXPECT_LT(a, b);
  EXPECT_LT(a.to_string(), b.to_string());
}

TEST(Uuid, RandomOnesAreVersion4AndDiffer) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = Uuid::random();
    EXPECT_EQ(uuid.to_string()[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid.to_string()[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(uuid).second);
  }
}

TEST(Id, KindsDoNotMix) {
  static_assert(!std::is_convertible_v<PortId, BridgeId>);
  static_assert(!std::is_convertible_v<Uuid, PortId>);
  static_assert(!std::is_constructible_v<PortId, BridgeId>);
  EXPECT_EQ(PortId::parse(kText)->to_string(), kText);
  EXPECT_EQ(PortId::parse("port"), std::nullopt);
  EXPECT_TRUE(PortId{}.is_nil());
}

TEST(Id, NeighbouringNumbersHashApart) {
  std::set<size_t> low, high;
  for (uint64_t i = 0; i < 1000; ++i) {
    low.insert(std::hash<Uuid>{}(Uuid::from_words(0, i)));
    high.insert(std::hash<PortId>{}(PortId(Uuid::from_words(i, 0))));
  }
  EXPECT_EQ(low.size(), 1000u);
  EXPECT_EQ(high.size(), 1000u);
}

}  // namespace
}  // namespace viaduct
