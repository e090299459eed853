// ARP, neighbour discovery and echo replies that virtual devices send.
#include <gtest/gtest.h>

#include "flows/packet/build.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

const MacAddress kMacA = MacAddress::from_uint64(0x02'00'00'00'00'01);
const MacAddress kMacB = MacAddress::from_uint64(0x02'00'00'00'00'02);

TEST(Makers, ArpRequestAndReply) {
  Bytes request = make_arp_request(kMacA, ip("10.0.0.1"), ip("10.0.0.2"));
  EXPECT_EQ(request, from_hex(golden::kArpRequest));
  Bytes reply = make_arp_reply(*parse_arp(parse(request, kPort)), kMacB);
  EXPECT_EQ(reply, from_hex(golden::kArpReply));
}

TEST(Makers, GratuitousArp) {
  Bytes frame = make_gratuitous_arp(kMacA, ip("10.0.0.1"));
  Packet packet = parse(frame, kPort);
  EXPECT_TRUE(packet.key.eth_dst.is_broadcast());
  auto arp = parse_arp(packet);
  ASSERT_TRUE(arp);
  EXPECT_TRUE(arp->is_gratuitous());
  EXPECT_EQ(arp->operation, Arp::request);
}

TEST(Makers, SolicitationAndAdvertisement) {
  Bytes solicitation = make_neighbour_solicitation(kMacA, ip("2001:db8::1"), ip("2001:db8::2"));
  EXPECT_EQ(solicitation, from_hex(golden::kNeighbourSolicitation));
  auto nd = parse_neighbour_discovery(parse(solicitation, kPort));
  ASSERT_TRUE(nd);
  Bytes advertisement = make_neighbour_advertisement(*nd, kMacA, kMacB, NodeKind::router);
  EXPECT_EQ(advertisement, from_hex(golden::kNeighbourAdvertisement));
}

TEST(Makers, DuplicateAddressDetectionIsAnsweredToAllNodes) {
  Bytes solicitation = from_hex(golden::kDadSolicitation);
  auto nd = parse_neighbour_discovery(parse(solicitation, kPort));
  ASSERT_TRUE(nd && nd->is_dad());
  Bytes frame = make_neighbour_advertisement(*nd, kMacA, kMacB, NodeKind::host);
  Packet packet = parse(frame, kPort);
  EXPECT_EQ(packet.key.eth_dst, mac("33:33:00:00:00:01"));
  EXPECT_EQ(packet.key.ip_dst, ip("ff02::1"));
  EXPECT_EQ(packet.key.ip_src, ip("fe80::9"));
  auto answer = parse_neighbour_discovery(packet);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->solicited);
  EXPECT_FALSE(answer->router);
  EXPECT_TRUE(answer->override_);
  EXPECT_EQ(answer->link_layer, kMacB);
}

TEST(Makers, EchoReply) {
  for (PacketBuilder builder : {v4(), v6()}) {
    for (uint16_t vlan : {0, 12}) {
      if (vlan != 0) builder.vlan(vlan);
      Bytes request = builder.ttl(3).tos(0x20).icmp_echo_request(0x1234, 9).payload(57).build();
      Packet packet = parse(request, kPort);
      auto reply = make_echo_reply(packet);
      ASSERT_TRUE(reply);
      Packet answer = parse(*reply, kPort);
      EXPECT_EQ(answer.error, DropReason::none);
      EXPECT_EQ(answer.key.eth_src, packet.key.eth_dst);
      EXPECT_EQ(answer.key.eth_dst, packet.key.eth_src);
      EXPECT_EQ(answer.key.vlan_id(), vlan);
      EXPECT_EQ(answer.key.ip_src, packet.key.ip_dst);
      EXPECT_EQ(answer.key.ip_dst, packet.key.ip_src);
      EXPECT_EQ(answer.key.ip_ttl, 64);
      EXPECT_EQ(answer.key.ip_tos, 0x20);
      EXPECT_EQ(answer.key.l4_src, answer.key.eth_type == ethertype::kIpv4 ? 0 : 129);
      EXPECT_TRUE(verify_l4_checksum(answer));
      EXPECT_TRUE(std::equal(request.begin() + packet.l4_offset + 4, request.end(),
                             reply->begin() + answer.l4_offset + 4, reply->end()));
    }
  }
}

TEST(Makers, EchoReplyLeavesOptionsAndPaddingOut) {
  static constexpr uint8_t kOptions[] = {0x94, 4, 0, 0};
  Bytes request = v4().ip_options(kOptions).icmp_echo_request(1, 1).payload(2).pad_to(60).build();
  auto reply = make_echo_reply(parse(request, kPort));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->size(), 14U + 20 + 8 + 2);
}

TEST(Makers, NoEchoReplyToWhatIsNone) {
  auto answered = [](Bytes frame) { return make_echo_reply(parse(frame, kPort)).has_value(); };
  EXPECT_FALSE(answered(v4().icmp_echo_reply(1, 1).build()));
  EXPECT_FALSE(answered(v4().udp(1, 2).build()));
  EXPECT_FALSE(answered(v4().fragment(0, true).icmp_echo_request(1, 1).payload(8).build()));
  EXPECT_FALSE(answered(v4().ip("10.0.0.1", "224.0.0.1").icmp_echo_request(1, 1).build()));
  Bytes damaged = v4().icmp_echo_request(1, 1).payload(8).build();
  damaged.back() ^= 1;
  EXPECT_FALSE(answered(damaged));
}

}  // namespace
}  // namespace viaduct::flows
