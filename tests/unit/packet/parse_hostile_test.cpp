// What the parser makes of frames that are cut or lie. The bytes lie at the end of their own allocation, so that the
// sanitized run sees a read behind them.
#include <gtest/gtest.h>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

// Offsets lie inside of the frame and in order, whatever it holds.
void expect_sound(const Packet& packet) {
  size_t size = packet.bytes.size();
  ASSERT_LE(packet.l3_offset, size);
  ASSERT_LE(packet.l4_offset, size);
  ASSERT_LE(size_t{packet.l3_length}, size - packet.l3_offset);
  if (packet.l4_offset != 0) {
    ASSERT_GE(packet.l4_offset, packet.l3_offset + 20);
  }
  ASSERT_LE(packet.l3_segment_bytes(), size);
  if (packet.key.fragment == Fragment::later) {
    ASSERT_EQ(packet.l4_offset, 0);
  }
}

bool is_malformed(Bytes frame) { return parse(frame, kPort).error == DropReason::malformed; }

TEST(ParseHostile, EveryFrameCutAtEveryByte) {
  for (std::string_view text :
       {golden::kTcpV4, golden::kUdpV6, golden::kIcmpV4Options, golden::kIcmpV6Echo, golden::kQinQUdp,
        golden::kArpRequest, golden::kNeighbourSolicitation, golden::kExtensionChain, golden::kV6FirstFragment}) {
    Bytes whole = from_hex(text);
    ASSERT_EQ(parse(whole, kPort).error, DropReason::none);
    for (size_t length = 0; length < whole.size(); ++length) {
      Bytes frame = exact(std::span(whole).first(length));
      Packet packet = parse(frame, kPort);
      EXPECT_EQ(packet.error, DropReason::malformed) << text << " cut at " << length;
      expect_sound(packet);
      EXPECT_EQ(packet.l4_offset, 0);
      // The Ethernet header is what a bridge needs.
      EXPECT_EQ(packet.key.eth_src.is_zero(), length < wire::eth::kBytes);
    }
  }
}

TEST(ParseHostile, HeaderFieldsThatLie) {
  Bytes good = v4().udp(1, 2).payload(8).build();
  auto with = [&](size_t at, uint8_t value) {
    Bytes frame = good;
    frame[at] = value;
    return frame;
  };
  EXPECT_TRUE(is_malformed(with(14, 0x65)));  // version
  EXPECT_TRUE(is_malformed(with(14, 0x44)));  // IHL below 5
  EXPECT_TRUE(is_malformed(with(14, 0x4f)));  // IHL beyond the total length
  EXPECT_TRUE(is_malformed(with(17, 19)));    // total length below the header
  EXPECT_TRUE(is_malformed(with(17, 37)));    // total length beyond the frame
  EXPECT_TRUE(is_malformed(with(16, 0xff)));
  EXPECT_TRUE(is_malformed(with(14 + 25, 7)));   // UDP length below its header
  EXPECT_TRUE(is_malformed(with(14 + 25, 17)));  // UDP length beyond the packet
  EXPECT_TRUE(is_malformed(with(14 + 25, 0)));
  EXPECT_FALSE(is_malformed(with(14 + 25, 15)));  // shorter is allowed (RFC 768 says nothing against it)
}

TEST(ParseHostile, TcpDataOffset) {
  Bytes frame = v4().tcp(1, 2).payload(4).build();
  frame[14 + 20 + wire::tcp::kDataOffset] = 4 << 4;
  EXPECT_TRUE(is_malformed(frame));
  frame[14 + 20 + wire::tcp::kDataOffset] = 7 << 4;
  EXPECT_TRUE(is_malformed(frame));
  frame[14 + 20 + wire::tcp::kDataOffset] = 6 << 4;
  EXPECT_FALSE(is_malformed(frame));
}

TEST(ParseHostile, TheLengthIsOfThePacketNotOfTheFrame) {
  // The TCP header would fit in the frame, but the IP header says that the packet ends before.
  Bytes frame = v4().tcp(1, 2).payload(20).build();
  wire::store16(frame.data() + 14 + wire::ipv4::kTotalLength, 30);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::malformed);
  EXPECT_EQ(packet.key.l4_src, 0);
  EXPECT_EQ(packet.key.ip_src, ip("10.0.0.1"));
}

TEST(ParseHostile, TinyFirstFragment) {
  EXPECT_TRUE(is_malformed(v4().fragment(0, true).protocol(ip_proto::kTcp).payload(8).build()));  // RFC 1858
}

TEST(ParseHostile, FragmentBeyondTheLargestDatagram) {
  Bytes frame = v4().fragment(8 * 8189, false).protocol(ip_proto::kIcmp).payload(100).build();
  EXPECT_TRUE(is_malformed(frame));
}

TEST(ParseHostile, ExtensionHeaderBeyondThePacket) {
  Bytes frame = v6().extension(wire::ipv6::kDestination).udp(1, 2).build();
  frame[14 + 40 + 1] = 2;  // 24 bytes of 16
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::malformed);
  EXPECT_EQ(packet.key.ip_dst, ip("2001:db8::2"));
  EXPECT_EQ(packet.key.ip_proto, 0);
}

TEST(ParseHostile, LongestExtensionChainKeepsOffsetsIn16Bits) {
  std::vector<uint8_t> body(2046);
  PacketBuilder builder = v6().vlan(1).vlan(2).udp(1, 2).payload(30000);
  for (int i = 0; i < 16; ++i) builder.extension(wire::ipv6::kDestination, body);
  Bytes frame = builder.build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.error, DropReason::none);
  EXPECT_EQ(packet.l4_offset, 22 + 40 + 16 * 2048);
}

TEST(ParseHostile, ZeroPayloadWithoutJumboOption) {
  Bytes frame = v6().extension(wire::ipv6::kHopByHop).udp(1, 2).build();
  wire::store16(frame.data() + 14 + wire::ipv6::kPayloadLength, 0);
  EXPECT_TRUE(is_malformed(frame));
}

TEST(ParseHostile, GeneratedFramesAreRightWholeAndSoundWhenDamaged) {
  FrameGenerator generate(1);
  for (int round = 0; round < 3000; ++round) {
    Bytes whole = generate.next();
    Packet packet = parse(whole, kPort);
    ASSERT_EQ(packet.error, DropReason::none) << "round " << round;
    expect_sound(packet);
    Bytes cut = exact(std::span(whole).first(generate.below(static_cast<uint32_t>(whole.size()))));
    expect_sound(parse(cut, kPort));
    for (int flips = 0; flips < 4; ++flips) {
      whole[generate.below(std::min<uint32_t>(static_cast<uint32_t>(whole.size()), 120))] =
          static_cast<uint8_t>(generate.below(256));
      Packet damaged = parse(whole, kPort);
      expect_sound(damaged);
      verify_l4_checksum(damaged);
      looks_partial(damaged);
      parse_neighbour_discovery(damaged);
    }
  }
}

}  // namespace
}  // namespace viaduct::flows
