// The builder against another implementation's bytes, and against the parser.
#include "flows/packet/packet_builder.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

Bytes text(std::string_view characters) { return Bytes(characters.begin(), characters.end()); }

TEST(PacketBuilder, TcpIsTheGoldenOne) {
  Bytes frame = v4().ttl(64)
                    .tos(0x2e)
                    .identification(0x1234)
                    .dont_fragment()
                    .tcp(1234, 80, 0x18, 0x01020304, 0x05060708)
                    .payload(text("hello, network"))
                    .build();
  wire::store16(frame.data() + 34 + wire::tcp::kWindow, 0x2000);  // the only field that the builder does not offer
  Packet packet = parse(frame, kPort);
  fix_l4_checksum(packet);
  EXPECT_EQ(frame, from_hex(golden::kTcpV4));
}

TEST(PacketBuilder, UdpOverIpv6IsTheGoldenOne) {
  EXPECT_EQ(v6().ttl(9).tos(0x5a).udp(53, 5353).payload(text("odd")).build(), from_hex(golden::kUdpV6));
}

TEST(PacketBuilder, EchoWithRouterAlertIsTheGoldenOne) {
  static constexpr uint8_t kRouterAlert[] = {0x94, 4, 0, 0};
  Bytes frame = PacketBuilder{}
                    .eth("02:00:00:00:00:01", "02:00:00:00:00:02")
                    .ip("192.0.2.1", "192.0.2.2")
                    .ttl(5)
                    .identification(7)
                    .ip_options(kRouterAlert)
                    .icmp_echo_request(0x11, 0x22)
                    .payload(text("ping"))
                    .build();
  EXPECT_EQ(frame, from_hex(golden::kIcmpV4Options));
}

TEST(PacketBuilder, EchoOverIpv6IsTheGoldenOne) {
  Bytes frame = PacketBuilder{}
                    .eth("02:00:00:00:00:01", "02:00:00:00:00:02")
                    .ip("fe80::1", "fe80::2")
                    .icmp_echo_request(3, 4)
                    .payload(text("abc"))
                    .build();
  EXPECT_EQ(frame, from_hex(golden::kIcmpV6Echo));
}

TEST(PacketBuilder, QinQIsTheGoldenOne) {
  Bytes frame = PacketBuilder{}
                    .eth("02:00:00:00:00:01", "02:00:00:00:00:02")
                    .vlan(100, 5, ethertype::kQinQ)
                    .vlan(7)
                    .ip("10.1.1.1", "10.1.1.2")
                    .identification(1)
                    .udp(1, 2)
                    .payload(text("xy"))
                    .build();
  EXPECT_EQ(frame, from_hex(golden::kQinQUdp));
}

TEST(PacketBuilder, WhatItBuildsVerifies) {
  FrameGenerator generate(4);
  for (int round = 0; round < 1000; ++round) {
    Bytes frame = generate.next();
    Packet packet = parse(frame, kPort);
    ASSERT_EQ(packet.error, DropReason::none);
    ASSERT_TRUE(verify_l4_checksum(packet));
    if (packet.key.eth_type == ethertype::kIpv4) {
      ASSERT_TRUE(verify_ipv4_header(std::span(frame).subspan(packet.l3_offset)));
    }
  }
}

TEST(PacketBuilder, RefusesWhatIsNoAddress) {
  EXPECT_THROW(PacketBuilder{}.eth("02:00", "02:00:00:00:00:02"), std::invalid_argument);
  EXPECT_THROW(PacketBuilder{}.ip("10.0.0.1", "fe80::1"), std::invalid_argument);
  EXPECT_THROW(v4().udp(1, 2).payload(65535).build(), std::invalid_argument);
}

}  // namespace
}  // namespace viaduct::flows
