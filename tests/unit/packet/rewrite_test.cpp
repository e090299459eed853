#include "flows/packet/rewrite.hpp"

#include <gtest/gtest.h>

#include "flows/packet/checksum.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

TEST(Rewrite, EthernetAddresses) {
  Bytes frame = v4().vlan(3).udp(1, 2).payload(5).build();
  Packet packet = parse(frame, kPort);
  set_ethernet(packet, mac("02:00:00:00:00:aa"), mac("02:00:00:00:00:bb"));
  EXPECT_EQ(frame, v4().vlan(3).eth("02:00:00:00:00:aa", "02:00:00:00:00:bb").udp(1, 2).payload(5).build());
  EXPECT_EQ(packet.key, parse(frame, kPort).key);
}

TEST(Rewrite, EveryTtlKeepsTheChecksumRight) {
  for (int ttl = 2; ttl < 256; ++ttl) {
    for (uint32_t id : {0U, 0xffffU, 0x1234U}) {
      auto before = static_cast<uint8_t>(ttl), after = static_cast<uint8_t>(ttl - 1);
      Bytes frame = v4().ttl(before).identification(id).udp(1, 2).build();
      Packet packet = parse(frame, kPort);
      ASSERT_EQ(decrement_ttl(packet), TtlResult::decremented);
      ASSERT_EQ(frame, v4().ttl(after).identification(id).udp(1, 2).build());
      ASSERT_EQ(packet.key.ip_ttl, after);
    }
  }
}

TEST(Rewrite, HopLimit) {
  Bytes frame = v6().ttl(2).udp(1, 2).build();
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(decrement_ttl(packet), TtlResult::decremented);
  EXPECT_EQ(frame, v6().ttl(1).udp(1, 2).build());
  EXPECT_EQ(decrement_ttl(packet), TtlResult::expired);
  EXPECT_EQ(frame, v6().ttl(1).udp(1, 2).build());
}

TEST(Rewrite, AWrongChecksumStaysWrong) {
  Bytes frame = v4().udp(1, 2).build();
  frame[24] ^= 0x40;
  Packet packet = parse(frame, kPort);
  decrement_ttl(packet);
  EXPECT_FALSE(verify_ipv4_header(std::span(frame).subspan(14)));
}

TEST(Rewrite, OnlyIpHasATtl) {
  Bytes arp = from_hex(golden::kArpRequest), cut = v4().udp(1, 2).build();
  cut.resize(30);
  Packet packet = parse(arp, kPort), cut_packet = parse(cut, kPort);
  EXPECT_EQ(decrement_ttl(packet), TtlResult::not_ip);
  EXPECT_EQ(decrement_ttl(cut_packet), TtlResult::not_ip);
}

}  // namespace
}  // namespace viaduct::flows
