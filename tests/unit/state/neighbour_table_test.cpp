#include <gtest/gtest.h>

#include "flows/state/state_tables.hpp"

namespace viaduct::flows {
namespace {

using namespace std::chrono_literals;

const Uuid kRouter = Uuid::from_words(1, 1);
const PortId kPort(Uuid::from_words(2, 1));
const Time kStart = Time{} + 1h;
const MacAddress kMac1 = MacAddress::from_uint64(0x020000000001), kMac2 = MacAddress::from_uint64(0x020000000002);

NeighbourKey neighbour(uint32_t number) { return {kRouter, kPort, IpAddress::v4(number)}; }

TEST(NeighbourTable, LearnsAndConfirms) {
  NeighbourTable table;
  EXPECT_EQ(table.learn(neighbour(1), kMac1, kStart), LearnResult::added);
  EXPECT_EQ(table.learn(neighbour(1), kMac1, kStart + 2s), LearnResult::unchanged);
  EXPECT_EQ(table.find(neighbour(1)), (NeighbourEntry{kMac1, NeighbourState::reachable, kStart + 2s, kStart}));
  EXPECT_EQ(table.learn(neighbour(1), kMac2, kStart + 2s), LearnResult::moved);
  EXPECT_EQ(table.find(neighbour(1))->mac, kMac2);
}

TEST(NeighbourTable, StaleBecomesReachableAgainWithoutAMove) {
  NeighbourTable table;
  table.learn(neighbour(1), kMac1, kStart);
  EXPECT_TRUE(table.set_state(neighbour(1), NeighbourState::stale, kStart + 60s));
  EXPECT_EQ(table.find(neighbour(1))->state, NeighbourState::stale);
  EXPECT_EQ(table.find(neighbour(1))->confirmed, kStart);
  EXPECT_EQ(table.learn(neighbour(1), kMac1, kStart + 61s), LearnResult::unchanged);
  EXPECT_EQ(table.find(neighbour(1))->state, NeighbourState::reachable);
}

TEST(NeighbourTable, FailedIsAddedAndLearningFromItIsAMove) {
  NeighbourTable table;
  EXPECT_FALSE(table.set_state(neighbour(1), NeighbourState::stale, kStart));
  EXPECT_TRUE(table.set_state(neighbour(1), NeighbourState::failed, kStart));
  EXPECT_EQ(table.find(neighbour(1))->state, NeighbourState::failed);
  EXPECT_EQ(table.learn(neighbour(1), kMac1, kStart + 1s), LearnResult::moved);
}

TEST(NeighbourTable, WhatWasJustLearnedIsNotFailedOrErased) {
  NeighbourTable table;
  table.learn(neighbour(1), kMac1, kStart + 1s);
  EXPECT_FALSE(table.set_state_if_older(neighbour(1), NeighbourState::failed, kStart + 2s, kStart + 1s));
  EXPECT_FALSE(table.erase_if_older(neighbour(1), kStart + 1s));
  EXPECT_EQ(table.find(neighbour(1))->state, NeighbourState::reachable);
  EXPECT_TRUE(table.set_state_if_older(neighbour(1), NeighbourState::failed, kStart + 5s, kStart + 2s));
  EXPECT_TRUE(table.erase_if_older(neighbour(1), kStart + 2s));
  EXPECT_EQ(table.size(), 0U);
}

TEST(NeighbourTable, TouchKeepsTheTimeOfUse) {
  NeighbourTable table;
  table.learn(neighbour(1), kMac1, kStart);
  table.touch(neighbour(1), kStart + 50ms);
  EXPECT_EQ(table.find(neighbour(1))->last_used, kStart);
  table.touch(neighbour(1), kStart + 10s);
  EXPECT_EQ(table.find(neighbour(1))->last_used, kStart + 10s);
  EXPECT_EQ(table.find(neighbour(1))->confirmed, kStart);
}

TEST(NeighbourTable, QuotaRefusesFailedEntriesToo) {
  NeighbourTable table(100, 2);
  EXPECT_TRUE(table.set_state(neighbour(1), NeighbourState::failed, kStart));
  EXPECT_EQ(table.learn(neighbour(2), kMac1, kStart), LearnResult::added);
  EXPECT_FALSE(table.set_state(neighbour(3), NeighbourState::failed, kStart));
  EXPECT_EQ(table.learn(neighbour(3), kMac1, kStart), LearnResult::refused);
  EXPECT_EQ(table.refused(), 2U);
}

}  // namespace
}  // namespace viaduct::flows
