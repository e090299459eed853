// The validity checks of RFC 4861 7.1.
#include <gtest/gtest.h>

#include "flows/packet/build.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"
#include "tests/unit/packet/golden.hpp"
#include "tests/unit/packet/support.hpp"

namespace viaduct::flows {
namespace {

constexpr size_t kIcmp = 14 + 40;

// The golden frame changed by `change`, checksum repaired.
template <class Change>
bool accepted(std::string_view golden, Change change) {
  Bytes frame = from_hex(golden);
  change(frame);
  Packet packet = parse(frame, kPort);
  fix_l4_checksum(packet);
  return parse_neighbour_discovery(packet).has_value();
}

TEST(NeighbourDiscovery, Solicitation) {
  Bytes frame = from_hex(golden::kNeighbourSolicitation);
  Packet packet = parse(frame, kPort);
  EXPECT_TRUE(is_neighbour_discovery(packet.key));
  auto nd = parse_neighbour_discovery(packet);
  ASSERT_TRUE(nd);
  EXPECT_FALSE(nd->is_advertisement);
  EXPECT_FALSE(nd->is_dad());
  EXPECT_EQ(nd->target, ip("2001:db8::2"));
  EXPECT_EQ(nd->link_layer, mac("02:00:00:00:00:01"));
}

TEST(NeighbourDiscovery, Advertisement) {
  Bytes frame = from_hex(golden::kNeighbourAdvertisement);
  auto nd = parse_neighbour_discovery(parse(frame, kPort));
  ASSERT_TRUE(nd);
  EXPECT_TRUE(nd->is_advertisement && nd->router && nd->solicited && nd->override_);
  EXPECT_EQ(nd->link_layer, mac("02:00:00:00:00:02"));
}

TEST(NeighbourDiscovery, RefusesWhatRfc4861Refuses) {
  auto untouched = [](Bytes&) {};
  EXPECT_TRUE(accepted(golden::kNeighbourSolicitation, untouched));
  EXPECT_FALSE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) { f[14 + wire::ipv6::kHopLimit] = 254; }));
  EXPECT_FALSE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) { f[kIcmp + 1] = 1; }));     // code
  EXPECT_FALSE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) { f[kIcmp + 8] = 0xff; }));  // target
  EXPECT_FALSE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) { f[kIcmp + 25] = 0; }));    // option
  EXPECT_FALSE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) { f[kIcmp + 25] = 2; }));
  EXPECT_TRUE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) { f[kIcmp + 24] = 99; }));  // unknown
  EXPECT_FALSE(accepted(golden::kNeighbourSolicitation, [](Bytes& f) {
    f[14 + wire::ipv6::kDst] = 0xfe;
    f[14 + 8] = 0;
    std::fill_n(f.begin() + 14 + 8, 16, uint8_t{0});
  }));  // from :: with an option
  EXPECT_FALSE(accepted(golden::kNeighbourAdvertisement, [](Bytes& f) { f[14 + wire::ipv6::kDst] = 0xff; }));
}

TEST(NeighbourDiscovery, DadGoesToTheSolicitedNodeGroup) {
  EXPECT_TRUE(accepted(golden::kDadSolicitation, [](Bytes&) {}));
  EXPECT_FALSE(accepted(golden::kDadSolicitation, [](Bytes& f) { f[14 + wire::ipv6::kDst + 15] = 0x0a; }));
}

TEST(NeighbourDiscovery, ChecksumMatters) {
  Bytes frame = from_hex(golden::kNeighbourSolicitation);
  frame[kIcmp + 2] ^= 1;
  Packet packet = parse(frame, kPort);
  EXPECT_FALSE(parse_neighbour_discovery(packet));
  EXPECT_TRUE(is_neighbour_discovery(packet.key));  // still never forwarded
}

TEST(NeighbourDiscovery, EveryCutIsRefused) {
  Bytes whole = from_hex(golden::kNeighbourAdvertisement);
  for (size_t length = kIcmp; length < whole.size(); ++length) {
    Bytes frame = exact(std::span(whole).first(length));
    wire::store16(frame.data() + 14 + wire::ipv6::kPayloadLength, static_cast<uint16_t>(length - kIcmp));
    Packet packet = parse(frame, kPort);
    fix_l4_checksum(packet);
    EXPECT_EQ(parse_neighbour_discovery(packet).has_value(), length == kIcmp + wire::nd::kBytes) << length;
  }
}

TEST(NeighbourDiscovery, TypesThatAreNeverForwarded) {
  FlowKey key;
  key.eth_type = ethertype::kIpv6;
  key.ip_proto = ip_proto::kIcmpv6;
  for (uint16_t type = 0; type < 256; ++type) {
    key.l4_src = type;
    EXPECT_EQ(is_neighbour_discovery(key), type >= 133 && type <= 137);
  }
}

}  // namespace
}  // namespace viaduct::flows
