#include "routing/underlay/liveness_table.hpp"

#include <gtest/gtest.h>

#include <random>

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
using Sources = std::map<HostId, std::set<IpAddress>>;

HostId host(uint64_t n) { return HostId(Uuid::from_words(1, n)); }
IpAddress ip(uint32_t n) { return IpAddress::v4(0x0a00'0000 + n); }
RandomSource seeded(uint32_t seed) {
  return [engine = std::mt19937(seed)]() mutable { return engine(); };
}
Probe hello(HostId from, HostId to) {
  Probe probe;
  probe.sender = from;
  probe.receiver = to;
  probe.my_discriminator = 5;
  probe.sequence = 1;
  return probe;
}

TEST(LivenessTable, WhatIsBelievedFromWhere) {
  LivenessTable table(host(1), seeded(1));
  const Time now{1h};
  table.set_peers({{host(1), {ip(1)}}, {host(2), {ip(2), ip(12)}}}, now);
  EXPECT_EQ(table.size(), 1u) << "not itself";
  LivenessActions out;
  EXPECT_EQ(table.receive(hello(host(2), host(3)), ip(2), now, out), ProbeFate::not_for_us);
  EXPECT_EQ(table.receive(hello(host(3), host(1)), ip(3), now, out), ProbeFate::unknown_peer);
  EXPECT_EQ(table.receive(hello(host(1), host(1)), ip(1), now, out), ProbeFate::unknown_peer);
  EXPECT_EQ(table.receive(hello(host(2), host(1)), ip(3), now, out), ProbeFate::foreign_address);
  EXPECT_TRUE(out.send.empty());
  EXPECT_EQ(table.state(host(2)), LivenessState::down);
  EXPECT_EQ(table.receive(hello(host(2), host(1)), ip(12), now, out), ProbeFate::accepted);
  EXPECT_EQ(table.state(host(2)), LivenessState::init);
  EXPECT_EQ(table.fates()[static_cast<size_t>(ProbeFate::unknown_peer)], 2u);
  EXPECT_EQ(table.fates()[static_cast<size_t>(ProbeFate::foreign_address)], 1u);
}

TEST(LivenessTable, PeersThatStayAreNotDisturbed) {
  LivenessTable table(host(1), seeded(1));
  Time now{1h};
  table.set_peers({{host(2), {ip(2)}}, {host(3), {ip(3)}}}, now);
  LivenessActions out;
  table.receive(hello(host(2), host(1)), ip(2), now, out);
  table.set_peers({{host(2), {ip(22)}}, {host(4), {ip(4)}}}, now);
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.state(host(2)), LivenessState::init);
  EXPECT_EQ(table.receive(hello(host(2), host(1)), ip(2), now, out), ProbeFate::foreign_address);
  EXPECT_EQ(table.receive(hello(host(2), host(1)), ip(22), now, out), ProbeFate::duplicate);
  out = {};
  for (Time end = now + 3s; now < end; now = *table.next_deadline()) table.tick(now, out);
  for (const Probe& probe : out.send) EXPECT_NE(probe.receiver, host(3));
}

TEST(LivenessTable, WithoutPeersNothingIsDue) {
  LivenessTable table(host(1), seeded(1));
  EXPECT_EQ(table.next_deadline(), std::nullopt);
  table.set_peers({{host(2), {ip(2)}}}, Time{1h});
  EXPECT_NE(table.next_deadline(), std::nullopt);
  table.set_peers({}, Time{1h});
  EXPECT_EQ(table.next_deadline(), std::nullopt);
}

// A thousand peers: never many probes at once, and each its own.
TEST(LivenessTable, AThousandPeersAreSpreadOverTime) {
  LivenessTable table(host(0), seeded(3), {.interval = 1s, .silent_after = 1'000'000});
  Time now{1h};
  Sources peers;
  for (uint32_t n = 1; n <= 1'000; ++n) peers[host(n)] = {ip(n)};
  table.set_peers(peers, now);
  std::map<HostId, int> sent;
  size_t most = 0;
  for (const Time end = now + 10s; now < end; now += 10ms) {
    LivenessActions out;
    table.tick(now, out);
    most = std::max(most, out.send.size());
    for (const Probe& probe : out.send) ++sent[probe.receiver];
  }
  EXPECT_LT(most, 40u) << "10 are the mean of a hundredth of the interval";
  ASSERT_EQ(sent.size(), 1'000u);
  for (const auto& [peer, count] : sent) {
    EXPECT_GE(count, 9);
    EXPECT_LE(count, 14);
  }
}

TEST(LivenessTable, LeavingTellsEachPeer) {
  LivenessTable table(host(1), seeded(1));
  table.set_peers({{host(2), {ip(2)}}, {host(3), {ip(3)}}}, Time{1h});
  LivenessActions out;
  table.leave(Time{1h}, out);
  ASSERT_EQ(out.send.size(), 2u);
  for (const Probe& probe : out.send) EXPECT_EQ(probe.state, LivenessState::admin_down);
}

// A host that is up with a peer, and whose time the test keeps.
class LateHost : public testing::Test {
 protected:
  LateHost() {
    table_.set_peers({{host(2), {ip(2)}}}, now_);
    peer_.desired_interval = peer_.required_interval = 100ms;
    peer_.multiplier = 3;
    say(LivenessState::down);
    peer_.your_discriminator = out_.send.back().my_discriminator;
    say(LivenessState::init);
  }
  void say(LivenessState state) {
    peer_.state = state;
    table_.receive(peer_, ip(2), now_, out_);
    ++peer_.sequence;
  }
  LivenessState state() const { return table_.state(host(2)); }

  LivenessTable table_{host(1), seeded(1), {.interval = 100ms}};
  Time now_{1h};
  Probe peer_ = hello(host(2), host(1));
  LivenessActions out_;
};

TEST_F(LateHost, BlamesNoPeerForWhatWaitsUnread) {
  ASSERT_EQ(state(), LivenessState::up);
  for (int i = 0; i < 5; ++i) {
    now_ += 2s;  // it gets no time; the timer comes before the frames
    table_.tick(now_, out_);
    EXPECT_EQ(state(), LivenessState::up);
    now_ += 1ms;
    say(LivenessState::up);
    EXPECT_EQ(state(), LivenessState::up);
  }
  now_ += 2s;  // or behind them
  say(LivenessState::up);
  EXPECT_EQ(state(), LivenessState::up);
  EXPECT_EQ(table_.late(), 6u) << "once each";
}

TEST_F(LateHost, FindsADeadPeerOutAllTheSame) {
  const Time dead = now_;
  while (state() == LivenessState::up && now_ < dead + 1min) {
    now_ += 400ms;
    table_.tick(now_, out_);
  }
  EXPECT_EQ(state(), LivenessState::down);
  EXPECT_LE(now_ - dead, 2s);
}

TEST_F(LateHost, IsNotLateWhenItKeepsItsDeadlines) {
  const Time dead = now_;
  while (state() == LivenessState::up) {
    now_ = *table_.next_deadline() + 20ms;
    table_.tick(now_, out_);
  }
  EXPECT_LE(now_ - dead, 330ms);
  EXPECT_EQ(table_.late(), 0u);
}

}  // namespace
}  // namespace viaduct::routing::underlay
