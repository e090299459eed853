#include "actors/agent/mac_ageing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const flows::Time kStart = flows::Time{} + 1h;
const BridgeId kBridge(Uuid::from_words(1, 1)), kOther(Uuid::from_words(1, 2));
const PortId kPort(Uuid::from_words(2, 1));

flows::MacKey mac(uint64_t number, BridgeId bridge = kBridge) { return {bridge, 0, MacAddress::from_uint64(number)}; }
flows::NeighbourKey binding(uint32_t address) { return {kBridge.uuid(), {}, IpAddress::v4(address)}; }

const MacAgeing::IsRemote remote = [](const auto&) { return false; };
const MacAgeing::IsRemote all_remote = [](const auto&) { return true; };

class MacAgeingTest : public ::testing::Test {
 protected:
  void see(const flows::MacKey& key, flows::Time now) {
    if (macs.learn(key, kPort, now) == flows::LearnResult::added) ageing.learned(key, now);
  }
  Ended tick(flows::Time now) { return ageing.tick(now, macs, neighbours, remote); }

  flows::MacTable macs;
  flows::NeighbourTable neighbours;
  MacAgeing ageing{kBridge};
};

TEST_F(MacAgeingTest, AMacEnds15SecondsAfterItWasLastSeen) {
  see(mac(1), kStart);
  EXPECT_EQ(ageing.next_deadline(), kStart + 15s);
  see(mac(1), kStart + 10s);  // no news of that
  EXPECT_THAT(tick(kStart + 15s).macs, IsEmpty());
  EXPECT_EQ(ageing.next_deadline(), kStart + 25s);
  EXPECT_THAT(tick(kStart + 24999ms).macs, IsEmpty());
  EXPECT_THAT(tick(kStart + 25s).macs, ElementsAre(EndedMac{mac(1), kPort}));
  EXPECT_EQ(macs.size(), 0U);
  EXPECT_EQ(ageing.next_deadline(), std::nullopt);
}

TEST_F(MacAgeingTest, AFlowKeepsItAlive) {
  see(mac(1), kStart);
  for (auto now = kStart; now < kStart + 100s; now += 5s) {
    macs.touch(mac(1), now);
    EXPECT_THAT(tick(now).macs, IsEmpty());
  }
}

TEST_F(MacAgeingTest, WhatWasErasedByOthersIsForgotten) {
  see(mac(1), kStart);
  macs.erase(mac(1));
  EXPECT_THAT(tick(kStart + 15s).macs, IsEmpty());
  EXPECT_EQ(ageing.tracked(), 0U);
}

TEST_F(MacAgeingTest, BindingsEnd90SecondsAfterTheLastAnnouncement) {
  neighbours.learn(binding(1), MacAddress::from_uint64(1), kStart);
  ageing.learned(binding(1), kStart);
  neighbours.learn(binding(1), MacAddress::from_uint64(1), kStart + 30s);
  neighbours.touch(binding(1), kStart + 110s);  // use does not confirm
  EXPECT_THAT(tick(kStart + 90s).bindings, IsEmpty());
  EXPECT_THAT(tick(kStart + 120s).bindings, ElementsAre(binding(1)));
}

TEST_F(MacAgeingTest, AdoptsWhatItHasNotHeardOf) {
  macs.learn(mac(1), kPort, kStart);
  macs.learn(mac(2, kOther), kPort, kStart);
  neighbours.learn(binding(1), MacAddress::from_uint64(1), kStart);
  ageing.adopt(macs, neighbours, kStart + 5s);
  EXPECT_EQ(ageing.tracked(), 2U);
  const Ended ended = tick(kStart + 90s);
  EXPECT_THAT(ended.macs, ElementsAre(EndedMac{mac(1), kPort}));
  EXPECT_THAT(ended.bindings, ElementsAre(binding(1)));
  EXPECT_EQ(macs.size(), 1U);
}

TEST_F(MacAgeingTest, WhatAnotherHostHasLearnedIsNotEndedHere) {
  see(mac(1), kStart);
  neighbours.learn(binding(1), MacAddress::from_uint64(1), kStart);
  ageing.learned(binding(1), kStart);
  for (auto now = kStart; now < kStart + 300s; now += 5s) {
    const Ended ended = ageing.tick(now, macs, neighbours, all_remote);
    ASSERT_TRUE(ended.macs.empty() && ended.bindings.empty());
  }
  EXPECT_EQ(macs.size() + neighbours.size(), 2U);
}

TEST_F(MacAgeingTest, WhatComesBackToThisHostEndsHereAgain) {
  see(mac(1), kStart);
  EXPECT_THAT(ageing.tick(kStart + 20s, macs, neighbours, all_remote).macs, IsEmpty());
  macs.learn(mac(1), kPort, kStart + 21s);
  ageing.learned(mac(1), kStart + 21s);
  EXPECT_THAT(tick(kStart + 60s).macs, ElementsAre(EndedMac{mac(1), kPort}));
}

TEST_F(MacAgeingTest, OnlyWhatIsMarkedIsAnotherHosts) {
  see(mac(1), kStart);
  see(mac(2), kStart);
  auto second = [](const flows::simulation::Learned& entry) { return std::get<flows::MacKey>(entry) == mac(2); };
  EXPECT_THAT(ageing.tick(kStart + 20s, macs, neighbours, second).macs, ElementsAre(EndedMac{mac(1), kPort}));
  EXPECT_TRUE(macs.find(mac(2)));
}

TEST_F(MacAgeingTest, FlushErasesThisBridgeOnly) {
  see(mac(1), kStart);
  macs.learn(mac(2), kPort, kStart);  // not heard of
  macs.learn(mac(3, kOther), kPort, kStart);
  EXPECT_EQ(ageing.flush(macs, neighbours).macs.size(), 2U);
  EXPECT_EQ(macs.size(), 1U);
  EXPECT_EQ(ageing.tracked(), 0U);
}

TEST_F(MacAgeingTest, TracksNoMoreThanItsLimit) {
  MacAgeing small(kBridge, {.max_tracked = 2});
  for (uint64_t i = 0; i < 3; ++i) {
    macs.learn(mac(i), kPort, kStart);
    small.learned(mac(i), kStart);
  }
  EXPECT_EQ(small.untracked(), 1U);
  EXPECT_EQ(small.tick(kStart + 15s, macs, neighbours, remote).macs.size(), 2U);
  small.adopt(macs, neighbours, kStart + 15s);
  EXPECT_EQ(small.tick(kStart + 15s, macs, neighbours, remote).macs.size(), 1U);
}

}  // namespace
}  // namespace viaduct::actors
