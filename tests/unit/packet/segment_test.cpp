#include <gtest/gtest.h>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "flows/packet/rewrite.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

std::vector<Bytes> cut(Bytes frame, Offload offload) {
  std::vector<Bytes> out;
  size_t count = segment(parse(frame, kPort, offload), [&](std::span<uint8_t> piece) { out.push_back(exact(piece)); });
  EXPECT_EQ(count, out.size());
  return out;
}

constexpr uint8_t kTimestamps[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
constexpr uint8_t kAllFlags = wire::tcp::kAckFlag | wire::tcp::kPsh | wire::tcp::kFin | wire::tcp::kCwr;

struct Case {
  PacketBuilder builder;
  Offload::Gso gso;
  size_t ip_bytes;
};

std::vector<Case> cases() {
  static constexpr uint8_t kBody[6] = {};
  return {{v4(), Offload::Gso::tcp_v4, 20},
          {v4().vlan(4), Offload::Gso::tcp_v4, 20},
          {v4().ip_options(std::span(kBody).first(4)), Offload::Gso::tcp_v4, 24},
          {v6(), Offload::Gso::tcp_v6, 40},
          {v6().extension(wire::ipv6::kDestination, kBody), Offload::Gso::tcp_v6, 48}};
}

TEST(Segment, SegmentsReassembleToTheStream) {
  for (Case& c : cases()) {
    for (size_t payload : {1, 999, 1000, 1001, 5500, 60000}) {
      Bytes frame = c.builder.identification(65533)
                        .tcp(1, 2, kAllFlags, 0xffff'ff00, 5)
                        .tcp_options(kTimestamps)
                        .payload(payload)
                        .partial_checksum()
                        .build();
      auto pieces = cut(frame, {1000, c.gso, true});
      ASSERT_EQ(pieces.size(), (payload + 999) / 1000);
      Bytes stream;
      for (size_t i = 0; i < pieces.size(); ++i) {
        Packet packet = parse(pieces[i], kPort);
        ASSERT_EQ(packet.error, DropReason::none);
        ASSERT_TRUE(verify_l4_checksum(packet));
        const uint8_t* ip = pieces[i].data() + packet.l3_offset;
        const uint8_t* tcp = pieces[i].data() + packet.l4_offset;
        if (c.gso == Offload::Gso::tcp_v4) {
          ASSERT_TRUE(verify_ipv4_header({ip, c.ip_bytes}));
          ASSERT_EQ(wire::load16(ip + wire::ipv4::kId), static_cast<uint16_t>(65533 + i));
        }
        ASSERT_EQ(packet.l4_offset - packet.l3_offset, static_cast<int>(c.ip_bytes));
        ASSERT_EQ(wire::load32(tcp + wire::tcp::kSequence), static_cast<uint32_t>(0xffff'ff00 + stream.size()));
        bool first = i == 0, last = i + 1 == pieces.size();
        ASSERT_EQ((tcp[wire::tcp::kFlags] & wire::tcp::kCwr) != 0, first);
        ASSERT_EQ((tcp[wire::tcp::kFlags] & wire::tcp::kFin) != 0, last);
        ASSERT_EQ((tcp[wire::tcp::kFlags] & wire::tcp::kPsh) != 0, last);
        ASSERT_TRUE(std::equal(std::begin(kTimestamps), std::end(kTimestamps), tcp + 20));
        ASSERT_EQ(packet.l3_offset + packet.l3_length, pieces[i].size());
        stream.insert(stream.end(), tcp + 32, static_cast<const uint8_t*>(pieces[i].data()) + pieces[i].size());
      }
      EXPECT_EQ(stream, Bytes(frame.end() - static_cast<long>(payload), frame.end()));
    }
  }
}

TEST(Segment, OneSegmentIsTheFinishedPacket) {
  Bytes finished = v4().tcp(1, 2).payload(500).build();
  auto pieces = cut(v4().tcp(1, 2).payload(500).partial_checksum().build(), {1000, Offload::Gso::tcp_v4, true});
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0], finished);
}

TEST(Segment, UdpDatagramsHaveHeadersOfTheirOwn) {
  for (PacketBuilder builder : {v4(), v6()}) {
    auto pieces = cut(builder.udp(1, 2).payload(2500).partial_checksum().build(), {1000, Offload::Gso::udp, true});
    ASSERT_EQ(pieces.size(), 3U);
    for (Bytes& piece : pieces) {
      Packet packet = parse(piece, kPort);
      EXPECT_EQ(packet.error, DropReason::none);
      EXPECT_EQ(wire::load16(piece.data() + packet.l4_offset + wire::udp::kLength), piece.size() - packet.l4_offset);
      EXPECT_TRUE(verify_l4_checksum(packet));
    }
    EXPECT_EQ(pieces[2].size(), pieces[0].size() - 500);
  }
}

TEST(Segment, RefusesWhatIsNoSuperPacket) {
  Bytes tcp = v4().tcp(1, 2).payload(3000).build();
  EXPECT_TRUE(cut(tcp, {}).empty());
  EXPECT_TRUE(cut(tcp, {1000, Offload::Gso::tcp_v6, true}).empty());
  EXPECT_TRUE(cut(tcp, {1000, Offload::Gso::udp, true}).empty());
  EXPECT_TRUE(cut(tcp, {0, Offload::Gso::tcp_v4, true}).empty());
  EXPECT_TRUE(cut(tcp, {kMinGsoSize - 1, Offload::Gso::tcp_v4, true}).empty());
  EXPECT_TRUE(cut(v4().fragment(0, true).tcp(1, 2).payload(3000).build(), {1000, Offload::Gso::tcp_v4, true}).empty());
  tcp.pop_back();  // cut
  EXPECT_TRUE(cut(tcp, {1000, Offload::Gso::tcp_v4, true}).empty());
}

}  // namespace
}  // namespace viaduct::flows
