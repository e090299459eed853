#include "flows/packet/fragment.hpp"

#include <gtest/gtest.h>

#include <map>

#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

std::vector<Bytes> cut(Bytes frame, size_t mtu, Offload offload = {}) {
  std::vector<Bytes> out;
  fragment_ipv4(parse(frame, kPort, offload), mtu, [&](std::span<uint8_t> piece) { out.push_back(exact(piece)); });
  return out;
}

FragmentResult result_of(Bytes frame, size_t mtu, Offload offload = {}) {
  return fragment_ipv4(parse(frame, kPort, offload), mtu, [](std::span<uint8_t>) {});
}

struct Reassembled {
  Bytes payload;
  bool complete = false;  // no hole, no overlap, and only the last without "more fragments"
};

// What a host would make of it (RFC 791 3.2).
Reassembled reassemble(const std::vector<Bytes>& frames) {
  std::map<size_t, std::pair<Bytes, bool>> parts;
  for (Bytes frame : frames) {
    Packet packet = parse(frame, kPort);
    const uint8_t* header = frame.data() + packet.l3_offset;
    EXPECT_TRUE(verify_ipv4_header({header, packet.l3_length}));
    uint16_t field = wire::load16(header + wire::ipv4::kFragment);
    size_t bytes = size_t{4} * (header[0] & 15);
    parts[size_t{8} * (field & 0x1fff)] = {Bytes(header + bytes, header + packet.l3_length), (field & 0x2000) != 0};
  }
  Reassembled out;
  bool more = true;
  for (auto& [offset, part] : parts) {
    if (offset != out.payload.size() || !more) return out;
    out.payload.insert(out.payload.end(), part.first.begin(), part.first.end());
    more = part.second;
  }
  out.complete = !more && parts.size() == frames.size();
  return out;
}

Bytes payload_of(Bytes frame) {
  Packet packet = parse(frame, kPort);
  auto at = frame.begin() + packet.l3_offset + 4 * (frame[packet.l3_offset] & 15);
  return Bytes(at, frame.begin() + static_cast<long>(packet.l3_offset + packet.l3_length));
}

TEST(Fragment, PiecesReassemble) {
  for (size_t size : {1473, 2000, 4000, 65507}) {
    for (size_t mtu : {68, 576, 1280, 1499, 1500}) {
      Bytes frame = v4().vlan(5).udp(1, 2).payload(size).build();
      auto pieces = cut(frame, mtu);
      for (Bytes& piece : pieces) {
        ASSERT_LE(piece.size(), 18 + mtu);
        ASSERT_EQ(parse(piece, kPort).key.vlan_id(), 5);
      }
      Reassembled whole = reassemble(pieces);
      EXPECT_TRUE(whole.complete) << size << " over " << mtu;
      EXPECT_EQ(whole.payload, payload_of(frame));
    }
  }
}

TEST(Fragment, FragmentsOfFragmentsReassemble) {
  Bytes frame = v4().udp(1, 2).payload(5000).build();
  std::vector<Bytes> pieces;
  for (const Bytes& piece : cut(frame, 1500)) {
    for (Bytes& smaller : cut(piece, 400)) pieces.push_back(std::move(smaller));
  }
  Reassembled whole = reassemble(pieces);
  EXPECT_TRUE(whole.complete);
  EXPECT_EQ(whole.payload, payload_of(frame));
}

TEST(Fragment, OnlyOptionsWithTheCopyBitAreCopied) {
  // record route (7, not copied), router alert (0x94, copied)
  static constexpr uint8_t kOptions[] = {7, 7, 4, 0, 0, 0, 0, 0x94, 4, 0, 0};
  auto pieces = cut(v4().ip_options(kOptions).udp(1, 2).payload(3000).build(), 1500);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0][14], 0x48);
  for (size_t i = 1; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i][14], 0x46);
    EXPECT_EQ(Bytes(pieces[i].begin() + 34, pieces[i].begin() + 38), (Bytes{0x94, 4, 0, 0}));
  }
  EXPECT_TRUE(reassemble(pieces).complete);
}

TEST(Fragment, OptionsThatLieAreNotFollowed) {
  for (uint8_t length : {0, 1, 200}) {
    const uint8_t options[] = {0x94, length, 0, 0};
    auto pieces = cut(v4().ip_options(options).udp(1, 2).payload(2000).build(), 1500);
    EXPECT_EQ(pieces.size(), 2U);
    EXPECT_TRUE(reassemble(pieces).complete);
  }
}

TEST(Fragment, WhatFitsStaysWhole) {
  Bytes frame = v4().dont_fragment().udp(1, 2).payload(4).build();
  Bytes padded = frame;
  padded.resize(60);
  auto pieces = cut(padded, 1500);
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0], frame);
}

TEST(Fragment, PartialChecksumIsFinishedBefore) {
  Bytes frame = v4().udp(1, 2).payload(3000).partial_checksum().build();
  Bytes original = frame;
  std::vector<Bytes> pieces;
  fragment_ipv4(parse(frame, kPort, {0, Offload::Gso::none, true}), 1500,
                [&](std::span<uint8_t> piece) { pieces.push_back(exact(piece)); });
  EXPECT_EQ(frame, original);  // the packet itself is only read
  EXPECT_EQ(reassemble(pieces).payload, payload_of(v4().udp(1, 2).payload(3000).build()));
}

TEST(Fragment, Refusals) {
  Bytes frame = v4().udp(1, 2).payload(3000).build();
  EXPECT_EQ(result_of(frame, 1500), FragmentResult::fragmented);
  EXPECT_EQ(result_of(frame, 67), FragmentResult::mtu_too_small);
  EXPECT_EQ(result_of(v4().dont_fragment().udp(1, 2).payload(3000).build(), 1500), FragmentResult::dont_fragment);
  EXPECT_EQ(result_of(v6().udp(1, 2).payload(3000).build(), 1500), FragmentResult::not_ipv4);
  Bytes tcp = v4().tcp(1, 2).payload(3000).build();
  EXPECT_EQ(result_of(tcp, 1500, {1000, Offload::Gso::tcp_v4, true}), FragmentResult::super_packet);
}

}  // namespace
}  // namespace viaduct::flows
