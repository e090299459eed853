#include "flows/packet/icmp_error.hpp"

#include <gtest/gtest.h>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

const MacAddress kGuest = MacAddress::from_uint64(0x02'00'00'00'00'01);
const MacAddress kRouter = MacAddress::from_uint64(0x02'00'00'00'00'02);
const IcmpErrorSender kSender4{ip("10.0.0.254"), kRouter, kGuest};
const IcmpErrorSender kSender6{ip("2001:db8::fe"), kRouter, kGuest};

bool may_answer(Bytes frame, IcmpErrorKind kind = IcmpErrorKind::other) {
  return may_answer_with_error(parse(frame, kPort), kind);
}

TEST(IcmpError, HostUnreachableIsTheGoldenOne) {
  Bytes payload{0, 1, 2, 3, 4, 5, 6, 7};
  Bytes offending = v4().ip("10.0.0.1", "10.9.9.9").udp(1000, 2000).payload(payload).build();
  auto error = make_unreachable(parse(offending, kPort), kSender4, Unreachable::host);
  ASSERT_TRUE(error);
  EXPECT_EQ(*error, from_hex(golden::kUnreachableV4));
}

TEST(IcmpError, PacketTooBigIsTheGoldenOne) {
  Bytes payload{0, 1, 2, 3, 4, 5, 6, 7};
  Bytes offending = v6().ip("2001:db8::1", "2001:db8:9::9").udp(1000, 2000).payload(payload).build();
  auto error = make_packet_too_big(parse(offending, kPort), kSender6, 1400);
  ASSERT_TRUE(error);
  EXPECT_EQ(*error, from_hex(golden::kTooBigV6));
}

TEST(IcmpError, QuotesAreLimited) {
  Bytes big4 = v4().udp(1, 2).payload(3000).build();
  auto error4 = make_time_exceeded(parse(big4, kPort), kSender4);
  Packet packet4 = parse(*error4, kPort);
  EXPECT_EQ(packet4.l3_length, 576U);
  EXPECT_EQ(packet4.key.l4_src, 11);
  EXPECT_TRUE(verify_l4_checksum(packet4));
  EXPECT_TRUE(std::equal(error4->begin() + 14 + 28, error4->end(), big4.begin() + 14));

  Bytes big6 = v6().udp(1, 2).payload(3000).build();
  auto error6 = make_time_exceeded(parse(big6, kPort), kSender6);
  Packet packet6 = parse(*error6, kPort);
  EXPECT_EQ(packet6.l3_length, 1280U);
  EXPECT_EQ(packet6.key.l4_src, 3);
  EXPECT_TRUE(verify_l4_checksum(packet6));
}

TEST(IcmpError, PaddingIsNotQuoted) {
  Bytes small = v4().udp(1, 2).payload(1).pad_to(60).build();
  auto error = make_unreachable(parse(small, kPort), kSender4, Unreachable::port);
  EXPECT_EQ(error->size(), 14U + 20 + 8 + 29);
}

TEST(IcmpError, FragmentationNeededTellsTheMtu) {
  Bytes frame = v4().dont_fragment().udp(1, 2).payload(2000).build();
  auto error = make_packet_too_big(parse(frame, kPort), kSender4, 1420);
  Packet packet = parse(*error, kPort);
  EXPECT_EQ(packet.key.l4_src, 3);
  EXPECT_EQ(packet.key.l4_dst, 4);
  EXPECT_EQ(wire::load32(error->data() + packet.l4_offset + 4), 1420U);
}

TEST(IcmpError, UnreachableCodes) {
  struct Row {
    Unreachable what;
    uint16_t v4, v6;
  };
  for (Row row : {Row{Unreachable::network, 0, 0}, Row{Unreachable::host, 1, 3}, Row{Unreachable::port, 3, 4},
                  Row{Unreachable::prohibited, 13, 1}}) {
    Bytes four = v4().udp(1, 2).build(), six = v6().udp(1, 2).build();
    auto error4 = make_unreachable(parse(four, kPort), kSender4, row.what);
    auto error6 = make_unreachable(parse(six, kPort), kSender6, row.what);
    EXPECT_EQ(parse(*error4, kPort).key.l4_dst, row.v4);
    EXPECT_EQ(parse(*error6, kPort).key.l4_dst, row.v6);
  }
}

TEST(IcmpError, NothingForWhatIsNotOfTheFamily) {
  Bytes arp = from_hex(golden::kArpRequest), six = v6().udp(1, 2).build(), cut = v4().udp(1, 2).build();
  cut.pop_back();
  EXPECT_FALSE(make_time_exceeded(parse(arp, kPort), kSender4));
  EXPECT_FALSE(make_time_exceeded(parse(six, kPort), kSender4));
  EXPECT_FALSE(make_time_exceeded(parse(cut, kPort), kSender4));
}

TEST(MayAnswerWithError, OrdinaryPackets) {
  EXPECT_TRUE(may_answer(v4().udp(1, 2).build()));
  EXPECT_TRUE(may_answer(v6().tcp(1, 2).build()));
  EXPECT_TRUE(may_answer(v4().icmp_echo_request(1, 1).build()));
  EXPECT_TRUE(may_answer(v6().icmp_echo_request(1, 1).build()));
  EXPECT_TRUE(may_answer(v4().fragment(0, true).udp(1, 2).payload(8).build()));
}

TEST(MayAnswerWithError, NeverAnError) {
  EXPECT_FALSE(may_answer(from_hex(golden::kUnreachableV4)));
  EXPECT_FALSE(may_answer(from_hex(golden::kTooBigV6), IcmpErrorKind::packet_too_big));
  EXPECT_FALSE(may_answer(v4().icmp(5, 1, 0).build()));   // redirect
  EXPECT_FALSE(may_answer(v4().icmp(40, 0, 0).build()));  // Photuris failure: an error that nobody remembers
  EXPECT_FALSE(may_answer(v6().icmp(137, 0, 0).build()));
  EXPECT_FALSE(may_answer(v6().icmp(100, 0, 0).build()));
}

TEST(MayAnswerWithError, NeverToGroupsFragmentsOrStrangeSources) {
  EXPECT_FALSE(may_answer(v4().eth("02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff").udp(1, 2).build()));
  EXPECT_FALSE(may_answer(v4().ip("10.0.0.1", "224.1.2.3").udp(1, 2).build()));
  EXPECT_FALSE(may_answer(v4().ip("10.0.0.1", "255.255.255.255").udp(1, 2).build()));
  for (const char* source : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.5", "240.0.0.1", "255.255.255.255"}) {
    EXPECT_FALSE(may_answer(v4().ip(source, "10.0.0.2").udp(1, 2).build())) << source;
  }
  for (const char* source : {"::", "::1", "ff02::1"}) {
    EXPECT_FALSE(may_answer(v6().ip(source, "2001:db8::2").udp(1, 2).build())) << source;
  }
  EXPECT_FALSE(may_answer(v4().fragment(8, false).udp(1, 2).payload(8).build()));
  EXPECT_FALSE(may_answer(v6().fragment(8, false).udp(1, 2).payload(8).build()));
  EXPECT_FALSE(may_answer(from_hex(golden::kArpRequest)));
}

TEST(MayAnswerWithError, PathMtuDiscoveryWorksForIpv6Groups) {
  Bytes frame = v6().eth("02:00:00:00:00:01", "33:33:00:00:00:05").ip("2001:db8::1", "ff0e::5").udp(1, 2).build();
  EXPECT_FALSE(may_answer(frame));
  EXPECT_TRUE(may_answer(frame, IcmpErrorKind::packet_too_big));
  EXPECT_FALSE(may_answer(v4().ip("10.0.0.1", "224.1.2.3").udp(1, 2).build(), IcmpErrorKind::packet_too_big));
}

}  // namespace
}  // namespace viaduct::flows
