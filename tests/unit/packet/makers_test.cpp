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

// A request in two pieces, and the reply that its pieces' answers make.
TEST(Makers, EchoReplyFragmentsReassemble) {
  for (const PacketBuilder& builder : {v4(), v6()}) {
    Bytes request = PacketBuilder(builder).icmp_echo_request(3, 4).payload(101).build();
    const Packet whole = parse(request, kPort);
    const bool four = whole.key.eth_type == ethertype::kIpv4;
    const auto reply = make_echo_reply(whole);
    ASSERT_TRUE(reply);
    Bytes message;
    for (auto [from, to] : {std::pair<size_t, size_t>{0, 64}, {64, 109}}) {
      Bytes frame = request;
      frame.resize(whole.l4_offset);
      if (four) {
        wire::store16(frame.data() + 14 + wire::ipv4::kTotalLength, static_cast<uint16_t>(20 + to - from));
        wire::store16(frame.data() + 14 + wire::ipv4::kFragment, static_cast<uint16_t>(from / 8 | (from == 0) << 13));
        frame[14 + wire::ipv4::kTtl] = 9;
        fix_ipv4_header(std::span(frame).subspan(14));
      } else {
        wire::store16(frame.data() + 14 + wire::ipv6::kPayloadLength, static_cast<uint16_t>(8 + to - from));
        frame[14 + wire::ipv6::kNextHeader] = wire::ipv6::kFragment;
        frame[14 + wire::ipv6::kHopLimit] = 9;
        const uint8_t header[] = {58, 0, 0, static_cast<uint8_t>(from | (from == 0)), 1, 2, 3, 4};
        frame.insert(frame.end(), std::begin(header), std::end(header));
      }
      const auto body = std::span(request).subspan(whole.l4_offset + from, to - from);
      frame.insert(frame.end(), body.begin(), body.end());
      auto answer = make_echo_reply_fragment(parse(frame, kPort));
      ASSERT_TRUE(answer);
      const Packet made = parse(*answer, kPort);
      EXPECT_EQ(made.error, DropReason::none);
      EXPECT_EQ(made.key.ip_src, whole.key.ip_dst);
      EXPECT_EQ(made.key.ip_dst, whole.key.ip_src);
      EXPECT_EQ(made.key.eth_dst, whole.key.eth_src);
      EXPECT_EQ(made.key.ip_ttl, from == 0 ? 64 : 8);
      EXPECT_TRUE(!four || verify_ipv4_header(made.bytes.subspan(made.l3_offset)));
      message.insert(message.end(), answer->end() - static_cast<ptrdiff_t>(body.size()), answer->end());
    }
    EXPECT_TRUE(std::equal(message.begin(), message.end(), reply->end() - static_cast<ptrdiff_t>(message.size()),
                           reply->end()));
  }
}

TEST(Makers, NoEchoReplyToFragmentsOfOtherThings) {
  auto answered = [](Bytes frame) { return make_echo_reply_fragment(parse(frame, kPort)).has_value(); };
  static constexpr uint8_t kOptions[] = {0x94, 4, 0, 0};
  EXPECT_TRUE(answered(v4().fragment(0, true).icmp_echo_request(1, 1).payload(8).build()));
  EXPECT_FALSE(answered(v4().icmp_echo_request(1, 1).payload(8).build())) << "no fragment";
  EXPECT_FALSE(answered(v4().fragment(0, true).icmp_echo_reply(1, 1).payload(8).build()));
  EXPECT_FALSE(answered(v4().fragment(0, true).udp(1, 2).payload(8).build()));
  EXPECT_FALSE(answered(v4().ip_options(kOptions).fragment(0, true).icmp_echo_request(1, 1).payload(8).build()));
  EXPECT_FALSE(answered(v4().ip("10.0.0.1", "224.0.0.1").fragment(8, true).protocol(1).payload(8).build()));
  EXPECT_TRUE(answered(v4().fragment(8, true).protocol(1).payload(8).build()));
  EXPECT_FALSE(answered(v4().ttl(1).fragment(8, true).protocol(1).payload(8).build()));
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
