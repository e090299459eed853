#include "flows/health/answer.hpp"

#include <random>

#include "servers.hpp"

namespace viaduct::flows::health {
namespace {

class AnswerTest : public testing::TestWithParam<bool> {
 protected:
  Family family = GetParam() ? family_v6() : family_v4();
  Server server{family};
  Probe probe{kRouter, {}, family.member, ProbeKind::tcp, 61'500, 80, 1'000, 0, wire::tcp::kSyn};

  std::optional<Answer> heard(FrameBytes frame) const { return parse_answer(parse(frame, {}), kRouter); }
  std::optional<Answer> answer_to(const Probe& what) {
    auto frames = server.hear(what);
    return frames.empty() ? std::nullopt : heard(frames.front());
  }
};

TEST_P(AnswerTest, ASegment) {
  const auto answer = answer_to(probe);
  ASSERT_TRUE(answer);
  const Answer want{kRouter, Answer::Kind::packet, ProbeKind::tcp, family.member, family.router,
                    80,      probe.from_port,      9'000,          1'001,         0x12};
  EXPECT_EQ(*answer, want);
}

TEST_P(AnswerTest, ADatagramAndAnEcho) {
  probe.kind = ProbeKind::udp;
  ASSERT_TRUE(answer_to(probe));
  EXPECT_EQ(answer_to(probe)->of, ProbeKind::udp);
  probe.kind = ProbeKind::echo;
  const auto echo = answer_to(probe);
  ASSERT_TRUE(echo);
  EXPECT_EQ(echo->of, ProbeKind::echo);
  EXPECT_EQ(echo->to_port, probe.from_port) << "the identifier";
  EXPECT_EQ(echo->from_port, probe.to_port) << "the sequence number";
}

TEST_P(AnswerTest, UnreachableNamesWhatWasSent) {
  server.behaviour = Behaviour::unreachable;
  for (const ProbeKind kind : {ProbeKind::tcp, ProbeKind::udp, ProbeKind::echo}) {
    probe.kind = kind;
    const auto answer = answer_to(probe);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind, Answer::Kind::unreachable);
    EXPECT_EQ(answer->of, kind);
    EXPECT_EQ(answer->from, family.member);
    EXPECT_EQ(answer->to_port, probe.from_port);
    EXPECT_EQ(answer->code, GetParam() ? 4 : 3);
  }
}

TEST_P(AnswerTest, NoNeighbourIsToldOfTheProbeItself) {
  for (const ProbeKind kind : {ProbeKind::tcp, ProbeKind::udp, ProbeKind::echo}) {
    probe.kind = kind;
    FrameBytes frame = sent(probe, family);
    const auto answer = no_neighbour_for(parse(frame, {}), kRouter);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind, Answer::Kind::no_neighbour);
    EXPECT_EQ(answer->of, kind);
    EXPECT_EQ(answer->from, family.member);
    EXPECT_EQ(answer->to_port, probe.from_port);
  }
}

TEST_P(AnswerTest, WhatIsForOtherPortsOrBrokenIsNoAnswer) {
  probe.from_port = kFirstPort - 1;
  EXPECT_FALSE(answer_to(probe));
  probe.kind = ProbeKind::echo;
  EXPECT_FALSE(answer_to(probe));
  server.behaviour = Behaviour::unreachable;
  EXPECT_FALSE(answer_to(probe));
  probe = {kRouter, {}, family.member, ProbeKind::tcp, kFirstPort, 80, 1'000, 0, wire::tcp::kSyn};
  server.behaviour = Behaviour::accepts;
  auto frame = server.hear(probe).front();
  ASSERT_TRUE(heard(frame));
  frame.back() ^= 1;
  EXPECT_FALSE(heard(frame)) << "a wrong checksum";
  EXPECT_FALSE(heard(server.to_router().fragment(0, true).tcp(80, kFirstPort).payload(16).build()));
}

TEST_P(AnswerTest, FramesBetweenHostsComeBackAsTheyWere) {
  server.behaviour = Behaviour::serves;
  Probe request = probe;
  request.tcp_flags = 0x18;
  request.payload = {'G'};
  server.page.append(500, 'x');
  for (const auto& frame : server.hear(request)) {
    const auto answer = heard(frame);
    ASSERT_TRUE(answer);
    const auto wire_form = encode(*answer);
    EXPECT_LE(wire_form.size(), kMaxAnswerFrame);
    EXPECT_EQ(std::get<Answer>(decode_answer(wire_form)), *answer);
    EXPECT_EQ(answer->payload.size(), kMaxPayload);
    EXPECT_EQ(answer->payload_bytes, server.page.size());
  }
}

TEST_P(AnswerTest, DamagedFramesBetweenHostsAreRefusedWithTheReason) {
  const auto good = encode(*answer_to(probe));
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_EQ(std::get<AnswerError>(decode_answer(std::span(good).first(length))), AnswerError::wrong_length);
  }
  auto with = [&](size_t at, uint8_t value) {
    auto frame = good;
    frame[at] = value;
    return std::get<AnswerError>(decode_answer(frame));
  };
  EXPECT_EQ(with(12, 0), AnswerError::not_an_answer);
  EXPECT_EQ(with(14, 0), AnswerError::not_an_answer);
  EXPECT_EQ(with(18, 2), AnswerError::unknown_version);
  EXPECT_EQ(with(19, 9), AnswerError::bad_value);
  EXPECT_EQ(with(20, 9), AnswerError::bad_value);
  EXPECT_EQ(with(21, 5), AnswerError::bad_value);
  EXPECT_EQ(with(14 + 58, 0), AnswerError::bad_value) << "a port that no check has";
  EXPECT_EQ(with(14 + 71, 1), AnswerError::wrong_length);
}

// Whatever comes: either an answer whose parts fit together, or none; and never a byte beyond the frame (sanitizers).
TEST_P(AnswerTest, RandomlyDamagedPackets) {
  std::mt19937 random(GetParam() ? 2 : 1);
  server.behaviour = Behaviour::serves;
  int parsed = 0;
  for (int round = 0; round < 20'000; ++round) {
    probe.kind = static_cast<ProbeKind>(round % 3);
    probe.tcp_flags = round % 2 == 0 ? wire::tcp::kSyn : 0x18;
    probe.payload.assign(round % 2, 'G');
    server.behaviour = round % 5 == 0 ? Behaviour::unreachable : Behaviour::serves;
    FrameBytes frame = server.hear(probe).front();
    for (unsigned flips = random() % 4; flips > 0; --flips) {
      frame[random() % frame.size()] ^= static_cast<uint8_t>(1U << random() % 8);
    }
    frame.resize(frame.size() - random() % 3 * (random() % frame.size()) / 3);
    const auto answer = heard(frame);
    if (answer) {
      ++parsed;
      EXPECT_TRUE(is_check_port(answer->to_port));
      EXPECT_LE(answer->payload.size(), std::min<size_t>(kMaxPayload, answer->payload_bytes));
      EXPECT_EQ(std::get<Answer>(decode_answer(encode(*answer))), *answer);
    }
    auto bytes = encode(answer.value_or(Answer{}));
    bytes[random() % bytes.size()] ^= static_cast<uint8_t>(random());
    (void)decode_answer(bytes);
  }
  EXPECT_GT(parsed, 2'000);
}

INSTANTIATE_TEST_SUITE_P(Families, AnswerTest, testing::Bool(),
                         [](const auto& of) { return of.param ? "IPv6" : "IPv4"; });

}  // namespace
}  // namespace viaduct::flows::health
