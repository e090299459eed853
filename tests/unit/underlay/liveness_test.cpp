#include "routing/underlay/liveness.hpp"

#include <gtest/gtest.h>

#include <random>

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
using State = LivenessState;
const HostId kSelf(Uuid::from_words(1, 1)), kPeer(Uuid::from_words(1, 2));

// One machine, and a peer that says what the test wants.
class Liveness : public testing::Test {
 protected:
  Liveness() {
    peer_.sender = kPeer;
    peer_.receiver = kSelf;
    peer_.my_discriminator = 77;
    peer_.multiplier = 4;
    peer_.desired_interval = peer_.required_interval = 100ms;
  }

  ProbeFate hear(State state, uint32_t your_discriminator) {
    peer_.state = state;
    peer_.your_discriminator = your_discriminator;
    ++peer_.sequence;
    return replay();
  }
  ProbeFate replay() { return fsm_.receive(peer_, now_, actions_); }
  uint32_t ours() const { return fsm_.discriminator(); }
  void come_up() {
    hear(State::down, 0);
    hear(State::init, ours());
    ASSERT_EQ(fsm_.state(), State::up);
    actions_ = {};
  }

  RandomSource random_ = [engine = std::mt19937(1)]() mutable { return engine(); };
  LivenessOptions options_{.interval = 100ms, .multiplier = 4};
  Time now_{1h};
  LivenessFsm fsm_{kSelf, kPeer, random_, options_, now_};
  Probe peer_;
  LivenessActions actions_;
};

TEST_F(Liveness, TheFirstProbe) {
  EXPECT_LE(fsm_.next_deadline(), now_ + 100ms);
  now_ = fsm_.next_deadline();
  fsm_.tick(now_, actions_);
  ASSERT_EQ(actions_.send.size(), 1u);
  const Probe& probe = actions_.send[0];
  EXPECT_EQ(probe.sender, kSelf);
  EXPECT_EQ(probe.receiver, kPeer);
  EXPECT_EQ(probe.state, State::down);
  EXPECT_EQ(probe.my_discriminator, ours());
  EXPECT_EQ(probe.your_discriminator, 0u);
  EXPECT_EQ(probe.sequence, 1u);
  EXPECT_EQ(probe.desired_interval, 100ms);
  EXPECT_EQ(probe.multiplier, 4);
}

TEST_F(Liveness, TheHandshakeIsAnsweredAtOnce) {
  EXPECT_EQ(hear(State::down, 0), ProbeFate::accepted);
  ASSERT_EQ(actions_.send.size(), 1u);
  EXPECT_EQ(actions_.send[0].state, State::init);
  EXPECT_EQ(actions_.send[0].your_discriminator, 77u);
  hear(State::init, ours());
  ASSERT_EQ(actions_.send.size(), 2u);
  EXPECT_EQ(actions_.send[1].state, State::up);
  EXPECT_EQ(actions_.changes, (std::vector<StateChange>{{kPeer, State::down, State::init, ChangeReason::handshake},
                                                        {kPeer, State::init, State::up, ChangeReason::handshake}}));
  hear(State::up, ours());
  EXPECT_EQ(actions_.send.size(), 2u) << "no change, no answer";
}

// RFC 5880 6.8.6: without a discriminator only down and admin_down are believed.
TEST_F(Liveness, AStrangerCannotSayThatItIsUp) {
  EXPECT_EQ(hear(State::up, 0), ProbeFate::wrong_discriminator);
  EXPECT_EQ(hear(State::init, 0), ProbeFate::wrong_discriminator);
  EXPECT_EQ(hear(State::init, ours() + 1), ProbeFate::wrong_discriminator);
  EXPECT_EQ(fsm_.state(), State::down);
  EXPECT_EQ(fsm_.stats().refused, 3u);
  EXPECT_TRUE(actions_.send.empty());
}

TEST_F(Liveness, OnceConfirmedOnlyThatPairIsBelieved) {
  come_up();
  EXPECT_EQ(hear(State::down, 0), ProbeFate::wrong_discriminator) << "forged, or a new life: the same until silence";
  EXPECT_EQ(hear(State::down, ours() ^ 1), ProbeFate::wrong_discriminator);
  peer_.my_discriminator = 78;
  EXPECT_EQ(hear(State::down, ours()), ProbeFate::wrong_discriminator);
  EXPECT_EQ(fsm_.state(), State::up);
  now_ += 400ms;  // refused ones do not count as heard
  fsm_.tick(now_, actions_);
  EXPECT_EQ(fsm_.state(), State::down);
  EXPECT_EQ(hear(State::down, 0), ProbeFate::accepted);
  EXPECT_EQ(fsm_.state(), State::init);
}

TEST_F(Liveness, DetectionTimeGoesByTheSlowerPaceAndTheSendersMultiplier) {
  peer_.multiplier = 2;
  peer_.desired_interval = 300ms;
  come_up();
  const Time heard = now_;
  for (now_ = heard; now_ < heard + 600ms; now_ += 1ms) fsm_.tick(now_, actions_);
  EXPECT_EQ(fsm_.state(), State::up);
  now_ = heard + 600ms;
  fsm_.tick(now_, actions_);
  EXPECT_EQ(fsm_.state(), State::down);
}

TEST_F(Liveness, WeSendNoFasterThanThePeerAsks) {
  peer_.required_interval = 1s;
  come_up();
  hear(State::up, ours());
  const Time from = now_;
  for (; now_ < from + 20s; now_ += 50ms) {
    fsm_.tick(now_, actions_);
    hear(State::up, ours());
  }
  EXPECT_GE(actions_.send.size(), 19u);
  EXPECT_LE(actions_.send.size(), 28u);
}

TEST_F(Liveness, JitterIsAtMostAQuarter) {
  come_up();
  Time last = now_;
  auto least = 1h + 0us, most = 0us + 0h;
  for (int i = 0; i < 1'000; ++i) {
    hear(State::up, ours());
    now_ = fsm_.next_deadline();
    fsm_.tick(now_, actions_);
    const auto gap = std::chrono::duration_cast<std::chrono::microseconds>(now_ - last);
    if (i > 0) least = std::min<std::chrono::microseconds>(least, gap), most = std::max(most, gap);
    last = now_;
  }
  EXPECT_GE(least, 75ms);
  EXPECT_LT(least, 77ms);
  EXPECT_LE(most, 100ms);
  EXPECT_GT(most, 98ms);
}

// RFC 5880 6.8.7: with a multiplier of 1 the next probe must come before the detection time has passed.
TEST_F(Liveness, AMultiplierOfOneLeavesATenth) {
  fsm_.configure({.interval = 100ms, .multiplier = 1}, now_);
  come_up();
  for (int i = 0; i < 200; ++i) {
    hear(State::up, ours());
    const Time before = now_ = fsm_.next_deadline();
    fsm_.tick(now_, actions_);
    EXPECT_LE(fsm_.next_deadline() - before, 90ms);
  }
}

TEST_F(Liveness, ACopyChangesNothing) {
  come_up();
  hear(State::up, ours());
  const Time deadline = fsm_.next_deadline();
  now_ += 50ms;
  EXPECT_EQ(replay(), ProbeFate::duplicate);
  EXPECT_EQ(fsm_.next_deadline(), deadline);
  EXPECT_EQ(fsm_.stats().received, 3u);
}

TEST_F(Liveness, AnOvertakenProbeIsCountedAndNotObeyed) {
  come_up();
  peer_.sequence += 10;
  hear(State::up, ours());
  peer_.sequence -= 5;
  EXPECT_EQ(hear(State::down, ours()), ProbeFate::overtaken);
  EXPECT_EQ(replay(), ProbeFate::duplicate);
  EXPECT_EQ(fsm_.state(), State::up);
  EXPECT_EQ(fsm_.stats().received, 4u);
  peer_.sequence += 100;
  hear(State::up, ours());
  peer_.sequence -= 65;
  EXPECT_EQ(hear(State::up, ours()), ProbeFate::duplicate) << "too old to tell";
}

TEST_F(Liveness, WhatCameBeforeTheFirstIsNotCounted) {
  peer_.sequence = 10;
  hear(State::down, 0);
  peer_.sequence = 8;
  EXPECT_EQ(hear(State::down, 0), ProbeFate::duplicate);
  EXPECT_EQ(fsm_.stats().loss_to_us, 0.0);
}

TEST_F(Liveness, ANewLifesLossIsItsOwn) {
  come_up();
  for (int i = 0; i < 500; ++i) {
    now_ = fsm_.next_deadline();
    fsm_.tick(now_, actions_);
    peer_.heard_highest = peer_.heard_count = actions_.send.back().sequence;
    hear(State::up, ours());
  }
  now_ += 400ms;
  fsm_.tick(now_, actions_);
  peer_.my_discriminator = 78;
  peer_.sequence = 0;
  peer_.heard_highest = peer_.heard_count = 0;
  hear(State::down, 0);
  peer_.sequence += 2;
  peer_.heard_highest = actions_.send.back().sequence;
  peer_.heard_count = 1;
  hear(State::init, ours());
  EXPECT_EQ(fsm_.state(), State::up);
  EXPECT_DOUBLE_EQ(*fsm_.stats().loss_to_us, 0.5) << "2 of 4";
  EXPECT_EQ(fsm_.stats().loss_to_peer, 0.0);
  for (const Time end = now_ + 300ms; now_ < end; now_ = fsm_.next_deadline()) fsm_.tick(now_, actions_);
  peer_.heard_highest = actions_.send.back().sequence;
  hear(State::up, ours());
  EXPECT_GT(*fsm_.stats().loss_to_peer, 0.5) << "it heard no more than the one";
}

// Nobody has called tick() in time.
TEST_F(Liveness, AProbeThatComesTooLateFindsThePeerSilent) {
  come_up();
  now_ += 400ms;
  hear(State::up, ours());
  EXPECT_EQ(fsm_.state(), State::down);
  EXPECT_EQ(actions_.changes.back().reason, ChangeReason::silence);
}

TEST_F(Liveness, AVoiceEndsTheSlowPace) {
  come_up();
  for (const Time end = now_ + 60s; now_ < end; now_ = fsm_.next_deadline()) fsm_.tick(now_, actions_);
  fsm_.tick(now_, actions_);
  ASSERT_GT(fsm_.next_deadline(), now_ + 1s);
  hear(State::up, ours());  // no reason to change our state, but there is somebody
  EXPECT_LE(fsm_.next_deadline(), now_ + 100ms);
}

// The peer counts our silence by the old pace until it has heard of the new one.
TEST_F(Liveness, ASlowerPaceIsKeptToWhenThePeerHasHeardOfIt) {
  come_up();
  fsm_.configure({.interval = 1s, .multiplier = 4}, now_);
  for (int i = 0; i < 20; ++i) {
    hear(State::up, ours());
    ASSERT_LE(fsm_.next_deadline(), now_ + 100ms);
    now_ = fsm_.next_deadline();
    fsm_.tick(now_, actions_);
    ASSERT_EQ(actions_.send.back().desired_interval, 1s);
  }
  peer_.heard_highest = peer_.heard_count = actions_.send.back().sequence;
  hear(State::up, ours());
  now_ = fsm_.next_deadline();
  fsm_.tick(now_, actions_);
  EXPECT_GE(fsm_.next_deadline(), now_ + 750ms);
}

// The peer keeps to what we asked until it has heard that it may be faster.
TEST_F(Liveness, AFasterPaceIsExpectedWhenThePeerHasHeardOfIt) {
  fsm_.configure({.interval = 1s, .multiplier = 4}, now_);
  come_up();
  fsm_.configure({.interval = 100ms, .multiplier = 4}, now_);
  for (int i = 0; i < 5; ++i) {
    hear(State::up, ours());
    for (const Time next = now_ + 1s; now_ < next; now_ += 10ms) fsm_.tick(now_, actions_);
    ASSERT_EQ(fsm_.state(), State::up);
  }
  peer_.heard_highest = peer_.heard_count = actions_.send.back().sequence;
  hear(State::up, ours());
  now_ += 400ms;
  hear(State::up, ours());  // sets the deadline anew
  now_ += 401ms;
  fsm_.tick(now_, actions_);
  EXPECT_EQ(fsm_.state(), State::down);
}

TEST_F(Liveness, RoundTripTimeLeavesOutWhatThePeerKeptItFor) {
  come_up();
  now_ = fsm_.next_deadline();
  fsm_.tick(now_, actions_);
  const Probe sent = actions_.send.back();
  now_ += 30ms;
  peer_.heard_highest = peer_.heard_count = sent.sequence;
  peer_.echo_sent_at = sent.sent_at;
  peer_.echo_delay = 20ms;
  hear(State::up, ours());
  EXPECT_EQ(fsm_.stats().round_trip, 10ms);
  peer_.echo_delay = 10ms;
  hear(State::up, ours());
  EXPECT_EQ(fsm_.stats().round_trip, 10ms) << "the same echo is no new measurement";
}

TEST_F(Liveness, ImpossibleEchoesAreNotBelieved) {
  come_up();
  now_ = fsm_.next_deadline();
  fsm_.tick(now_, actions_);
  peer_.heard_highest = peer_.heard_count = 1'000'000;
  hear(State::up, ours());
  EXPECT_EQ(fsm_.stats().round_trip, std::nullopt);
  EXPECT_EQ(fsm_.stats().loss_to_peer, std::nullopt);
  peer_.heard_highest = peer_.heard_count = 1;
  peer_.echo_sent_at = peer_.echo_delay = Probe::Microseconds::max();
  hear(State::up, ours());
  EXPECT_EQ(fsm_.stats().round_trip, std::nullopt);
}

TEST_F(Liveness, AdministrativelyDown) {
  come_up();
  fsm_.set_admin(LivenessFsm::Admin::disabled, now_, actions_);
  EXPECT_EQ(fsm_.state(), State::admin_down);
  ASSERT_EQ(actions_.send.size(), 1u);
  EXPECT_EQ(actions_.send[0].state, State::admin_down);
  EXPECT_EQ(hear(State::up, ours()), ProbeFate::admin_down);
  fsm_.set_admin(LivenessFsm::Admin::enabled, now_, actions_);
  EXPECT_EQ(fsm_.state(), State::down);
  EXPECT_EQ(actions_.changes.back().reason, ChangeReason::administrative);
  come_up();
}

TEST_F(Liveness, ThePeerIsAdministrativelyDown) {
  come_up();
  hear(State::admin_down, ours());
  EXPECT_EQ(fsm_.state(), State::down);
  hear(State::admin_down, ours());
  EXPECT_EQ(fsm_.state(), State::down);
  hear(State::down, ours());
  EXPECT_EQ(fsm_.state(), State::init);
}

TEST_F(Liveness, OptionsAreMovedIntoTheirLimits) {
  const LivenessOptions low = limited({.interval = 0ms, .multiplier = 0, .silent_interval = 0ms});
  EXPECT_EQ(low.interval, kMinProbeInterval);
  EXPECT_EQ(low.multiplier, 1);
  EXPECT_EQ(low.silent_interval, kMinProbeInterval);
  EXPECT_EQ(limited({.interval = 1h, .multiplier = 255}).interval, kMaxProbeInterval);
  EXPECT_EQ(limited(LivenessOptions{}), LivenessOptions{});
}

}  // namespace
}  // namespace viaduct::routing::underlay
