#include "routing/underlay/probe_frame.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
constexpr size_t kPayload = 14;

Probe example() {
  Probe probe;
  probe.sender = HostId(Uuid::from_words(0x0102'0304'0506'0708, 0x090a'0b0c'0d0e'0f10));
  probe.receiver = HostId(Uuid::from_words(7, 8));
  probe.state = LivenessState::init;
  probe.multiplier = 5;
  probe.my_discriminator = 0x1122'3344;
  probe.your_discriminator = 0x5566'7788;
  probe.desired_interval = 500ms;
  probe.required_interval = 250ms;
  probe.sequence = 0x0100'0000'0000'0002;
  probe.heard_highest = 77;
  probe.heard_count = 70;
  probe.sent_at = Probe::Microseconds(123'456);
  probe.echo_sent_at = Probe::Microseconds(99);
  probe.echo_delay = Probe::Microseconds(5);
  return probe;
}

std::vector<uint8_t> bytes(const Probe& probe) {
  const ProbeFrame frame = encode(probe);
  return {frame.begin(), frame.end()};
}
ProbeError error(const std::vector<uint8_t>& frame) {
  const auto decoded = decode_probe(frame);
  EXPECT_TRUE(std::holds_alternative<ProbeError>(decoded));
  return std::holds_alternative<ProbeError>(decoded) ? std::get<ProbeError>(decoded) : ProbeError{};
}
ProbeError error_with(size_t at, std::initializer_list<uint8_t> changed) {
  std::vector<uint8_t> frame = bytes(example());
  std::copy(changed.begin(), changed.end(), frame.begin() + static_cast<ptrdiff_t>(at));
  return error(frame);
}

TEST(ProbeFrame, WhatGoesInComesOut) {
  const auto decoded = decode_probe(bytes(example()));
  ASSERT_TRUE(std::holds_alternative<Probe>(decoded)) << to_string(std::get<ProbeError>(decoded));
  EXPECT_EQ(std::get<Probe>(decoded), example());
}

// The layout that the header file draws: it is what other versions rely on.
TEST(ProbeFrame, Layout) {
  const std::vector<uint8_t> frame = bytes(example());
  ASSERT_EQ(frame.size(), 118u);
  const auto at = [&](size_t from, size_t count) {
    return std::vector<uint8_t>(frame.begin() + static_cast<ptrdiff_t>(from),
                                frame.begin() + static_cast<ptrdiff_t>(from + count));
  };
  using Bytes = std::vector<uint8_t>;
  EXPECT_EQ(at(12, 2), (Bytes{0x88, 0xb5}));
  EXPECT_EQ(at(kPayload, 8), (Bytes{'V', 'D', 'P', 'B', 1, 2, 5, 0}));
  EXPECT_EQ(at(kPayload + 8, 8), (Bytes{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
  EXPECT_EQ(at(kPayload + 16, 8), (Bytes{0x00, 0x07, 0xa1, 0x20, 0x00, 0x03, 0xd0, 0x90}));
  EXPECT_EQ(at(kPayload + 24, 8), (Bytes{1, 0, 0, 0, 0, 0, 0, 2}));
  EXPECT_EQ(frame[kPayload + 39], 77);
  EXPECT_EQ(frame[kPayload + 47], 70);
  EXPECT_EQ(at(kPayload + 53, 3), (Bytes{0x01, 0xe2, 0x40}));
  EXPECT_EQ(frame[kPayload + 63], 99);
  EXPECT_EQ(frame[kPayload + 71], 5);
  EXPECT_EQ(at(kPayload + 72, 16), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}));
  EXPECT_EQ(frame[kPayload + 103], 8);
}

TEST(ProbeFrame, AddressesAreLocalUnicastAndDiffer) {
  for (uint64_t n = 1; n < 100; ++n) {
    const MacAddress mac = probe_mac(HostId(Uuid::from_words(n, n)));
    EXPECT_EQ(mac.bytes()[0] & 3, 2);
    EXPECT_NE(mac, probe_mac(HostId(Uuid::from_words(n, n + 1))));
  }
}

TEST(ProbeFrame, WhatIsRefused) {
  EXPECT_EQ(error_with(12, {0x08, 0x00}), ProbeError::not_a_probe);
  EXPECT_EQ(error_with(kPayload, {'X'}), ProbeError::not_a_probe);
  EXPECT_EQ(error_with(kPayload + 4, {2}), ProbeError::unknown_version);
  EXPECT_EQ(error_with(kPayload + 5, {4}), ProbeError::bad_state);
  EXPECT_EQ(error_with(kPayload + 6, {0}), ProbeError::bad_multiplier);
  EXPECT_EQ(error_with(kPayload + 6, {21}), ProbeError::bad_multiplier);
  EXPECT_EQ(error_with(kPayload + 8, {0, 0, 0, 0}), ProbeError::bad_discriminator);
  EXPECT_EQ(error_with(kPayload + 16, {0, 0, 0x27, 0x0f}), ProbeError::bad_interval) << "9,999 microseconds";
  EXPECT_EQ(error_with(kPayload + 20, {0xff, 0xff, 0xff, 0xff}), ProbeError::bad_interval);
  EXPECT_EQ(error_with(kPayload + 24, {0, 0, 0, 0, 0, 0, 0, 0}), ProbeError::bad_sequence);
  EXPECT_EQ(error_with(kPayload + 40, {0, 0, 0, 0, 0, 0, 0, 78}), ProbeError::bad_sequence) << "more heard than sent";
  EXPECT_EQ(error_with(kPayload + 72, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), ProbeError::bad_host);
  EXPECT_EQ(error_with(kPayload + 88, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), ProbeError::bad_host);
}

TEST(ProbeFrame, TheReservedByteIsNotRead) {
  std::vector<uint8_t> frame = bytes(example());
  frame[kPayload + 7] = 0xff;
  EXPECT_EQ(std::get<Probe>(decode_probe(frame)), example());
}

TEST(ProbeFrame, EveryOtherLengthIsRefused) {
  const std::vector<uint8_t> frame = bytes(example());
  for (size_t length = 0; length < frame.size(); ++length) {
    EXPECT_EQ(error({frame.begin(), frame.begin() + static_cast<ptrdiff_t>(length)}), ProbeError::wrong_length);
  }
  std::vector<uint8_t> longer = frame;
  longer.push_back(0);
  EXPECT_EQ(error(longer), ProbeError::wrong_length);
  longer[kPayload + 4] = 9;
  EXPECT_EQ(error(longer), ProbeError::unknown_version) << "another version may have another length";
}

// Whatever decodes is within the limits, and encodes to the same bytes but for addresses and the reserved byte.
TEST(ProbeFrame, RandomlyChangedFrames) {
  std::mt19937 chance(5);
  int decoded_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<uint8_t> frame = bytes(example());
    for (uint32_t changes = 1 + chance() % 3; changes > 0; --changes)
      frame[chance() % frame.size()] ^= 1 << chance() % 8;
    const auto decoded = decode_probe(frame);
    if (!std::holds_alternative<Probe>(decoded)) continue;
    ++decoded_count;
    const std::vector<uint8_t> again = bytes(std::get<Probe>(decoded));
    frame[kPayload + 7] = 0;
    ASSERT_TRUE(std::equal(frame.begin() + 12, frame.end(), again.begin() + 12));
  }
  EXPECT_GT(decoded_count, 5'000);
}

TEST(ProbeFrame, EveryErrorHasAName) {
  for (size_t i = 0; i < kProbeErrors; ++i) EXPECT_STRNE(to_string(static_cast<ProbeError>(i)), "");
  EXPECT_STREQ(to_string(ProbeError::bad_host), "bad_host");
  EXPECT_STREQ(to_string(LivenessState::up), "up");
}

}  // namespace
}  // namespace viaduct::routing::underlay
