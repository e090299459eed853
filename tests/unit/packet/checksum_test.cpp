#include "flows/packet/checksum.hpp"

#include <gtest/gtest.h>

#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

// RFC 1071 as it is written there: one word after the other.
uint16_t slow_sum(std::span<const uint8_t> bytes, uint32_t start) {
  uint64_t sum = start;
  for (size_t i = 0; i < bytes.size(); i += 2) sum += bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

TEST(Checksum, ExampleOfRfc1071) {
  uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(checksum_sum(bytes), 0xddf2);
  EXPECT_EQ(internet_checksum(bytes), 0x220d);
}

TEST(Checksum, FastSumIsTheSlowOne) {
  FrameGenerator random(2);
  for (int round = 0; round < 2000; ++round) {
    Bytes bytes(random.below(300));
    bool ones = random.below(10) == 0;
    for (uint8_t& byte : bytes) byte = ones ? 0xff : static_cast<uint8_t>(random.below(256));
    uint32_t start = random.below(0x20000);
    ASSERT_EQ(checksum_sum(bytes, start), slow_sum(bytes, start)) << "round " << round;
  }
}

TEST(Checksum, UpdateIsRecomputation) {
  FrameGenerator random(3);
  for (int round = 0; round < 20000; ++round) {
    uint8_t bytes[8] = {0x45, 1};  // never all zero
    for (size_t i = 2; i < 8; ++i) bytes[i] = static_cast<uint8_t>(random.below(4) == 0 ? 0xff : random.below(256));
    uint16_t checksum = internet_checksum(bytes);
    uint16_t before = wire::load16(bytes + 4);
    auto after = static_cast<uint16_t>(random.below(65536));
    wire::store16(bytes + 4, after);
    ASSERT_EQ(update_checksum(checksum, before, after), internet_checksum(bytes));
  }
}

TEST(Checksum, ExampleOfRfc1624) { EXPECT_EQ(update_checksum(0xdd2f, 0x5555, 0x3285), 0x0000); }

TEST(Checksum, UpdateOfAddresses) {
  Bytes frame = v4().udp(1, 2).payload(5).build();
  uint8_t* ip_header = frame.data() + 14;
  Bytes old(ip_header + 12, ip_header + 16);
  IpAddress other = ip("203.0.113.77");
  wire::store_ip(ip_header + 12, other);
  uint16_t checksum = wire::load16(ip_header + 10);
  wire::store16(ip_header + 10, update_checksum(checksum, old, other.bytes()));
  EXPECT_TRUE(verify_ipv4_header(std::span(frame).subspan(14)));
}

TEST(Checksum, GoldenPacketsVerifyAndAreRecomputed) {
  for (std::string_view text : {golden::kTcpV4, golden::kUdpV6, golden::kIcmpV4Options, golden::kIcmpV6Echo,
                                golden::kQinQUdp, golden::kExtensionChain, golden::kTooBigV6}) {
    Bytes frame = from_hex(text);
    Bytes original = frame;
    Packet packet = parse(frame, kPort);
    EXPECT_TRUE(verify_l4_checksum(packet)) << text;
    frame.back() ^= 1;
    EXPECT_FALSE(verify_l4_checksum(packet)) << text;
    EXPECT_TRUE(fix_l4_checksum(packet));
    EXPECT_TRUE(verify_l4_checksum(packet));
    frame.back() ^= 1;
    EXPECT_TRUE(fix_l4_checksum(packet));
    EXPECT_EQ(frame, original);
  }
}

TEST(Checksum, UdpZero) {
  Bytes frame = v4().udp(1, 2).payload(4).build();
  Packet packet = parse(frame, kPort);
  wire::store16(frame.data() + 40, 0);
  EXPECT_TRUE(verify_l4_checksum(packet));  // "no checksum"
  Bytes frame6 = v6().udp(1, 2).payload(4).build();
  Packet packet6 = parse(frame6, kPort);
  wire::store16(frame6.data() + 60, 0);
  EXPECT_FALSE(verify_l4_checksum(packet6));  // RFC 8200 8.1
}

TEST(Checksum, UdpSumOfZeroIsSentAsOnes) {
  Bytes frame = v4().udp(1, 2).payload(2).build();
  Packet packet = parse(frame, kPort);
  // The payload is the word that makes the sum 0xffff.
  wire::store16(frame.data() + 42, 0);
  fix_l4_checksum(packet);
  wire::store16(frame.data() + 42, wire::load16(frame.data() + 40));
  fix_l4_checksum(packet);
  EXPECT_EQ(wire::load16(frame.data() + 40), 0xffff);
  EXPECT_TRUE(verify_l4_checksum(packet));
}

TEST(Checksum, FragmentsAreLeftAlone) {
  Bytes frame = v4().fragment(0, true).udp(1, 2).payload(8).build();
  Bytes original = frame;
  Packet packet = parse(frame, kPort);
  frame.back() ^= 1;
  EXPECT_TRUE(verify_l4_checksum(packet));
  EXPECT_FALSE(fix_l4_checksum(packet));
}

TEST(Checksum, PartialIsSeenAndCompleted) {
  for (auto builder : {v4().tcp(1, 2), v6().tcp(1, 2), v4().udp(3, 4), v6().udp(3, 4)}) {
    Bytes finished = builder.payload(333).build();
    Bytes frame = builder.partial_checksum().build();
    Packet packet = parse(frame, kPort);
    EXPECT_TRUE(looks_partial(packet));
    EXPECT_FALSE(verify_l4_checksum(packet));
    packet.offload.partial_checksum = true;
    EXPECT_TRUE(verify_l4_checksum(packet));
    complete_partial_checksum(packet);
    EXPECT_FALSE(packet.offload.partial_checksum);
    EXPECT_EQ(frame, finished);
    EXPECT_FALSE(looks_partial(packet));
  }
}

TEST(Checksum, SuperPacketsStayPartial) {
  Bytes frame = v4().tcp(1, 2).payload(3000).partial_checksum().build();
  Bytes original = frame;
  Packet packet = parse(frame, kPort, {1000, Offload::Gso::tcp_v4, true});
  complete_partial_checksum(packet);
  EXPECT_TRUE(packet.offload.partial_checksum);
  EXPECT_EQ(frame, original);
}

}  // namespace
}  // namespace viaduct::flows
