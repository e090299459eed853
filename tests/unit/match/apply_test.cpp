#include "flows/match/apply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "flows/packet/packet_builder.hpp"

namespace viaduct::flows {
namespace {

struct Sent {
  PortNumber port;
  std::vector<uint8_t> frame;
  Offload offload;
};

struct Outcome {
  ApplyResult result;
  std::vector<Sent> sent;
};

Outcome run(const ActionList& actions, std::vector<uint8_t> frame, Offload offload = {}) {
  Outcome out;
  out.result =
      apply(actions.view(), frame, offload, [&](const OutputTarget& to, std::span<uint8_t> bytes, const Offload& left) {
        out.sent.push_back({to.port, {bytes.begin(), bytes.end()}, left});
      });
  return out;
}

PacketBuilder packet(uint8_t ttl) {
  return PacketBuilder{}.eth("02:00:00:00:00:01", "02:00:00:00:00:02").ip("10.0.0.1", "10.0.1.1").ttl(ttl).udp(1, 2);
}

const SetEthernet kHop{MacAddress::from_uint64(0x02000000000a), MacAddress::from_uint64(0x02000000000b)};

TEST(Apply, RoutesInOrder) {
  Outcome out = run({CheckMtu{100}, SetEthernet{kHop}, DecrementTtl{}, Output{{5}}}, packet(64).payload(500).build());
  EXPECT_EQ(out.result, ApplyResult::done);
  ASSERT_EQ(out.sent.size(), 1U);
  EXPECT_EQ(out.sent[0].port, PortNumber{5});
  EXPECT_EQ(out.sent[0].frame, packet(63).eth(kHop.src, kHop.dst).payload(500).build());
}

TEST(Apply, EachOutputSeesThePacketAsItIsThere) {
  Outcome out = run({Output{{1}}, DecrementTtl{}, Output{{2}}, DecrementTtl{}, Output{{3}}}, packet(9).build());
  ASSERT_EQ(out.sent.size(), 3U);
  EXPECT_EQ(out.sent[0].frame, packet(9).build());
  EXPECT_EQ(out.sent[1].frame, packet(8).build());
  EXPECT_EQ(out.sent[2].frame, packet(7).build());
}

TEST(Apply, StopsWhereTheTtlEnds) {
  Outcome out = run({Output{{1}}, DecrementTtl{}, Output{{2}}, DecrementTtl{}, Output{{3}}}, packet(2).build());
  EXPECT_EQ(out.result, ApplyResult::ttl_expired);
  EXPECT_EQ(out.sent.size(), 2U);
  EXPECT_EQ(run({DecrementTtl{}, Output{{1}}}, packet(0).build()).result, ApplyResult::ttl_expired);
}

TEST(Apply, MalformedPacketsAreBridgedButNotRouted) {
  std::vector<uint8_t> cut = packet(9).build();
  cut.resize(20);
  EXPECT_EQ(run({Output{{1}}}, cut).sent.size(), 1U);
  Outcome routed = run({DecrementTtl{}, Output{{1}}}, cut);
  EXPECT_EQ(routed.result, ApplyResult::malformed);
  EXPECT_TRUE(routed.sent.empty());
  cut.resize(13);
  EXPECT_EQ(run({Output{{1}}}, cut).result, ApplyResult::malformed);
}

TEST(Apply, TranslatesAndRoutes) {
  SetIp ips{IpAddress::v4(0xcb007101), IpAddress::v4(0xc0000201)};
  Outcome out = run({kHop, ips, SetPorts{3000, 53}, DecrementTtl{}, Output{{5}}}, packet(64).payload(9).build());
  EXPECT_EQ(out.result, ApplyResult::done);
  ASSERT_EQ(out.sent.size(), 1U);
  EXPECT_EQ(out.sent[0].frame,
            packet(63).eth(kHop.src, kHop.dst).ip(ips.src, ips.dst).udp(3000, 53).payload(9).build());
}

TEST(Apply, TranslationStopsAtWhatItIsNotFor) {
  SetIp v6{IpAddress::any(IpFamily::v6), IpAddress::any(IpFamily::v6)};
  EXPECT_EQ(run({v6, Output{{1}}}, packet(9).build()).result, ApplyResult::malformed);
  Outcome out = run({SetPorts{1, 2}, Output{{1}}}, packet(9).fragment(8, false).payload(8).build());
  EXPECT_EQ(out.result, ApplyResult::malformed);
  EXPECT_TRUE(out.sent.empty());
}

TEST(Apply, OffloadIsPassedOn) {
  Offload offload{1000, Offload::Gso::tcp_v4, true};
  EXPECT_EQ(run({Output{{1}}}, packet(9).build(), offload).sent.at(0).offload, offload);
}

TEST(Apply, NoActionsNoPacket) {
  Outcome out = run({}, packet(9).build());
  EXPECT_EQ(out.result, ApplyResult::done);
  EXPECT_TRUE(out.sent.empty());
}

}  // namespace
}  // namespace viaduct::flows
