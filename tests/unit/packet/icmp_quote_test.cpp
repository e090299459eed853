#include "flows/packet/icmp_quote.hpp"

#include <gtest/gtest.h>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

constexpr uint8_t kV6Routing = 43;
constexpr size_t kHalfAChecksum = 17;  // of TCP: cut there, it is not repaired

// An error about `frame`, quoting `bytes` of its IP packet.
Bytes error_about(const Bytes& frame, size_t bytes, uint8_t type, uint32_t rest = 0) {
  bool four = (frame[14] >> 4) == 4;
  std::span<const uint8_t> quote = std::span(frame).subspan(14);
  return (four ? v4() : v6()).icmp(type, 1, rest).payload(quote.first(std::min(bytes, quote.size()))).build();
}
uint8_t unreachable(bool four) { return four ? wire::icmp::kUnreachable : wire::icmpv6::kUnreachable; }

IcmpQuote translated(bool four, uint8_t proto, uint16_t src, uint16_t dst) {
  return {ip(four ? "198.51.100.7" : "2001:db8:7::7"), ip(four ? "192.0.2.9" : "2001:db8:9::9"), proto, src, dst, true};
}

PacketBuilder inner(bool four, uint8_t proto, const IcmpQuote* to) {
  PacketBuilder builder = four ? v4() : v6();
  if (to != nullptr) builder.ip(to->src, to->dst);
  uint16_t src = to != nullptr ? to->l4_src : 1000, dst = to != nullptr ? to->l4_dst : 2000;
  if (proto == ip_proto::kTcp) return builder.tcp(src, dst).payload(50);
  if (proto == ip_proto::kUdp) return builder.udp(src, dst).payload(51);
  return builder.icmp_echo_request(src, 3).payload(52);
}

TEST(IcmpQuote, TranslatesAsIfTheOtherPacketHadBeenQuoted) {
  for (bool four : {true, false}) {
    uint8_t icmp = four ? ip_proto::kIcmp : ip_proto::kIcmpv6;
    for (uint8_t proto : {ip_proto::kTcp, ip_proto::kUdp, icmp}) {
      uint16_t dst = proto == icmp ? 555 : 666;
      IcmpQuote to = translated(four, proto, 555, dst);
      Bytes before = inner(four, proto, nullptr).build(), after = inner(four, proto, &to).build();
      size_t header = four ? 20 : 40;
      for (size_t bytes = header + 8; bytes <= before.size() - 14; ++bytes) {
        if (bytes == header + kHalfAChecksum) continue;
        Bytes frame = error_about(before, bytes, unreachable(four));
        Packet packet = parse(frame, kPort);
        auto quote = parse_icmp_quote(packet);
        ASSERT_TRUE(quote && quote->has_ports);
        EXPECT_EQ(*quote, (IcmpQuote{ip(four ? "10.0.0.1" : "2001:db8::1"), ip(four ? "10.0.0.2" : "2001:db8::2"),
                                     proto, 1000, static_cast<uint16_t>(proto == icmp ? 1000 : 2000), true}));
        ASSERT_TRUE(rewrite_icmp_quote(packet, to));
        ASSERT_EQ(frame, error_about(after, bytes, unreachable(four))) << int(proto) << ' ' << bytes;
        ASSERT_EQ(parse_icmp_quote(packet), to);
      }
    }
  }
}

TEST(IcmpQuote, EveryTypeOfError) {
  for (bool four : {true, false}) {
    Bytes frame = inner(four, ip_proto::kUdp, nullptr).build();
    for (int type = 0; type < 256; ++type) {
      Bytes error = error_about(frame, 100, static_cast<uint8_t>(type));
      bool is_one = four ? type == 3 || type == 4 || type == 11 || type == 12 : type >= 1 && type <= 4;
      EXPECT_EQ(parse_icmp_quote(parse(error, kPort)).has_value(), is_one) << type;
    }
  }
}

TEST(IcmpQuote, CutAnywhere) {
  for (bool four : {true, false}) {
    size_t header = four ? 20 : 40;
    Bytes before = inner(four, ip_proto::kTcp, nullptr).build();
    IcmpQuote to = translated(four, ip_proto::kTcp, 5, 6);
    Bytes after = inner(four, ip_proto::kTcp, &to).build();
    for (size_t bytes = 0; bytes <= 80; ++bytes) {
      Bytes frame = error_about(before, bytes, unreachable(four));
      Packet packet = parse(frame, kPort);
      auto quote = parse_icmp_quote(packet);
      EXPECT_EQ(quote.has_value(), bytes >= header) << bytes;
      EXPECT_EQ(quote && quote->has_ports, bytes >= header + 4) << bytes;
      EXPECT_EQ(rewrite_icmp_quote(packet, to), bytes >= header);
      EXPECT_TRUE(verify_l4_checksum(packet));
      bool whole_fields = bytes == header || (bytes >= header + 4 && bytes != header + kHalfAChecksum);
      if (whole_fields) {
        EXPECT_EQ(frame, error_about(after, bytes, unreachable(four))) << bytes;
      }
    }
  }
}

TEST(IcmpQuote, OptionsAndExtensionHeaders) {
  static constexpr uint8_t kOptions[] = {7, 7, 4, 1, 2, 3, 4};
  for (bool four : {true, false}) {
    auto build = [&](const IcmpQuote& of) {
      PacketBuilder builder = (four ? v4() : v6()).ip(of.src, of.dst).udp(of.l4_src, of.l4_dst).payload(20);
      if (four) return builder.ip_options(kOptions).build();
      return builder.extension(0).extension(kV6Routing).extension(60).fragment(0, true).build();
    };
    IcmpQuote from{ip(four ? "10.0.0.1" : "fd00::1"), ip(four ? "10.0.0.2" : "fd00::2"), ip_proto::kUdp, 1, 2, true};
    IcmpQuote to = translated(four, ip_proto::kUdp, 3, 4);
    Bytes frame = error_about(build(from), 200, unreachable(four));
    Packet packet = parse(frame, kPort);
    EXPECT_EQ(parse_icmp_quote(packet), from);
    EXPECT_TRUE(rewrite_icmp_quote(packet, to));
    EXPECT_EQ(frame, error_about(build(to), 200, unreachable(four)));
  }
}

TEST(IcmpQuote, LaterFragmentsHaveAddressesOnly) {
  for (bool four : {true, false}) {
    Bytes before = (four ? v4() : v6()).udp(1, 2).fragment(64, false).payload(40).build();
    IcmpQuote to = translated(four, ip_proto::kUdp, 3, 4);
    Bytes after = (four ? v4() : v6()).ip(to.src, to.dst).udp(1, 2).fragment(64, false).payload(40).build();
    Bytes frame = error_about(before, 80, unreachable(four));
    Packet packet = parse(frame, kPort);
    auto quote = parse_icmp_quote(packet);
    ASSERT_TRUE(quote);
    EXPECT_FALSE(quote->has_ports);
    EXPECT_EQ(quote->proto, ip_proto::kUdp);
    EXPECT_TRUE(rewrite_icmp_quote(packet, to));
    EXPECT_EQ(frame, error_about(after, 80, unreachable(four)));
  }
}

TEST(IcmpQuote, NoUdpChecksumStaysNone) {
  Bytes before = v4().udp(1, 2).payload(10).build();
  wire::store16(before.data() + 40, 0);
  IcmpQuote to = translated(true, ip_proto::kUdp, 3, 4);
  Bytes frame = error_about(before, 100, wire::icmp::kTimeExceeded);
  Packet packet = parse(frame, kPort);
  ASSERT_TRUE(rewrite_icmp_quote(packet, to));
  EXPECT_EQ(wire::load16(frame.data() + 42 + 26), 0);
  EXPECT_TRUE(verify_l4_checksum(packet));
}

TEST(IcmpQuote, ExtensionsOfTheErrorAreNotTheQuote) {  // RFC 4884: 16 words of 8 bytes, then something else
  Bytes padded(128, 0);
  Bytes whole = v6().extension(60, Bytes(86)).tcp(1, 2).payload(64).build();  // its checksum stands behind byte 128
  std::copy_n(whole.begin() + 14, padded.size(), padded.begin());
  Bytes extension(20, 0xee), message = padded;
  message.insert(message.end(), extension.begin(), extension.end());
  Bytes frame = v6().icmp(wire::icmpv6::kUnreachable, 0, 16U << 24).payload(message).build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(parse_icmp_quote(packet)->has_ports, false);
  ASSERT_TRUE(rewrite_icmp_quote(packet, translated(false, ip_proto::kTcp, 3, 4)));
  EXPECT_EQ(Bytes(frame.end() - 20, frame.end()), extension);
  EXPECT_TRUE(verify_l4_checksum(packet));
}

TEST(IcmpQuote, RefusesAnotherFamilyOrProtocol) {
  Bytes frame = error_about(inner(true, ip_proto::kUdp, nullptr).build(), 100, wire::icmp::kUnreachable);
  const Bytes original = frame;
  Packet packet = parse(frame, kPort);
  EXPECT_FALSE(rewrite_icmp_quote(packet, translated(false, ip_proto::kUdp, 1, 2)));
  EXPECT_FALSE(rewrite_icmp_quote(packet, translated(true, ip_proto::kTcp, 1, 2)));
  Bytes mixed = v4().icmp(3, 0, 0).payload(std::span<const uint8_t>(v6().udp(1, 2).build()).subspan(14)).build();
  EXPECT_FALSE(parse_icmp_quote(parse(mixed, kPort)));
  EXPECT_EQ(frame, original);
}

}  // namespace
}  // namespace viaduct::flows
