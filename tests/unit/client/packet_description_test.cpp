#include "api/client/packet_description.hpp"

#include <capnp/message.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace viaduct::api {
namespace {

using testing::HasSubstr;

Result<PacketDescription> packet(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return parse_packet(words);
}

std::string complaint(const std::string& text) {
  auto parsed = packet(text);
  return parsed ? "accepted" : parsed.failure().message;
}

TEST(PacketWords, EchoRequest) {
  auto parsed = packet("icmp to 10.0.2.10");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed->destination, *IpAddress::parse("10.0.2.10"));
  EXPECT_EQ(parsed->protocol, 0);
  EXPECT_FALSE(parsed->source);
}

TEST(PacketWords, EveryWord) {
  auto parsed = packet(
      "tcp from 10.0.1.10 to 10.0.2.10 sport 1024 dport 80 ttl 3 tos 0x10 vlan 7 length 1500 df "
      "smac 02:00:00:00:00:01 dmac 02:00:00:00:00:02");
  ASSERT_TRUE(parsed) << parsed.failure().message;
  PacketDescription expected;
  expected.source = IpAddress::parse("10.0.1.10");
  expected.destination = IpAddress::parse("10.0.2.10");
  expected.source_mac = MacAddress::parse("02:00:00:00:00:01");
  expected.destination_mac = MacAddress::parse("02:00:00:00:00:02");
  expected.protocol = 6;
  expected.source_port = 1024;
  expected.destination_port = 80;
  expected.ttl = 3;
  expected.tos = 16;
  expected.vlan = 7;
  expected.length = 1500;
  expected.fragmentation = PacketDescription::Fragmentation::forbidden;
  EXPECT_EQ(*parsed, expected);
}

TEST(PacketWords, ArpAndNeighbourSolicitation) {
  EXPECT_EQ(packet("arp for 10.0.1.1")->resolution, PacketDescription::Resolution::arp_or_nd);
  EXPECT_EQ(packet("nd for fd00::1")->resolution, PacketDescription::Resolution::arp_or_nd);
  EXPECT_THAT(complaint("arp for fd00::1"), HasSubstr("use nd"));
  EXPECT_THAT(complaint("nd for 10.0.0.1"), HasSubstr("use arp"));
}

TEST(PacketWords, Protocols) {
  EXPECT_EQ(packet("udp to fd00::1 dport 53")->protocol, 17);
  EXPECT_EQ(packet("sctp to 10.0.0.1")->protocol, 132);
  EXPECT_EQ(packet("ip to 10.0.0.1 proto 47")->protocol, 47);
}

TEST(PacketWords, Hex) {
  auto parsed = packet("hex 0200 00:00 ff");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->frame, (std::vector<uint8_t>{2, 0, 0, 0, 0xff}));
  EXPECT_THAT(complaint("hex 020"), HasSubstr("even number"));
  EXPECT_THAT(complaint("hex zz"), HasSubstr("'zz' is not a hexadecimal byte"));
  EXPECT_THAT(complaint("hex"), HasSubstr("whole bytes"));
}

TEST(PacketWords, ComplaintsNameTheWord) {
  EXPECT_THAT(complaint(""), HasSubstr("describe a packet"));
  EXPECT_THAT(complaint("ping to 10.0.0.1"), HasSubstr("'ping' is no kind of packet"));
  EXPECT_THAT(complaint("icmp"), HasSubstr("icmp needs a destination"));
  EXPECT_THAT(complaint("icmp to"), HasSubstr("'to' needs an IP address"));
  EXPECT_THAT(complaint("icmp to nowhere"), HasSubstr("to: 'nowhere' is not an IP address"));
  EXPECT_THAT(complaint("icmp to 10.0.0.1 to 10.0.0.2"), HasSubstr("given twice"));
  EXPECT_THAT(complaint("icmp to 10.0.0.1 colour red"), HasSubstr("'colour' is not a word"));
  EXPECT_THAT(complaint("icmp to 10.0.0.1 dport 80"), HasSubstr("icmp has no ports"));
  EXPECT_THAT(complaint("icmp6 to 10.0.0.1"), HasSubstr("needs an IPv6 address"));
  EXPECT_THAT(complaint("icmp from fd00::1 to 10.0.0.1"), HasSubstr("different families"));
  EXPECT_THAT(complaint("ip to 10.0.0.1"), HasSubstr("proto NUMBER"));
  EXPECT_THAT(complaint("tcp to 10.0.0.1 ttl 0"), HasSubstr("1 to 255"));
  EXPECT_THAT(complaint("tcp to 10.0.0.1 ttl 256"), HasSubstr("1 to 255"));
  EXPECT_THAT(complaint("tcp to 10.0.0.1 vlan 4095"), HasSubstr("1 to 4094"));
  EXPECT_THAT(complaint("tcp to 10.0.0.1 dport 65536"), HasSubstr("0 to 65535"));
  EXPECT_THAT(complaint("tcp to 10.0.0.1 length 13"), HasSubstr("14 to 65535"));
}

TEST(PacketWords, Written) {
  capnp::MallocMessageBuilder message;
  auto out = message.initRoot<schema::PacketDescription>();
  write_packet(*packet("udp from fd00::1 to fd00::2 dport 53 df"), out);
  EXPECT_EQ(out.getIpSrc().getBytes().size(), 16U);
  EXPECT_EQ(out.getIpProto(), 17);
  EXPECT_EQ(out.getL4Dst(), 53);
  EXPECT_TRUE(out.getDontFragment());
  EXPECT_FALSE(out.getArp());
}

}  // namespace
}  // namespace viaduct::api
