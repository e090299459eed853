#include "actors/agent/drop_history.hpp"

#include <gtest/gtest.h>

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using flows::DropReason;
using flows::simulation::DeviceKind;

const flows::Time kStart = flows::Time{} + 1h;

PortId port(uint64_t number) { return PortId(Uuid::from_words(1, number)); }
DropNote note(uint64_t in, DropReason reason = DropReason::no_route, flows::Time at = kStart) {
  DropNote out;
  out.reason = reason;
  out.site.entered = port(in);
  out.site.kind = DeviceKind::router;
  out.site.device = Uuid::from_words(2, 1);
  out.packets = 1;
  out.last = at;
  return out;
}

TEST(DropHistory, CountsWhatIsDroppedAlikeAndKeepsTheNewestExample) {
  DropHistory history;
  DropNote first = note(1), second = note(1, DropReason::no_route, kStart + 5s);
  first.example.l4_dst = 80;
  second.example.l4_dst = 443;
  second.packets = 7;
  history.add(first);
  history.add(second);
  const auto entries = history.entries(port(1));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].note.packets, 8U);
  EXPECT_EQ(entries[0].first, kStart);
  EXPECT_EQ(entries[0].note.last, kStart + 5s);
  EXPECT_EQ(entries[0].note.example.l4_dst, 443);
}

TEST(DropHistory, TellsPlacesApartButNotNextHops) {
  DropHistory history;
  DropNote by_rule = note(1, DropReason::dropped_by_rule), by_other_rule = by_rule, elsewhere = by_rule;
  by_rule.site.rule = RuleId(Uuid::from_words(3, 1));
  by_other_rule.site.rule = RuleId(Uuid::from_words(3, 2));
  elsewhere.site.device = Uuid::from_words(2, 2);
  for (const auto& one : {by_rule, by_other_rule, elsewhere}) history.add(one);
  EXPECT_EQ(history.size(), 3U);
  DropNote hop = note(2, DropReason::next_hop_unresolved);
  for (uint32_t address = 1; address <= 1000; ++address) {
    hop.site.next_hop = IpAddress::v4(address);
    history.add(hop);
  }
  EXPECT_EQ(history.size(), 4U) << "a scan of addresses is one way to be dropped";
  EXPECT_EQ(history.entries(port(2))[0].note.site.next_hop, IpAddress::v4(1000));
}

TEST(DropHistory, AnEntryIsOfThePortsThatItConcerns) {
  DropHistory history;
  DropNote way_out = note(1);
  way_out.site.out = port(2);
  DropNote at_port = note(3, DropReason::port_down);
  at_port.site.kind = DeviceKind::port;
  at_port.site.device = port(2).uuid();
  for (const auto& one : {way_out, at_port, note(4)}) history.add(one);
  EXPECT_EQ(history.entries(port(1)).size(), 1U);
  EXPECT_EQ(history.entries(port(2)).size(), 2U) << "as the way out, and as the place";
  EXPECT_EQ(history.entries(port(5)).size(), 0U);
  EXPECT_EQ(history.entries(PortId{}).size(), 3U);
}

TEST(DropHistory, WhatWasNotSeenForTheLongestMakesRoomAndIsCounted) {
  DropHistory history(3);
  for (uint64_t in = 1; in <= 3; ++in) history.add(note(in, DropReason::no_route, kStart + in * 1s));
  history.add(note(1, DropReason::no_route, kStart + 4s));  // seen again
  EXPECT_EQ(history.evictions(), 0U);
  history.add(note(4, DropReason::no_route, kStart + 5s));
  EXPECT_EQ(history.size(), 3U);
  EXPECT_EQ(history.evictions(), 1U);
  EXPECT_TRUE(history.entries(port(2)).empty());
  const auto all = history.entries(PortId{});
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].note.site.entered, port(4)) << "the newest first";
  EXPECT_EQ(all[1].note.site.entered, port(1));
}

TEST(DropHistory, AFlowsPacketsAreOfTheEntryThatMadeIt) {
  DropHistory history;
  const DropNote first = note(1);
  history.add(first);
  history.count(first.reason, first.site, 41, kStart + 1s);
  history.count(first.reason, first.site, 0, kStart + 9s);
  EXPECT_EQ(history.entries(port(1))[0].note.packets, 42U);
  EXPECT_EQ(history.entries(port(1))[0].note.last, kStart + 1s) << "no packet, no time";
  history.count(DropReason::blackhole_route, note(2).site, 5, kStart);
  EXPECT_EQ(history.entries(port(2))[0].note.packets, 5U) << "also of one that has made room, or of an earlier life";
}

TEST(DropTally, MergesAndWaitsBeforeItTellsAgain) {
  DropTally tally;
  DropRing ring(8);
  EXPECT_FALSE(tally.due(kStart));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(tally.add(note(1)));
  EXPECT_TRUE(tally.due(kStart));
  EXPECT_EQ(tally.flush(ring, kStart), 0U);
  DropNote out;
  ASSERT_TRUE(ring.try_pop(out));
  EXPECT_EQ(out.packets, 100U);
  EXPECT_FALSE(ring.try_pop(out));
  tally.add(note(1));
  EXPECT_FALSE(tally.due(kStart + DropTally::kPause / 2));
  EXPECT_TRUE(tally.due(kStart + DropTally::kPause));
}

TEST(DropTally, SaysWhenItIsFullAndWhatWasLost) {
  DropTally tally;
  DropRing ring(2);
  for (uint64_t in = 0; in < DropTally::kNotes; ++in) {
    EXPECT_TRUE(tally.add(note(in)));
    EXPECT_TRUE(tally.add(note(in))) << "known ones have room";
  }
  EXPECT_FALSE(tally.add(note(1000)));
  EXPECT_TRUE(tally.due(kStart));
  EXPECT_EQ(tally.flush(ring, kStart), 2 * (DropTally::kNotes - 2));
  EXPECT_TRUE(tally.add(note(1000)));
}

}  // namespace
}  // namespace viaduct::actors
