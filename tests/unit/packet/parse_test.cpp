// What the parser finds in frames that are right.
#include <gtest/gtest.h>

#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

TEST(Parse, TcpOverIpv4) {
  Bytes frame = from_hex(golden::kTcpV4);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.in_port, kPort);
  EXPECT_EQ(packet.key.eth_src, mac("02:00:00:00:00:01"));
  EXPECT_EQ(packet.key.eth_dst, mac("02:00:00:00:00:02"));
  EXPECT_EQ(packet.key.eth_type, ethertype::kIpv4);
  EXPECT_EQ(packet.key.ip_src, ip("10.0.0.1"));
  EXPECT_EQ(packet.key.ip_dst, ip("10.0.0.2"));
  EXPECT_EQ(packet.key.ip_proto, ip_proto::kTcp);
  EXPECT_EQ(packet.key.ip_tos, 0x2e);
  EXPECT_EQ(packet.key.ip_ttl, 64);
  EXPECT_EQ(packet.key.l4_src, 1234);
  EXPECT_EQ(packet.key.l4_dst, 80);
  EXPECT_EQ(packet.key.fragment, Fragment::none);
  EXPECT_EQ(packet.l3_offset, 14);
  EXPECT_EQ(packet.l4_offset, 34);
  EXPECT_EQ(packet.l3_length, 54U);
  EXPECT_EQ(packet.l3_segment_bytes(), 54U);
}

TEST(Parse, UdpOverIpv6) {
  Bytes frame = from_hex(golden::kUdpV6);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.eth_type, ethertype::kIpv6);
  EXPECT_EQ(packet.key.ip_src, ip("2001:db8::1"));
  EXPECT_EQ(packet.key.ip_proto, ip_proto::kUdp);
  EXPECT_EQ(packet.key.ip_tos, 0x5a);
  EXPECT_EQ(packet.key.ip_ttl, 9);
  EXPECT_EQ(packet.key.l4_src, 53);
  EXPECT_EQ(packet.key.l4_dst, 5353);
  EXPECT_EQ(packet.l4_offset, 54);
  EXPECT_EQ(packet.l3_length, 51U);
}

TEST(Parse, Ipv4OptionsMoveTheIcmpHeader) {
  Bytes frame = from_hex(golden::kIcmpV4Options);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.l4_offset, 14 + 24);
  EXPECT_EQ(packet.key.l4_src, 8);
  EXPECT_EQ(packet.key.l4_dst, 0);
}

TEST(Parse, TwoVlanTags) {
  Bytes frame = from_hex(golden::kQinQUdp);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_TRUE(packet.key.is_tagged());
  EXPECT_EQ(packet.key.vlan_id(), 100);
  EXPECT_EQ(packet.key.vlan_tci, 5 << 13 | FlowKey::kVlanPresent | 100);
  EXPECT_EQ(packet.key.inner_vlan_tci, FlowKey::kVlanPresent | 7);
  EXPECT_EQ(packet.l3_offset, 22);
  EXPECT_EQ(packet.key.l4_dst, 2);
}

TEST(Parse, TheThirdTagIsThePayload) {
  Bytes frame = v4().vlan(1).vlan(2).vlan(3).udp(1, 2).build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.eth_type, ethertype::kVlan);
  EXPECT_EQ(packet.l3_offset, 22);
  EXPECT_EQ(packet.l4_offset, 0);
  EXPECT_EQ(packet.key.ip_src, IpAddress{});
}

TEST(Parse, TheDeiBitIsNotMatched) {
  Bytes frame = v4().vlan(9).udp(1, 2).build();
  frame[14] |= 0x10;  // DEI, the place of kVlanPresent
  uint16_t with = parse(frame, kPort).key.vlan_tci;
  frame[14] &= 0xef;
  EXPECT_EQ(with, parse(frame, kPort).key.vlan_tci);
}

TEST(Parse, LlcFrame) {
  Bytes body(46, 0x42);
  Bytes frame = PacketBuilder{}
                    .eth("02:00:00:00:00:01", "01:80:c2:00:00:00")
                    .ethertype(static_cast<uint16_t>(38))
                    .payload(body)
                    .build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.eth_type, ethertype::kLlc);
  frame[13] = 47;  // longer than the frame
  EXPECT_EQ(parse(frame, kPort).error, DropReason::malformed);
}

TEST(Parse, Arp) {
  Bytes frame = from_hex(golden::kArpRequest);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.key.ip_proto, Arp::request);
  EXPECT_EQ(packet.key.ip_src, ip("10.0.0.1"));
  EXPECT_EQ(packet.key.ip_dst, ip("10.0.0.2"));
  EXPECT_EQ(packet.l4_offset, 0);
  EXPECT_EQ(packet.l3_length, 0U);
  EXPECT_EQ(packet.l3_segment_bytes(), 28U);
  auto arp = parse_arp(packet);
  ASSERT_TRUE(arp);
  EXPECT_EQ(arp->sender_mac, mac("02:00:00:00:00:01"));
  EXPECT_TRUE(arp->target_mac.is_zero());
  EXPECT_FALSE(arp->is_gratuitous());
}

TEST(Parse, ArpOfOtherHardwareHasNoFields) {
  Bytes frame = from_hex(golden::kArpRequest);
  frame[15] = 6;  // IEEE 802 networks
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.ip_src, IpAddress{});
  EXPECT_FALSE(parse_arp(packet));
}

TEST(Parse, ArpOperationBeyondAByteIsNone) {
  Bytes frame = from_hex(golden::kArpRequest);
  frame[20] = 1;
  EXPECT_FALSE(parse_arp(parse(frame, kPort)));
}

TEST(Parse, ExtensionHeaders) {
  Bytes frame = from_hex(golden::kExtensionChain);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.ip_proto, ip_proto::kTcp);
  EXPECT_EQ(packet.l4_offset, 14 + 40 + 8 + 16 + 8);
  EXPECT_EQ(packet.key.l4_src, 7);
}

TEST(Parse, AuthenticationHeaderCountsInWords) {
  uint8_t body[22] = {};  // 24 bytes in all, as with HMAC-96
  Bytes frame = v6().extension(wire::ipv6::kAuthentication, body).udp(3, 4).build();
  EXPECT_EQ(frame[55], 4);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.l4_offset, 14 + 40 + 24);
  EXPECT_EQ(packet.key.l4_dst, 4);
}

TEST(Parse, SixteenExtensionHeadersAreTheLimit) {
  PacketBuilder builder = v6().udp(1, 2);
  for (int i = 0; i < 16; ++i) builder.extension(wire::ipv6::kDestination);
  Bytes frame = builder.build();
  EXPECT_EQ(parse(frame, kPort).key.l4_dst, 2);
  frame = builder.extension(wire::ipv6::kDestination).build();
  EXPECT_EQ(parse(frame, kPort).error, DropReason::malformed);
}

TEST(Parse, NoNextHeader) {
  Bytes frame = v6().build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.key.ip_proto, wire::ipv6::kNoNext);
  EXPECT_EQ(packet.l3_length, 40U);
}

TEST(Parse, FirstFragmentHasPorts) {
  for (Bytes frame :
       {v4().fragment(0, true).udp(5, 6).payload(16).build(), v6().fragment(0, true).udp(5, 6).payload(16).build()}) {
    Packet packet = parse(frame, kPort);
    EXPECT_EQ(packet.key.fragment, Fragment::first);
    EXPECT_EQ(packet.key.l4_dst, 6);
    EXPECT_NE(packet.l4_offset, 0);
  }
  Bytes golden = from_hex(golden::kV6FirstFragment);
  Packet packet = parse(golden, kPort);
  EXPECT_EQ(packet.error, DropReason::none);  // its UDP length is of the whole datagram
  EXPECT_EQ(packet.key.l4_src, 1);
}

TEST(Parse, LaterFragmentHasNone) {
  for (Bytes frame : {v4().fragment(24, false).udp(5, 6).payload(16).build(), from_hex(golden::kV6LaterFragment)}) {
    Packet packet = parse(frame, kPort);
    EXPECT_EQ(packet.error, DropReason::none);
    EXPECT_EQ(packet.key.fragment, Fragment::later);
    EXPECT_EQ(packet.key.ip_proto, ip_proto::kUdp);
    EXPECT_EQ(packet.key.l4_dst, 0);
    EXPECT_EQ(packet.l4_offset, 0);
  }
}

TEST(Parse, EthernetPaddingIsNotOfThePacket) {
  Bytes frame = v4().udp(1, 2).payload(1).pad_to(60).build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.l3_length, 29U);
  EXPECT_EQ(packet.l3_segment_bytes(), 29U);
}

TEST(Parse, SuperPacketIsMeasuredByItsSegments) {
  Bytes frame = v4().tcp(1, 2).payload(40000).build();
  Packet packet = parse(frame, kPort, {1448, Offload::Gso::tcp_v4, true});
  EXPECT_EQ(packet.l3_length, 40040U);
  EXPECT_EQ(packet.l3_segment_bytes(), 1488U);
}

TEST(Parse, LargestIpv6Payload) {
  Bytes frame = v6().udp(1, 2).payload(65535 - 8).build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.l3_length, 65575U);  // does not fit in 16 bits
}

TEST(Parse, Jumbogram) {
  uint8_t option[6] = {wire::ipv6::kJumboOption, 4};
  Bytes frame = v6().extension(wire::ipv6::kHopByHop, option).tcp(1, 2).payload(100).build();
  size_t payload = 70000;
  frame.resize(14 + 40 + payload);
  wire::store16(frame.data() + 14 + wire::ipv6::kPayloadLength, 0);
  wire::store32(frame.data() + 14 + 40 + 4, static_cast<uint32_t>(payload));
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.l3_length, 0U);
  EXPECT_EQ(packet.key.l4_dst, 2);
  EXPECT_EQ(packet.l3_segment_bytes(), 40 + payload);
  wire::store32(frame.data() + 14 + 40 + 4, static_cast<uint32_t>(payload + 1));
  EXPECT_EQ(parse(frame, kPort).error, DropReason::malformed);
}

}  // namespace
}  // namespace viaduct::flows
