#include "routing/underlay/flap_damping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::routing::underlay {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const HostId kFlapping(Uuid::from_words(1, 1)), kSteady(Uuid::from_words(1, 2));

class Damping : public testing::Test {
 protected:
  // Silent for a second, and there again; how long it is held.
  std::chrono::milliseconds flap(HostId host = kFlapping) {
    damping.fell_silent(host, now);
    now += 1s;
    if (damping.came_back(host, now)) return 0ms;
    return std::chrono::duration_cast<std::chrono::milliseconds>(*damping.next_release() - now);
  }
  FlapDamping damping;
  FlapDamping::Time now{1h};
};

TEST_F(Damping, TheFirstSilencesCostNothingAndThenTheHoldDoubles) {
  EXPECT_TRUE(damping.came_back(kFlapping, now)) << "was never silent";
  EXPECT_EQ(flap(), 0ms);
  EXPECT_EQ(flap(), 0ms);
  for (const auto hold : {1s, 2s, 4s, 8s, 16s, 32s, 32s, 32s}) EXPECT_EQ(flap(), hold);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(flap(), 32s) << "bounded";
  EXPECT_EQ(flap(kSteady), 0ms) << "each by itself";
}

TEST_F(Damping, AHoldEndsOnceAndWithTheNextSilence) {
  flap(), flap(), flap();
  EXPECT_EQ(damping.held(), 1u);
  EXPECT_THAT(damping.released(now + 999ms), IsEmpty());
  EXPECT_THAT(damping.released(now + 1s), ElementsAre(kFlapping));
  EXPECT_THAT(damping.released(now + 2s), IsEmpty());
  flap();
  damping.fell_silent(kFlapping, now);
  EXPECT_THAT(damping.released(now + 1min), IsEmpty()) << "it is silent";
  EXPECT_EQ(damping.next_release(), std::nullopt);
}

TEST_F(Damping, AMinuteWithoutOneForgivesAll) {
  flap(), flap(), flap();
  damping.released(now += 1s);
  now += 59s;
  EXPECT_EQ(flap(), 0ms);
  flap(), flap();
  now += 30s;
  EXPECT_EQ(flap(), 2s) << "half a minute does not";
}

TEST_F(Damping, WhatIsGoneIsForgotten) {
  flap(), flap(), flap();
  damping.forget([](HostId host) { return host == kFlapping; }, now);
  EXPECT_EQ(damping.held(), 0u);
  EXPECT_EQ(flap(), 0ms);
}

}  // namespace
}  // namespace viaduct::routing::underlay
