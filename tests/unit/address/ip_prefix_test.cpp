#include <gtest/gtest.h>

#include <random>
#include <string>

#include "topology/address/ip_address.hpp"

namespace viaduct {
namespace {

IpPrefix prefix(std::string_view text) { return IpPrefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

IpAddress random_address(IpFamily family, std::mt19937& random) {
  IpAddress::Bytes bytes;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return IpAddress::from_network(family, bytes.data());
}
IpAddress with_flipped_bit(const IpAddress& address, int bit) {
  IpAddress::Bytes bytes = address.storage();
  bytes[static_cast<size_t>(bit / 8)] ^= static_cast<uint8_t>(0x80 >> bit % 8);
  return IpAddress::from_network(address.family(), bytes.data());
}

TEST(IpPrefix, ReadsAndWritesEveryLength) {
  for (const char* base : {"192.0.2.1", "2001:db8::1"}) {
    const int width = ip(base).width_bits();
    for (int length = 0; length <= width; ++length) {
      const std::string text = std::string(base) + "/" + std::to_string(length);
      ASSERT_TRUE(IpPrefix::parse(text)) << text;
      EXPECT_EQ(prefix(text).to_string(), text);
      EXPECT_EQ(prefix(text).length(), length);
      EXPECT_EQ(prefix(text).is_host(), length == width);
    }
    EXPECT_EQ(IpPrefix::parse(std::string(base) + "/" + std::to_string(width + 1)), std::nullopt);
    EXPECT_EQ(prefix(base), IpPrefix::host(ip(base)));
  }
}

TEST(IpPrefix, RefusesEverythingElse) {
  for (const char* bad :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8",
        "10.0.0.0/a", "10.0.0.0/0x8", "10.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.0/99999999999", "::/129", "::1/"}) {
    EXPECT_EQ(IpPrefix::parse(bad), std::nullopt) << bad;
  }
}

// Flipping a bit of an address takes it out of the prefix exactly when the bit is inside the length.
TEST(IpPrefix, ContainsWhatAgreesInItsBits) {
  std::mt19937 random(3);
  for (IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const int width = IpAddress::any(family).width_bits();
    for (int length = 0; length <= width; ++length) {
      const IpAddress address = random_address(family, random);
      const IpPrefix of(address, length);
      EXPECT_TRUE(of.contains(address));
      for (int bit = 0; bit < width; ++bit) {
        EXPECT_EQ(of.contains(with_flipped_bit(address, bit)), bit >= length) << of.to_string() << " bit " << bit;
      }
    }
  }
}

TEST(IpPrefix, NetworkClearsHostBitsOnly) {
  std::mt19937 random(4);
  for (IpFamily family : {IpFamily::v4, IpFamily::v6}) {
    const int width = IpAddress::any(family).width_bits();
    for (int length = 0; length <= width; ++length) {
      const IpPrefix of(random_address(family, random), length);
      const IpPrefix network = of.network();
      EXPECT_EQ(network.length(), length);
      EXPECT_FALSE(network.has_host_bits());
      EXPECT_EQ(of.has_host_bits(), of.address() != network.address());
      for (int bit = 0; bit < width; ++bit)
        EXPECT_EQ(network.address().bit(bit), bit < length && of.address().bit(bit));
      EXPECT_TRUE(of.contains(network));
      EXPECT_TRUE(network.contains(of));
    }
  }
}

TEST(IpPrefix, FamiliesDoNotMix) {
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(ip("::")));
  EXPECT_FALSE(prefix("::/0").contains(ip("10.0.0.1")));
  EXPECT_FALSE(prefix("0.0.0.0/0").overlaps(prefix("::/0")));
  EXPECT_NE(prefix("0.0.0.0/0"), prefix("::/0"));
}

TEST(IpPrefix, Overlaps) {
  EXPECT_TRUE(prefix("10.0.0.0/8").overlaps(prefix("10.1.0.0/16")));
  EXPECT_TRUE(prefix("10.1.0.0/16").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.0.0.0/16").overlaps(prefix("10.1.0.0/16")));
  EXPECT_TRUE(prefix("10.0.0.0/8").contains(prefix("10.1.0.0/16")));
  EXPECT_FALSE(prefix("10.1.0.0/16").contains(prefix("10.0.0.0/8")));
}

// RFC 3021: a /31 has no broadcast address, and a /32 none either.
TEST(IpPrefix, Broadcast) {
  EXPECT_EQ(prefix("192.0.2.1/24").broadcast(), ip("192.0.2.255"));
  EXPECT_EQ(prefix("192.0.2.1/30").broadcast(), ip("192.0.2.3"));
  EXPECT_EQ(prefix("192.0.2.1/31").broadcast(), std::nullopt);
  EXPECT_EQ(prefix("192.0.2.1/32").broadcast(), std::nullopt);
  EXPECT_EQ(prefix("0.0.0.0/0").broadcast(), ip("255.255.255.255"));
  EXPECT_EQ(prefix("2001:db8::1/64").broadcast(), std::nullopt);
}

TEST(IpPrefix, OrdersNetworksBeforeWhatIsInsideThem) {
  EXPECT_LT(prefix("10.0.0.0/8"), prefix("10.0.0.0/16"));
  EXPECT_LT(prefix("10.0.0.0/16"), prefix("10.1.0.0/8"));
  EXPECT_LT(prefix("255.0.0.0/8"), prefix("::/0"));
}

}  // namespace
}  // namespace viaduct
