#include "actors/agent/learned_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "topology/store/memory_store.hpp"

namespace viaduct::actors {
namespace {

namespace store = topology::store;
using std::chrono::seconds;

class LearnedStateTest : public testing::Test {
 protected:
  flows::MacKey mac(uint64_t number) { return {BridgeId(Uuid::from_words(1, 1)), 0, MacAddress::from_uint64(number)}; }
  flows::NeighbourKey neighbour(std::string_view address) {
    return {Uuid::from_words(2, 2), PortId(Uuid::from_words(3, 3)), *IpAddress::parse(address)};
  }
  void changed() { state.learned_changes.fetch_add(1); }

  std::unique_ptr<store::VersionedStore> disk = store::make_memory_store();
  LearnedState learned{*disk};
  AgentState state;
  flows::Time now = std::chrono::steady_clock::now();
  const PortId port{Uuid::from_words(4, 4)};
  const MacAddress address = MacAddress::from_uint64(0x0200'0000'0001);
};

TEST_F(LearnedStateTest, TheNextLifeKnowsWhatThisOneLearned) {
  state.macs.learn(mac(7), port, now);
  state.neighbours.learn(neighbour("10.0.0.9"), address, now);
  state.neighbours.learn(neighbour("fd00::9"), address, now);
  changed();
  EXPECT_EQ(learned.unsaved(state), 1);
  EXPECT_EQ(learned.persist(state), "");
  EXPECT_EQ(learned.unsaved(state), 0);

  AgentState next;
  auto restored = LearnedState(*disk).restore(next, now + seconds(100));
  EXPECT_EQ(restored.error, "");
  EXPECT_EQ(restored.entries, 3);
  EXPECT_EQ(next.macs.find(mac(7))->port, port);
  auto entry = next.neighbours.find(neighbour("fd00::9"));
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->mac, address);
  EXPECT_EQ(entry->state, flows::NeighbourState::stale) << "usable, and asked again";
}

TEST_F(LearnedStateTest, WhatEndedIsNotRestored) {
  state.macs.learn(mac(7), port, now);
  state.macs.learn(mac(8), port, now);
  changed();
  EXPECT_EQ(learned.persist(state), "");
  state.macs.erase(mac(7));
  state.neighbours.set_state(neighbour("10.0.0.1"), flows::NeighbourState::failed, now);
  changed();
  EXPECT_EQ(learned.persist(state), "");
  AgentState next;
  EXPECT_EQ(LearnedState(*disk).restore(next, now).entries, 1);
  EXPECT_FALSE(next.macs.find(mac(7)));
}

TEST_F(LearnedStateTest, NothingIsWrittenWhileNothingChanges) {
  state.macs.learn(mac(7), port, now);
  changed();
  learned.persist(state);
  auto revision = disk->revision();
  learned.persist(state);
  changed();
  learned.persist(state);
  EXPECT_EQ(disk->revision(), revision);
}

TEST_F(LearnedStateTest, ManyEntriesGoInSeveralTransactionsAndComeBackInSeveralPages) {
  constexpr uint64_t kMany = store::kMaxRangeEntries + 500;
  for (uint64_t i = 1; i <= kMany; ++i) {
    BridgeId bridge(Uuid::from_words(1, i % 4 + 1));
    ASSERT_EQ(state.macs.learn({bridge, 0, MacAddress::from_uint64(i)}, port, now), flows::LearnResult::added);
  }
  changed();
  EXPECT_EQ(learned.persist(state), "");
  AgentState next;
  LearnedState again(*disk);
  EXPECT_EQ(again.restore(next, now).entries, kMany);
  EXPECT_EQ(next.macs.size(), kMany);
  auto revision = disk->revision();
  changed();
  next.learned_changes.fetch_add(1);
  EXPECT_EQ(again.persist(next), "");
  EXPECT_EQ(disk->revision(), revision) << "what was restored is known to be on disk";
}

TEST_F(LearnedStateTest, DamagedEntriesAreCountedAndRemovedByTheNextWrite) {
  store::Transaction damage;
  damage.puts.push_back({"/learned/mac/x", "garbage"});
  ASSERT_TRUE(disk->commit(damage));
  auto restored = learned.restore(state, now);
  EXPECT_EQ(restored.entries, 0);
  EXPECT_EQ(restored.damaged, 1);
  changed();
  EXPECT_EQ(learned.persist(state), "");
  EXPECT_FALSE(disk->get("/learned/mac/x")->entry);
}

}  // namespace
}  // namespace viaduct::actors
