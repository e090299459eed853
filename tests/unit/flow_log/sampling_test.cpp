#include "observability/flow_log/sampling.hpp"

#include <gtest/gtest.h>

#include "literals.hpp"

namespace viaduct::observability::flow_log::testing {
namespace {

using namespace std::chrono_literals;

Tuple reversed(const Tuple& of) { return {of.dst, of.src, of.dst_port, of.src_port}; }

TEST(FlowLogSampling, OneInNOfManyFlows) {
  int chosen = 0;
  for (uint16_t port = 1; port <= 40'000; ++port) {
    const Tuple tuple{ip("10.0.0.1"), ip("10.0.0.2"), port, 80};
    chosen += is_sampled(sample_hash(tuple, tuple, 6), 8);
  }
  EXPECT_NEAR(chosen, 5'000, 400);
}

TEST(FlowLogSampling, TheSameAlwaysAndEverywhere) {
  // Hosts of other versions choose the same flows.
  EXPECT_EQ(sample_hash(v4().before, v4().after, 6), 10210020050918658281ULL);
}

TEST(FlowLogSampling, BothDirectionsOfATranslatedConnection) {
  // client -> VIP becomes client -> member; member -> client becomes VIP -> client.
  const Tuple request = v4().before, sent_on = v4().after;
  EXPECT_EQ(sample_hash(request, sent_on, 6), sample_hash(reversed(sent_on), reversed(request), 6));
  EXPECT_NE(sample_hash(request, sent_on, 6), sample_hash(request, request, 6));
}

TEST(FlowLogSampling, AnEchoAndItsReply) {
  const Tuple echo{ip("fd00::1"), ip("fd00::2"), 128, 0}, reply{ip("fd00::2"), ip("fd00::1"), 129, 0};
  EXPECT_EQ(sample_hash(echo, echo, 58), sample_hash(reply, reply, 58));
}

TEST(FlowLogSampling, ProtocolsDiffer) {
  EXPECT_NE(sample_hash(v4().before, v4().before, 6), sample_hash(v4().before, v4().before, 17));
}

TEST(FlowLogRate, SoManyASecondAndNoMore) {
  RateCap cap(100);
  Time now(1'000s);
  int passed = 0;
  for (int i = 0; i < 500; ++i) passed += cap.admit(now);
  EXPECT_EQ(passed, 100);
  for (int i = 0; i < 50; ++i) passed += cap.admit(now + 100ms);
  EXPECT_EQ(passed, 110);
  for (int i = 0; i < 500; ++i) passed += cap.admit(now + 1h);
  EXPECT_EQ(passed, 210);
}

}  // namespace
}  // namespace viaduct::observability::flow_log::testing
