// Misses, credit, waking, and packets sent by user space.
#include <thread>

#include "conformance.hpp"
#include "flows/packet/checksum.hpp"
#include "flows/packet/headers.hpp"

namespace viaduct::flows {

TEST_P(DatapathConformance, AMissReachesUserSpaceWhole) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  auto before = std::chrono::steady_clock::now();
  send(a, frame);
  std::optional<Seen> upcall = next_upcall();
  ASSERT_TRUE(upcall);
  EXPECT_EQ(upcall->in_port, a.port);
  EXPECT_EQ(upcall->reason, UpcallReason::miss);
  EXPECT_EQ(upcall->bytes, frame);
  EXPECT_EQ(upcall->offload, Offload{});
  EXPECT_GE(upcall->received + std::chrono::milliseconds(10), before);
  EXPECT_LE(upcall->received, std::chrono::steady_clock::now());
  std::optional<PortStats> stats = datapath_->port_stats(a.port);
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->upcalls, 1U);
  EXPECT_EQ(stats->upcalls_lost, 0U);
  EXPECT_EQ(datapath_->stats().misses, 1U);
}

TEST_P(DatapathConformance, AFloodOnOnePortLeavesRoomForAnother) {
  open();
  Guest noisy = guest();
  Guest quiet = guest();
  constexpr uint32_t kFlood = kPortCredit + 100;
  for (uint32_t i = 0; i < kFlood; ++i) send(noisy, frames::udp4(udp(noisy, quiet)));
  frames::Bytes frame = frames::udp4(udp(quiet, noisy));
  send(quiet, frame);
  ASSERT_TRUE(eventually([&] {
    PortStats stats = datapath_->port_stats(noisy.port).value();
    return stats.upcalls + stats.upcalls_lost == kFlood && datapath_->port_stats(quiet.port)->upcalls == 1;
  }));
  EXPECT_EQ(datapath_->port_stats(noisy.port)->upcalls_lost, kFlood - kPortCredit);
  EXPECT_EQ(datapath_->port_stats(quiet.port)->upcalls_lost, 0U);
  EXPECT_EQ(datapath_->stats().lost, kFlood - kPortCredit);
  uint32_t of_noisy = 0;
  while (true) {
    std::optional<Seen> upcall = next_upcall();
    ASSERT_TRUE(upcall) << "the quiet port's packet is missing, after " << of_noisy;
    if (upcall->in_port == quiet.port) break;
    ++of_noisy;
  }
  EXPECT_LE(of_noisy, kPortCredit);
}

TEST_P(DatapathConformance, CreditComesBackWhenUpcallsAreRead) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  for (uint32_t i = 0; i < 2 * kPortCredit; ++i) {
    spec.src_port = static_cast<uint16_t>(1 + i);
    send(a, frames::udp4(spec));
    ASSERT_TRUE(next_upcall()) << i;
  }
  EXPECT_EQ(datapath_->port_stats(a.port)->upcalls_lost, 0U);
}

TEST_P(DatapathConformance, WakeEndsAPoll) {
  open();
  std::array<Upcall, 4> batch;
  auto start = std::chrono::steady_clock::now();
  channels_.front()->wake();
  EXPECT_EQ(channels_.front()->poll(batch, std::chrono::seconds(20)), 0U);
  std::jthread waker([&] { channels_.front()->wake(); });
  EXPECT_EQ(channels_.front()->poll(batch, std::chrono::seconds(20)), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(channels_.front()->poll(batch, std::chrono::milliseconds(1)), 0U);
}

TEST_P(DatapathConformance, SeveralWorkersShareTheMisses) {
  open({.workers = 2});
  Guest a = guest();
  Guest b = guest();
  frames::Udp spec = udp(a, b);
  constexpr int kFlows = 40;
  for (int i = 0; i < kFlows; ++i) {
    spec.src_port = static_cast<uint16_t>(1000 + i);
    send(a, frames::udp4(spec));
  }
  std::array<size_t, 2> seen{};
  ASSERT_TRUE(eventually([&] {
    for (size_t worker = 0; worker < 2; ++worker) {
      std::array<Upcall, 64> batch;
      seen[worker] += channels_[worker]->poll(batch, std::chrono::milliseconds(5));
    }
    return seen[0] + seen[1] == kFlows;
  }));
}

TEST_P(DatapathConformance, ExecutedPacketsGoThroughTheirActions) {
  open();
  Guest a = guest();
  Guest b = guest();
  Guest c = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  ActionList actions{Output{c.port}, SetEthernet{b.host.mac, c.host.mac}, DecrementTtl{}, CheckMtu{20}, Output{b.port}};
  EXPECT_EQ(execute(frame, actions), 0U);
  EXPECT_EQ(next_frame(c), frame);
  std::optional<frames::Bytes> rewritten = next_frame(b);
  ASSERT_TRUE(rewritten);
  Packet packet = frames::parsed(*rewritten);
  EXPECT_EQ(packet.key.eth_src, b.host.mac);
  EXPECT_EQ(packet.key.eth_dst, c.host.mac);
  EXPECT_EQ(packet.key.ip_ttl, 63);
  EXPECT_TRUE(verify_ipv4_header(std::span(*rewritten).subspan(packet.l3_offset)));
  EXPECT_TRUE(verify_l4_checksum(packet));
}

TEST_P(DatapathConformance, SuperPacketsAreExecutedWhole) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::tcp_super4(a.host, b.host, 10000);
  Offload offload{.gso_size = 1400, .gso = Offload::Gso::tcp_v4, .partial_checksum = true};
  EXPECT_EQ(execute(frame, {Output{b.port}}, offload), 0U);
  std::optional<WireFrame> got = harness_->receive(b.interface, kSoon);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->bytes, frame);
  EXPECT_EQ(got->offload, offload);
}

TEST_P(DatapathConformance, WhatCannotBeExecutedIsReportedAndCounted) {
  open();
  Guest a = guest();
  Guest b = guest();
  frames::Bytes frame = frames::udp4(udp(a, b));
  EXPECT_EQ(execute(frame, {Output{PortNumber{4000}}}), 1U);
  EXPECT_FALSE(datapath_->error_counts().empty());
  EXPECT_EQ(execute(frame, {}), 0U);
  EXPECT_EQ(execute(frame, {Output{b.port}}), 0U);
  EXPECT_EQ(next_frame(b), frame);
}

}  // namespace viaduct::flows
