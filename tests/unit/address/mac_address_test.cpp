#include "topology/address/mac_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace viaduct {
namespace {

TEST(MacAddress, ReadsEachByteInEachPlace) {
  for (int place = 0; place < 6; ++place) {
    for (int value = 0; value < 256; ++value) {
      MacAddress::Bytes bytes{};
      bytes[static_cast<size_t>(place)] = static_cast<uint8_t>(value);
      const MacAddress mac(bytes);
      EXPECT_EQ(MacAddress::parse(mac.to_string()), mac);
      EXPECT_EQ(MacAddress::from_uint64(mac.as_uint64()), mac);
    }
  }
}

TEST(MacAddress, ReadsColonsAndDashesAndBothCases) {
  const auto mac = MacAddress::from_uint64(0xaabb'ccdd'eeff);
  EXPECT_EQ(MacAddress::parse("aa:bb:cc:dd:ee:ff"), mac);
  EXPECT_EQ(MacAddress::parse("AA-BB-CC-DD-EE-FF"), mac);
  EXPECT_EQ(mac.to_string(), "aa:bb:cc:dd:ee:ff");
}

TEST(MacAddress, RefusesEverythingElse) {
  const std::string good = "aa:bb:cc:dd:ee:ff";
  for (size_t at = 0; at < good.size(); ++at) {
    for (char other : {'g', ':', '-', ' ', '\0', '.', '/', '@', '`'}) {
      std::string bad = good;
      if (bad[at] == other) continue;
      bad[at] = other;
      EXPECT_EQ(MacAddress::parse(bad), std::nullopt) << bad;
    }
    EXPECT_EQ(MacAddress::parse(good.substr(0, at)), std::nullopt);
  }
  for (const char* bad : {"aa:bb-cc:dd:ee:ff", "aabb.ccdd.eeff", "aabbccddeeff", "a:b:c:d:e:f",
                          "aa:bb:cc:dd:ee:ff:", " aa:bb:cc:dd:ee:ff"}) {
    EXPECT_EQ(MacAddress::parse(bad), std::nullopt) << bad;
  }
}

TEST(MacAddress, KnowsGroups) {
  for (int first = 0; first < 256; ++first) {
    const auto mac = MacAddress({static_cast<uint8_t>(first), 0, 0, 0, 0, 1});
    EXPECT_EQ(mac.is_multicast(), first % 2 == 1);
    EXPECT_FALSE(mac.is_broadcast());
    EXPECT_FALSE(mac.is_zero());
  }
  EXPECT_TRUE(MacAddress::broadcast().is_broadcast());
  EXPECT_TRUE(MacAddress::broadcast().is_multicast());
  EXPECT_TRUE(MacAddress{}.is_zero());
  EXPECT_EQ(MacAddress::from_uint64(0xffff'0000'0000'0001).as_uint64(), 1u) << "only 48 bits count";
}

}  // namespace
}  // namespace viaduct
