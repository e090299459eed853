// Properties of the liveness protocol, over many seeds, on a network that loses, delays, reorders and duplicates.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/underlay/simulated_network.hpp"

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
using State = LivenessState;
constexpr uint32_t kSeeds = 50;
const LivenessOptions kFast{.interval = 100ms, .multiplier = 3};

void start_two(SimulatedNetwork& network, const LivenessOptions& options = kFast) {
  network.start(0, options);
  network.start(1, options);
}
bool come_up(SimulatedNetwork& network, std::chrono::microseconds limit) {
  return network.run_until([&] { return network.both_up(0, 1); }, limit);
}
size_t changes_to(const SimulatedNetwork& network, State state) {
  return static_cast<size_t>(std::count_if(network.changes.begin(), network.changes.end(),
                                           [&](const auto& entry) { return entry.change.to == state; }));
}

TEST(LivenessNetwork, UpWithinThreeIntervals) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = network.faults(1, 0) = {.least_delay = 1ms, .most_delay = 50ms};
    start_two(network);
    EXPECT_TRUE(come_up(network, 3 * kFast.interval)) << "seed " << seed;
  }
}

TEST(LivenessNetwork, UpDespiteHeavyLoss) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = network.faults(1, 0) = {.loss = 0.4, .duplicates = 0.2, .most_delay = 80ms};
    start_two(network);
    EXPECT_TRUE(come_up(network, 60s)) << "seed " << seed;
  }
}

TEST(LivenessNetwork, SilenceIsDetectedInTime) {
  constexpr auto kDelay = 5ms;
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = network.faults(1, 0) = {.least_delay = 1ms, .most_delay = kDelay};
    start_two(network);
    ASSERT_TRUE(come_up(network, 1s));
    network.run_for(1s + std::chrono::microseconds(seed * 1'357));
    network.stop(1);
    const Time stopped = network.now();
    ASSERT_TRUE(network.run_until([&] { return network.state(0, 1) == State::down; }, 5s));
    const auto took = network.now() - stopped;
    EXPECT_LE(took, 3 * kFast.interval + kDelay) << "seed " << seed;
    EXPECT_GE(took, 2 * kFast.interval - kDelay) << "seed " << seed << ": the last probe was at most an interval ago";
    EXPECT_EQ(network.changes.back().change,
              (StateChange{network.host(1), State::up, State::down, ChangeReason::silence}));
    EXPECT_EQ(network.stats(0, 1).loss_to_us, 1.0);
  }
}

// Probes overtake each other and come twice: no reason to go down.
TEST(LivenessNetwork, StaysUpWhileNothingIsLost) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = network.faults(1, 0) = {.duplicates = 0.5, .least_delay = 1ms, .most_delay = 180ms};
    start_two(network);
    ASSERT_TRUE(come_up(network, 2s));
    network.run_for(5min);
    EXPECT_EQ(changes_to(network, State::down), 0u) << "seed " << seed;
    EXPECT_GT(network.table(0).fates()[static_cast<size_t>(ProbeFate::overtaken)], 50u);
    EXPECT_GT(network.table(0).fates()[static_cast<size_t>(ProbeFate::duplicate)], 500u);
    EXPECT_LT(network.stats(0, 1).loss_to_us, 0.05);
    EXPECT_LT(network.stats(0, 1).loss_to_peer, 0.05);
  }
}

TEST(LivenessNetwork, OneDirectionFailsAndBothEndsSeeIt) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    start_two(network);
    ASSERT_TRUE(come_up(network, 1s));
    network.run_for(5s);
    network.cut(0, 1);
    const Time cut = network.now();
    ASSERT_TRUE(
        network.run_until([&] { return network.state(0, 1) != State::up && network.state(1, 0) != State::up; }, 5s));
    EXPECT_LE(network.now() - cut, 3 * kFast.interval + 5ms) << "seed " << seed;
    const size_t seen = network.changes.size();
    network.run_for(60s);
    EXPECT_EQ(changes_to(network, State::up), 2u) << "not again";
    EXPECT_LE(network.changes.size(), seen + 2) << "seed " << seed << ": no flapping while one direction is dead";
    EXPECT_GT(network.stats(0, 1).loss_to_peer, 0.9) << "seed " << seed;
    EXPECT_LT(network.stats(0, 1).loss_to_us, 0.1);
    EXPECT_EQ(network.stats(1, 0).loss_to_us, 1.0);
    network.heal();
    EXPECT_TRUE(come_up(network, 3s)) << "seed " << seed;
  }
}

TEST(LivenessNetwork, NeverUpWithOneDirection) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    network.cut(1, 0);
    network.faults(0, 1) = {.loss = 0.2, .duplicates = 0.3, .least_delay = 1ms, .most_delay = 300ms};
    start_two(network);
    network.run_for(60s);
    network.start(0, kFast);  // a new life does not confuse it
    network.run_for(60s);
    EXPECT_EQ(changes_to(network, State::up), 0u) << "seed " << seed;
  }
}

TEST(LivenessNetwork, LossIsMeasuredByItsDirection) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = {.loss = 0.3, .most_delay = 40ms};
    start_two(network, {.interval = 100ms, .multiplier = 20, .loss_window = 2'000});
    ASSERT_TRUE(come_up(network, 10s));
    network.run_for(400s);
    EXPECT_NEAR(*network.stats(0, 1).loss_to_peer, 0.3, 0.06) << "seed " << seed;
    EXPECT_NEAR(*network.stats(1, 0).loss_to_us, 0.3, 0.06) << "seed " << seed;
    EXPECT_EQ(network.stats(0, 1).loss_to_us, 0.0);
    EXPECT_LT(*network.stats(1, 0).loss_to_peer, 0.01);
  }
}

TEST(LivenessNetwork, RoundTripTimeIsMeasured) {
  SimulatedNetwork network(1);
  network.faults(0, 1) = network.faults(1, 0) = {.least_delay = 7ms, .most_delay = 7ms};
  start_two(network);
  network.run_for(20s);
  EXPECT_EQ(network.stats(0, 1).round_trip, 14ms);
  EXPECT_EQ(network.stats(1, 0).round_trip, 14ms);
}

TEST(LivenessNetwork, ARestartRecovers) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    start_two(network);
    ASSERT_TRUE(come_up(network, 1s));
    network.run_for(std::chrono::seconds(seed));
    network.start(1, kFast);
    EXPECT_TRUE(come_up(network, (3 + 3) * kFast.interval))
        << "seed " << seed << ": detection, then as at the beginning";
    network.run_for(1s);
    EXPECT_TRUE(network.both_up(0, 1));
    EXPECT_EQ(network.stats(0, 1).loss_to_us, 0.0) << "a new life's counts start anew";
    EXPECT_EQ(network.stats(0, 1).loss_to_peer, 0.0);
    EXPECT_EQ(network.stats(1, 0).loss_to_us, 0.0);
    EXPECT_EQ(network.stats(1, 0).loss_to_peer, 0.0);
  }
}

TEST(LivenessNetwork, LeavingIsTold) {
  SimulatedNetwork network(1);
  start_two(network);
  ASSERT_TRUE(come_up(network, 1s));
  network.leave(1);
  EXPECT_TRUE(network.run_until([&] { return network.state(0, 1) == State::down; }, 2ms));
  EXPECT_EQ(network.changes.back().change.reason, ChangeReason::peer_says_down);
}

TEST(LivenessNetwork, AnotherPaceBreaksNothing) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = network.faults(1, 0) = {.least_delay = 1ms, .most_delay = 30ms};
    start_two(network);
    ASSERT_TRUE(come_up(network, 1s));
    for (auto interval : {2'000ms, 50ms, 500ms, 100ms}) {
      network.configure(seed % 2, {.interval = interval, .multiplier = 3});
      network.run_for(20s);
      network.configure(1 - seed % 2, {.interval = interval, .multiplier = 3});
      network.run_for(20s);
      const uint64_t before = network.frames;
      network.run_for(60s);
      const auto slowest = 2 * (60s / interval), fastest = slowest * 4 / 3 + 2;
      EXPECT_GE(network.frames - before, static_cast<uint64_t>(slowest)) << "seed " << seed;
      EXPECT_LE(network.frames - before, static_cast<uint64_t>(fastest)) << "seed " << seed;
    }
    EXPECT_EQ(changes_to(network, State::down), 0u) << "seed " << seed;
  }
}

TEST(LivenessNetwork, ASilentPeerIsAskedSlowlyAndFoundFast) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    start_two(network);
    network.stop(1);
    network.run_for(100s);
    EXPECT_LT(network.frames, 20u + 100 / 1.5 + 2) << "20 fast ones, then one in 1.5 to 2 s";
    network.start(1, kFast);
    EXPECT_TRUE(come_up(network, 3 * kFast.interval)) << "seed " << seed << ": the newcomer speaks first";
  }
}

// Old frames, recorded while the peer was up, come back when it is dead: they do not raise it.
TEST(LivenessNetwork, EchoesOfADeadPeerDoNotRaiseIt) {
  for (uint32_t seed = 1; seed <= kSeeds; ++seed) {
    SimulatedNetwork network(seed);
    network.faults(1, 0) = {.duplicates = 1, .most_echo_delay = 20s};
    start_two(network);
    ASSERT_TRUE(come_up(network, 1s));
    network.run_for(10s);
    network.stop(1);
    const Time stopped = network.now();
    network.run_for(20s);
    EXPECT_EQ(network.changes.back().change.to, State::down) << "seed " << seed;
    EXPECT_LE(network.changes.back().at - stopped, 3 * kFast.interval + 2ms) << "seed " << seed;
    EXPECT_EQ(changes_to(network, State::up), 2u);
  }
}

// Every fault at every pair, hosts that restart, then peace: everybody is up with everybody, and stays so.
TEST(LivenessNetwork, ManyHostsSettleAfterAStorm) {
  constexpr size_t kHosts = 8;
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    SimulatedNetwork network(seed);
    std::mt19937 chance(seed);
    for (size_t n = 0; n < kHosts; ++n) network.start(n, kFast);
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 40; ++i) {
        network.faults(chance() % kHosts, chance() % kHosts) = {
            .loss = chance() % 3 == 0 ? 1.0 : 0.3, .duplicates = 0.3, .most_delay = 150ms, .most_echo_delay = 2s};
      }
      network.start(chance() % kHosts, kFast);
      network.run_for(std::chrono::milliseconds(chance() % 3'000));
    }
    network.heal();
    const auto all_up = [&] {
      for (size_t a = 0; a < kHosts; ++a) {
        for (size_t b = 0; b < a; ++b) {
          if (!network.both_up(a, b)) return false;
        }
      }
      return true;
    };
    ASSERT_TRUE(network.run_until(all_up, 10s)) << "seed " << seed;
    network.run_for(3s);  // what is still on its way
    const size_t changes = network.changes.size();
    network.run_for(60s);
    EXPECT_TRUE(all_up());
    EXPECT_EQ(network.changes.size(), changes) << "seed " << seed;
  }
}

TEST(LivenessNetwork, TheSameSeedIsTheSameRun) {
  const auto run = [](uint32_t seed) {
    SimulatedNetwork network(seed);
    network.faults(0, 1) = {.loss = 0.5, .duplicates = 0.5, .most_delay = 100ms};
    start_two(network);
    network.run_for(60s);
    return std::pair(network.frames, network.changes.size());
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

}  // namespace
}  // namespace viaduct::routing::underlay
