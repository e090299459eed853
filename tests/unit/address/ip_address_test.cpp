#include "topology/address/ip_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace viaduct {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(IpAddress, ReadsEachByteOfIPv4InEachPlace) {
  for (int place = 0; place < 4; ++place) {
    for (uint32_t value = 0; value < 256; ++value) {
      const IpAddress address = IpAddress::v4(value << (8 * place));
      EXPECT_EQ(IpAddress::parse(address.to_string()), address);
      EXPECT_EQ(address.v4_host_order(), value << (8 * place));
      EXPECT_EQ(address.bytes().size(), 4u);
      EXPECT_EQ(address.bytes()[static_cast<size_t>(3 - place)], value);
    }
  }
}

TEST(IpAddress, RefusesWhatIsNotIPv4) {
  for (const char* bad : {"",
                          ".",
                          "1",
                          "1.2.3",
                          "1.2.3.",
                          ".1.2.3",
                          "1..2.3",
                          "1.2.3.4.",
                          "1.2.3.4.5",
                          "256.1.1.1",
                          "1.1.1.256",
                          "1.2.3.-4",
                          "1.2.3.4 ",
                          " 1.2.3.4",
                          "1.2.3.4/8",
                          "0x1.2.3.4",
                          "01.2.3.4",
                          "1.2.3.04",
                          "1,2,3,4",
                          "a.b.c.d",
                          "1.2.3.4%eth0",
                          "1.2.3.4444",
                          "99999999999999999999.1.1.1"}) {
    EXPECT_EQ(IpAddress::parse(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(IpAddress::parse(std::string_view("1.2.3.4\0", 8)), std::nullopt);
  EXPECT_EQ(IpAddress::parse(std::string_view("1.2\0.3.4", 8)), std::nullopt);
  EXPECT_EQ(IpAddress::parse(std::string(100, '1')), std::nullopt);
}

// RFC 5952, section 4: one text for each address.
TEST(IpAddress, WritesIPv6AsRfc5952) {
  const struct {
    const char *read, *written;
  } cases[] = {
      {"::", "::"},
      {"::1", "::1"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:DB8::ABCD", "2001:db8::abcd"},
      {"fe80::1", "fe80::1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& one : cases) {
    ASSERT_TRUE(IpAddress::parse(one.read)) << one.read;
    EXPECT_EQ(ip(one.read).to_string(), one.written);
    EXPECT_EQ(ip(one.written), ip(one.read));
    EXPECT_TRUE(ip(one.read).is_v6());
  }
}

TEST(IpAddress, RefusesWhatIsNotIPv6) {
  for (const char* bad :
       {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "::1%eth0",
        "[::1]", "::1/64", "::1 ", ":1", "1:", "::1.2.3", "::1.2.3.256", "1.2.3.4::", "::-1"}) {
    EXPECT_EQ(IpAddress::parse(bad), std::nullopt) << bad;
  }
}

TEST(IpAddress, ReadsEachByteOfIPv6InEachPlace) {
  for (size_t place = 0; place < 16; ++place) {
    for (int value = 0; value < 256; ++value) {
      IpAddress::Bytes bytes{};
      bytes[place] = static_cast<uint8_t>(value);
      const IpAddress address = IpAddress::v6(bytes);
      EXPECT_EQ(IpAddress::parse(address.to_string()), address) << address.to_string();
      EXPECT_EQ(IpAddress::from_network(IpFamily::v6, address.bytes().data()), address);
    }
  }
}

TEST(IpAddress, FamiliesAreNeverEqual) {
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_NE(ip("1.2.3.4"), ip("::ffff:1.2.3.4"));
  EXPECT_LT(ip("255.255.255.255"), ip("::"));
  EXPECT_NE(std::hash<IpAddress>{}(ip("0.0.0.0")), std::hash<IpAddress>{}(ip("::")));
}

TEST(IpAddress, Classes) {
  const struct {
    const char* text;
    bool any, multicast, loopback, link_local, broadcast;
  } cases[] = {
      {"0.0.0.0", true, false, false, false, false},
      {"0.0.0.1", false, false, false, false, false},
      {"126.255.255.255", false, false, false, false, false},
      {"127.0.0.0", false, false, true, false, false},
      {"127.255.255.255", false, false, true, false, false},
      {"128.0.0.0", false, false, false, false, false},
      {"169.253.255.255", false, false, false, false, false},
      {"169.254.0.0", false, false, false, true, false},
      {"169.254.255.255", false, false, false, true, false},
      {"169.255.0.0", false, false, false, false, false},
      {"223.255.255.255", false, false, false, false, false},
      {"224.0.0.0", false, true, false, false, false},
      {"239.255.255.255", false, true, false, false, false},
      {"240.0.0.0", false, false, false, false, false},
      {"255.255.255.255", false, false, false, false, true},
      {"::", true, false, false, false, false},
      {"::1", false, false, true, false, false},
      {"::2", false, false, false, false, false},
      {"fe7f:ffff::", false, false, false, false, false},
      {"fe80::", false, false, false, true, false},
      {"febf:ffff::1", false, false, false, true, false},
      {"fec0::", false, false, false, false, false},
      {"feff::", false, false, false, false, false},
      {"ff00::", false, true, false, false, false},
      {"ff02::1", false, true, false, false, false},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, true, false, false, false},
  };
  for (const auto& one : cases) {
    const IpAddress address = ip(one.text);
    EXPECT_EQ(address.is_any(), one.any) << one.text;
    EXPECT_EQ(address.is_multicast(), one.multicast) << one.text;
    EXPECT_EQ(address.is_loopback(), one.loopback) << one.text;
    EXPECT_EQ(address.is_link_local(), one.link_local) << one.text;
    EXPECT_EQ(address.is_limited_broadcast(), one.broadcast) << one.text;
  }
}

TEST(IpAddress, BitsCountFromTheLeft) {
  const IpAddress address = ip("128.0.0.1");
  for (int i = 0; i < 32; ++i) EXPECT_EQ(address.bit(i), i == 0 || i == 31) << i;
  EXPECT_TRUE(ip("8000::1").bit(0));
  EXPECT_TRUE(ip("8000::1").bit(127));
  EXPECT_FALSE(ip("8000::1").bit(126));
}

TEST(IpAddress, DerivedAddresses) {
  EXPECT_EQ(ip("2001:db8::1:2345:6789").solicited_node(), ip("ff02::1:ff45:6789"));
  EXPECT_EQ(ip("224.129.2.3").multicast_mac(), MacAddress::parse("01:00:5e:01:02:03"));
  EXPECT_EQ(ip("ff02::1:ff45:6789").multicast_mac(), MacAddress::parse("33:33:ff:45:67:89"));
  EXPECT_EQ(IpAddress::link_local_of(MacAddress::parse("00:11:22:33:44:55").value()), ip("fe80::211:22ff:fe33:4455"));
}

}  // namespace
}  // namespace viaduct
