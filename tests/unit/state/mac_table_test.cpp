#include <gtest/gtest.h>

#include "flows/state/state_tables.hpp"

namespace viaduct::flows {
namespace {

using namespace std::chrono_literals;

const BridgeId kBridge(Uuid::from_words(1, 1));
const PortId kPort1(Uuid::from_words(2, 1)), kPort2(Uuid::from_words(2, 2));
const Time kStart = Time{} + 1h;

MacKey mac(uint64_t number, BridgeId bridge = kBridge) { return {bridge, 0, MacAddress::from_uint64(number)}; }

TEST(MacTable, LearnsMovesAndTellsThePreviousPort) {
  MacTable table;
  EXPECT_EQ(table.learn(mac(1), kPort1, kStart), LearnResult::added);
  EXPECT_EQ(table.learn(mac(1), kPort1, kStart + 1s), LearnResult::unchanged);
  PortId previous;
  EXPECT_EQ(table.learn(mac(1), kPort2, kStart + 1s, &previous), LearnResult::moved);
  EXPECT_EQ(previous, kPort1);
  EXPECT_EQ(table.find(mac(1)), (MacEntry{kPort2, kStart + 1s}));
  EXPECT_FALSE(table.find({kBridge, 5, MacAddress::from_uint64(1)}));  // another VLAN
}

TEST(MacTable, TimesOfUseAreKeptToTheTouchInterval) {
  MacTable table;
  table.learn(mac(1), kPort1, kStart);
  table.touch(mac(1), kStart + 99ms);
  table.learn(mac(1), kPort1, kStart + 99ms);
  EXPECT_EQ(table.find(mac(1))->last_seen, kStart);
  table.touch(mac(1), kStart + 100ms);
  EXPECT_EQ(table.find(mac(1))->last_seen, kStart + 100ms);
  table.learn(mac(1), kPort1, kStart + 5s);
  EXPECT_EQ(table.find(mac(1))->last_seen, kStart + 5s);
}

TEST(MacTable, TimeNeverGoesBack) {
  MacTable table;
  table.learn(mac(1), kPort1, kStart + 5s);
  table.touch(mac(1), kStart);
  table.learn(mac(1), kPort2, kStart);
  EXPECT_EQ(table.find(mac(1)), (MacEntry{kPort2, kStart + 5s}));
}

TEST(MacTable, TouchingTheUnknownAddsNothing) {
  MacTable table;
  table.touch(mac(1), kStart);
  EXPECT_EQ(table.size(), 0U);
}

TEST(MacTable, ErasesOnlyWhatIsOlder) {
  MacTable table;
  table.learn(mac(1), kPort1, kStart);
  EXPECT_FALSE(table.erase_if_older(mac(1), kStart));
  EXPECT_TRUE(table.erase_if_older(mac(1), kStart + 1ms));
  EXPECT_FALSE(table.erase(mac(1)));
}

TEST(MacTable, OneBridgeCannotFillTheTable) {
  MacTable table(100, 10);
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(table.learn(mac(i), kPort1, kStart), LearnResult::added);
  EXPECT_EQ(table.learn(mac(10), kPort1, kStart), LearnResult::refused);
  EXPECT_EQ(table.refused(), 1U);
  EXPECT_EQ(table.learn(mac(3), kPort2, kStart), LearnResult::moved);  // known ones still move
  const BridgeId other(Uuid::from_words(1, 2));
  EXPECT_EQ(table.learn(mac(10, other), kPort1, kStart), LearnResult::added);
  table.erase(mac(0));
  EXPECT_EQ(table.learn(mac(10), kPort1, kStart), LearnResult::added);
}

TEST(MacTable, FullTableRefuses) {
  MacTable table(10, 100);
  for (uint64_t i = 0; i < 10; ++i) EXPECT_EQ(table.learn(mac(i), kPort1, kStart), LearnResult::added);
  EXPECT_EQ(table.learn(mac(10), kPort1, kStart), LearnResult::refused);
  EXPECT_EQ(table.size(), 10U);
}

}  // namespace
}  // namespace viaduct::flows
