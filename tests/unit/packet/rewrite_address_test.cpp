#include <gtest/gtest.h>

#include "flows/packet/checksum.hpp"
#include "flows/packet/fragment.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

const IpAddress kNewV4Src = ip("203.0.113.77"), kNewV4Dst = ip("192.0.2.255");
const IpAddress kNewV6Src = ip("2001:db8:ffff::77"), kNewV6Dst = ip("64:ff9b::1");

bool rewrite_ip(Packet& packet) {
  bool v4 = packet.key.eth_type == ethertype::kIpv4;
  return set_ip(packet, v4 ? kNewV4Src : kNewV6Src, v4 ? kNewV4Dst : kNewV6Dst);
}

// The same packet with all checksums computed anew; layer 4 of a fragment as it is.
Bytes recomputed(Bytes frame) {
  Packet packet = parse(frame, kPort);
  if (packet.key.eth_type == ethertype::kIpv4) fix_ipv4_header(std::span(frame).subspan(packet.l3_offset));
  fix_l4_checksum(packet);
  return frame;
}

TEST(RewriteAddress, AgreesWithComputingAnew) {
  FrameGenerator generator(11);
  size_t with_ports = 0;
  for (int i = 0; i < 3000; ++i) {
    Bytes frame = generator.next();
    const Bytes original = frame;
    Packet packet = parse(frame, kPort);
    const FlowKey before = packet.key;
    ASSERT_TRUE(rewrite_ip(packet));
    ASSERT_EQ(frame, recomputed(frame)) << i;
    ASSERT_EQ(packet.key, parse(frame, kPort).key);
    auto src = static_cast<uint16_t>(generator.below(65536)), dst = static_cast<uint16_t>(generator.below(65536));
    if (set_ports(packet, src, dst)) {
      ++with_ports;
      ASSERT_EQ(frame, recomputed(frame)) << i;
      ASSERT_EQ(packet.key, parse(frame, kPort).key);
      ASSERT_EQ(packet.key.l4_src, src);
      ASSERT_EQ(packet.key.l4_dst, dst);
      ASSERT_TRUE(set_ports(packet, before.l4_src, before.l4_dst));
    }
    ASSERT_TRUE(set_ip(packet, before.ip_src, before.ip_dst));
    ASSERT_EQ(frame, original) << i;
  }
  EXPECT_GT(with_ports, 1000U);
}

TEST(RewriteAddress, EveryPortOfUdp) {  // one of them has a checksum of zero
  Bytes frame = v4().udp(1, 2).payload(3).build();
  Packet packet = parse(frame, kPort);
  size_t zero = 0;
  for (uint32_t port = 0; port < 65536; ++port) {
    ASSERT_TRUE(set_ports(packet, static_cast<uint16_t>(port), 2));
    ASSERT_EQ(frame, v4().udp(static_cast<uint16_t>(port), 2).payload(3).build()) << port;
    zero += wire::load16(frame.data() + packet.l4_offset + wire::udp::kChecksum) == 0xffff;
  }
  EXPECT_EQ(zero, 1U);
}

TEST(RewriteAddress, NoUdpChecksumStaysNone) {
  for (const PacketBuilder& start : {v4(), v6()}) {
    Bytes frame = PacketBuilder(start).udp(1, 2).payload(9).build();
    Packet packet = parse(frame, kPort);
    uint8_t* field = frame.data() + packet.l4_offset + wire::udp::kChecksum;
    wire::store16(field, 0);
    EXPECT_TRUE(rewrite_ip(packet));
    EXPECT_TRUE(set_ports(packet, 77, 88));
    EXPECT_EQ(wire::load16(field), 0);
  }
}

TEST(RewriteAddress, APartialChecksumHasTheAddressesOnly) {
  for (bool four : {true, false}) {
    for (bool tcp : {true, false}) {
      auto build = [&](const IpAddress& src, const IpAddress& dst, uint16_t a, uint16_t b) {
        PacketBuilder builder = (four ? v4() : v6()).ip(src, dst).payload(99).partial_checksum();
        return (tcp ? builder.tcp(a, b) : builder.udp(a, b)).build();
      };
      Bytes frame = build(ip(four ? "10.0.0.1" : "fd00::1"), ip(four ? "10.0.0.2" : "fd00::2"), 1, 2);
      Packet packet = parse(frame, kPort, {0, Offload::Gso::none, true});
      ASSERT_TRUE(rewrite_ip(packet));
      ASSERT_TRUE(set_ports(packet, 4000, 53));
      EXPECT_EQ(frame, build(four ? kNewV4Src : kNewV6Src, four ? kNewV4Dst : kNewV6Dst, 4000, 53));
      complete_partial_checksum(packet);
      EXPECT_TRUE(verify_l4_checksum(packet));
    }
  }
}

TEST(RewriteAddress, FragmentsMakeARightDatagram) {
  Bytes whole = v4().udp(1, 2).payload(3000).build();
  Bytes datagram;
  size_t fragments = 0;
  fragment_ipv4(parse(whole, kPort), 1000, [&](std::span<uint8_t> frame) {
    Packet packet = parse(frame, kPort);
    EXPECT_TRUE(rewrite_ip(packet));
    EXPECT_EQ(set_ports(packet, 30, 40), fragments == 0);
    EXPECT_TRUE(verify_ipv4_header(frame.subspan(packet.l3_offset)));
    datagram.insert(datagram.end(), frame.begin() + 34, frame.end());
    ++fragments;
  });
  EXPECT_EQ(fragments, 4U);
  Bytes expected = v4().ip(kNewV4Src, kNewV4Dst).udp(30, 40).payload(3000).build();
  EXPECT_EQ(datagram, Bytes(expected.begin() + 34, expected.end()));
}

Bytes sctp_frame(uint16_t src, uint16_t dst) {
  Bytes sctp(40, 0x5a);
  wire::store16(sctp.data(), src);
  wire::store16(sctp.data() + 2, dst);
  uint32_t checksum = sctp_checksum(sctp);
  for (size_t i = 0; i < 4; ++i) sctp[8 + i] = static_cast<uint8_t>(checksum >> 8 * i);
  return v4().protocol(ip_proto::kSctp).payload(sctp).pad_to(90).build();
}

Bytes behind(const Bytes& frame, size_t offset) {
  return Bytes(frame.begin() + static_cast<long>(offset), frame.end());
}

TEST(RewriteAddress, Crc32c) {
  EXPECT_EQ(crc32c(from_hex("313233343536373839")), 0xe306'9283U);
  EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8a91'36aaU);  // RFC 3720 B.4
  Bytes text = from_hex("313233343536373839");
  EXPECT_EQ(crc32c(std::span(text).subspan(4), crc32c(std::span(text).first(4))), crc32c(text));
}

TEST(RewriteAddress, SctpPorts) {
  Bytes frame = sctp_frame(1, 2);
  Packet packet = parse(frame, kPort);
  EXPECT_TRUE(set_ports(packet, 3000, 36412));
  EXPECT_EQ(frame, sctp_frame(3000, 36412));
  EXPECT_TRUE(rewrite_ip(packet));  // its CRC does not cover addresses
  EXPECT_EQ(behind(frame, 34), behind(sctp_frame(3000, 36412), 34));

  Bytes wrong = sctp_frame(1, 2);
  wrong[34 + 9] ^= 0x10;
  Packet damaged = parse(wrong, kPort);
  EXPECT_TRUE(set_ports(damaged, 3000, 36412));
  wrong[34 + 9] ^= 0x10;
  EXPECT_EQ(wrong, sctp_frame(3000, 36412));

  Bytes unfinished = sctp_frame(1, 2);
  Packet partial = parse(unfinished, kPort, {0, Offload::Gso::none, true});
  EXPECT_TRUE(set_ports(partial, 3000, 36412));
  EXPECT_EQ(behind(unfinished, 38), behind(sctp_frame(1, 2), 38));

  Bytes first = sctp_frame(1, 2);
  first[20] = 0x20;  // more fragments
  Packet cut = parse(first, kPort);
  EXPECT_FALSE(set_ports(cut, 3, 4));
}

TEST(RewriteAddress, AnSctpCrcThatWasLeftOutIsCompleted) {
  Bytes frame = sctp_frame(1, 2);
  wire::store32(&frame[34 + wire::sctp::kChecksum], 0);
  Packet packet = parse(frame, kPort);
  complete_sctp_checksum(packet);
  EXPECT_EQ(frame, sctp_frame(1, 2));
  frame[34 + wire::sctp::kChecksum] ^= 1;
  const Bytes wrong = frame;
  complete_sctp_checksum(packet);
  EXPECT_EQ(frame, wrong);
}

TEST(RewriteAddress, RefusesWhatItIsNotFor) {
  Bytes frame = v4().icmp_echo_request(1, 2).build(), cut = v4().udp(1, 2).build();
  const Bytes original = frame;
  cut.resize(40);
  Packet packet = parse(frame, kPort), malformed = parse(cut, kPort);
  EXPECT_FALSE(set_ip(packet, kNewV6Src, kNewV6Dst));
  EXPECT_FALSE(set_ip(packet, kNewV4Src, kNewV6Dst));
  EXPECT_FALSE(set_ports(packet, 3, 4));
  EXPECT_FALSE(set_ip(malformed, kNewV4Src, kNewV4Dst));
  EXPECT_FALSE(set_ports(malformed, 3, 4));
  EXPECT_EQ(frame, original);
}

TEST(RewriteAddress, EchoIdentifiers) {
  for (const PacketBuilder& start : {v4(), v6()}) {
    Bytes frame = PacketBuilder(start).icmp_echo_request(7, 9).payload(33).build();
    Packet packet = parse(frame, kPort);
    EXPECT_EQ(icmp_id(packet), 7);
    EXPECT_TRUE(set_icmp_id(packet, 0xfffe));
    EXPECT_EQ(icmp_id(packet), 0xfffe);
    EXPECT_EQ(frame, PacketBuilder(start).icmp_echo_request(0xfffe, 9).payload(33).build());
    Bytes reply = PacketBuilder(start).icmp_echo_reply(5, 1).build();
    EXPECT_EQ(icmp_id(parse(reply, kPort)), 5);
    Bytes unreachable = PacketBuilder(start).icmp(3, 0, 0).build();
    Packet error = parse(unreachable, kPort);
    EXPECT_EQ(icmp_id(error), std::nullopt);
    EXPECT_FALSE(set_icmp_id(error, 1));
  }
  Bytes later = v4().icmp_echo_request(7, 9).fragment(8, false).build(), udp = v4().udp(8, 0).build();
  EXPECT_EQ(icmp_id(parse(later, kPort)), std::nullopt);
  EXPECT_EQ(icmp_id(parse(udp, kPort)), std::nullopt);
}

}  // namespace
}  // namespace viaduct::flows
