#include "actors/agent/connection_ageing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows/packet/flow_key.hpp"

namespace viaduct::actors {
namespace {

using namespace std::chrono_literals;
using flows::ConnectionEntry;
using flows::ConnectionKey;
using flows::ConnectionKind;
using flows::ConnectionLimits;
using flows::ConnectionTable;
using flows::ConnectionTimeouts;
using flows::Direction;
using flows::OpenResult;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const flows::Time kStart = flows::Time{} + 100h;
const Uuid kDevice = Uuid::from_words(1, 1);
constexpr uint8_t kTcp = flows::ip_proto::kTcp, kUdp = flows::ip_proto::kUdp;

ConnectionKey key(uint32_t number, ConnectionKind kind = ConnectionKind::track, uint8_t proto = kTcp) {
  return {kind, proto, 1000, 80, IpAddress::v4(0x0a00'0000 + number), IpAddress::v4(0x0b00'0001), kDevice};
}
ConnectionEntry entry(flows::Time at = kStart, uint8_t forward = flows::seen::kPacket, uint8_t back = 0) {
  ConnectionEntry out;
  out.seen_forward = forward;
  out.seen_back = back;
  out.last_seen = at;
  return out;
}
ConnectionEntry of(uint64_t port, uint32_t tenant, flows::Time at, bool established) {
  ConnectionEntry out = entry(at, flows::seen::kPacket, established ? flows::seen::kPacket : 0);
  out.port_account = port;
  out.tenant = tenant;
  return out;
}
ConnectionEntry translated(ConnectionEntry out, uint32_t number) {
  out.address = IpAddress::v4(0x0c00'0000);
  out.port = static_cast<uint16_t>(20'000 + number);
  return out;
}

class ConnectionAgeingTest : public testing::Test {
 protected:
  void open(const ConnectionKey& which, const ConnectionEntry& what) {
    ASSERT_EQ(table.open(which, what), OpenResult::added) << which.to_string();
  }
  // The reverse half first, as workers do.
  ConnectionKey open_pair(const ConnectionKey& which, const ConnectionEntry& what) {
    const ConnectionKey back = *partner_of(which, what);
    open(back, partner_entry(which, what));
    open(which, what);
    return back;
  }
  // A whole walk.
  EndedConnections walk(flows::Time now) {
    EndedConnections sum;
    do {
      EndedConnections part = ageing.walk(now);
      sum.keys.insert(sum.keys.end(), part.keys.begin(), part.keys.end());
      for (size_t i = 0; i < kExpiries; ++i) sum.expired[i] += part.expired[i];
      for (size_t i = 0; i < kShortages; ++i) sum.evicted[i] += part.evicted[i];
    } while (!ageing.round_over());
    return sum;
  }
  size_t expired(const EndedConnections& ended, Expiry why) { return ended.expired[static_cast<size_t>(why)]; }
  // The entry is there so long after its last packet, and not longer.
  void expect_life(const ConnectionKey& which, const ConnectionEntry& what, std::chrono::seconds life) {
    open(which, what);
    EXPECT_THAT(walk(kStart + life).keys, IsEmpty()) << "times of use are exact to 100 ms only";
    EXPECT_THAT(walk(kStart + life + flows::kTouchInterval).keys, ElementsAre(which));
    EXPECT_EQ(table.size(), 0U);
  }

  ConnectionTimeouts timeouts;
  ConnectionTable table;
  ConnectionAgeing ageing{table, {}, timeouts};
};

TEST_F(ConnectionAgeingTest, EachProtocolAndStateHasItsTime) {
  using namespace flows::seen;
  expect_life(key(1), entry(kStart, kSyn | kPacket), 60s);
  expect_life(key(2), entry(kStart, kSyn | kPacket, kSyn | kAck | kPacket), 7440s);
  expect_life(key(3), entry(kStart, kFin | kPacket, kPacket), 7440s);  // half closed
  expect_life(key(4), entry(kStart, kFin | kPacket, kFin | kPacket), 120s);
  expect_life(key(5), entry(kStart, kPacket, kRst | kPacket), 10s);
  expect_life(key(6, ConnectionKind::track, kUdp), entry(), 30s);
  expect_life(key(7, ConnectionKind::track, kUdp), entry(kStart, kPacket, kPacket), 300s);
  expect_life(key(8, ConnectionKind::track, flows::ip_proto::kIcmp), entry(kStart, kPacket, kPacket), 60s);
  expect_life(key(9, ConnectionKind::track, 47), entry(), 600s);
  expect_life(key(10, ConnectionKind::sticky), entry(), 3600s);
  expect_life(key(11, ConnectionKind::fragment), entry(), 30s);
}

TEST_F(ConnectionAgeingTest, TimesCanChange) {
  open(key(1), entry());
  timeouts.tcp_opening = 5s;
  ageing.set_timeouts(timeouts);
  EXPECT_EQ(expired(walk(kStart + 6s), Expiry::opening), 1U);
}

TEST_F(ConnectionAgeingTest, BothDirectionsKeepItAlive) {
  open(key(1), entry());
  table.touch(key(1), Direction::back, flows::seen::kAck, kStart + 1s);
  for (auto now = kStart; now < kStart + 20'000s; now += 1000s) {
    table.touch(key(1), now < kStart + 10'000s ? Direction::forward : Direction::back, flows::seen::kAck, now);
    EXPECT_THAT(walk(now + 999s).keys, IsEmpty());
  }
}

TEST_F(ConnectionAgeingTest, AForgedResetEndsNothingThatGoesOn) {
  open(key(1), entry(kStart, flows::seen::kPacket, flows::seen::kPacket));
  table.touch(key(1), Direction::back, flows::seen::kRst, kStart);
  for (auto now = kStart; now < kStart + 100s; now += 5s) {
    table.touch(key(1), Direction::forward, flows::seen::kAck, now);
    EXPECT_THAT(walk(now).keys, IsEmpty());
  }
  EXPECT_EQ(expired(walk(kStart + 106s), Expiry::closed), 1U);
}

TEST_F(ConnectionAgeingTest, ASynBeginsItAnewWhenItWasClosing) {
  using namespace flows::seen;
  open(key(1), entry(kStart, kFin | kAck | kPacket, kFin | kAck | kPacket));
  EXPECT_TRUE(table.touch(key(1), Direction::forward, kSyn, kStart + 100s));
  table.touch(key(1), Direction::back, kSyn | kAck, kStart + 100s);
  EXPECT_THAT(walk(kStart + 7000s).keys, IsEmpty()) << "it is another connection, and established";
}

TEST_F(ConnectionAgeingTest, OfAPairTheForwardHalfAgesAndTheOtherGoesWithIt) {
  for (ConnectionKind kind : {ConnectionKind::snat, ConnectionKind::dnat}) {
    const ConnectionKey forward = key(1, kind);
    const ConnectionKey back = open_pair(forward, translated(entry(), 1));
    table.touch(forward, Direction::back, flows::seen::kAck, kStart + 1000s);
    EXPECT_THAT(walk(kStart + 8000s).keys, IsEmpty()) << "the reverse half was not touched";
    const EndedConnections ended = walk(kStart + 9000s);
    EXPECT_THAT(ended.keys, UnorderedElementsAre(forward, back));
    EXPECT_EQ(expired(ended, Expiry::established), 1U);
    EXPECT_EQ(table.size(), 0U);
  }
}

TEST_F(ConnectionAgeingTest, AHalfAloneEnds) {
  const ConnectionKey forward = key(1, ConnectionKind::snat);
  const ConnectionEntry what = translated(entry(), 1);
  const ConnectionKey back = open_pair(forward, what);
  ASSERT_TRUE(table.erase(forward));
  EXPECT_THAT(walk(kStart + 4s).keys, IsEmpty()) << "a worker opens it first";
  EXPECT_THAT(walk(kStart + 6s).keys, ElementsAre(back));
  open_pair(forward, what);
  ASSERT_TRUE(table.erase(back));
  const EndedConnections ended = walk(kStart);
  EXPECT_THAT(ended.keys, ElementsAre(forward)) << "its answers would not come through";
  EXPECT_EQ(expired(ended, Expiry::orphaned), 1U);
}

TEST_F(ConnectionAgeingTest, AnOrphanDoesNotTakeAnothersHalfWithIt) {
  const ConnectionKey orphan = key(1, ConnectionKind::snat), healthy = key(2, ConnectionKind::snat);
  const ConnectionEntry what = translated(entry(), 7);  // both have that port, towards the same remote end
  const ConnectionKey back = open_pair(healthy, what);
  ASSERT_EQ(*partner_of(orphan, what), back);
  open(orphan, what);
  EXPECT_THAT(walk(kStart).keys, ElementsAre(orphan));
  EXPECT_TRUE(table.find(back));
}

TEST_F(ConnectionAgeingTest, ALargeTableIsWalkedInSlices) {
  ConnectionTable large({100'000, 100'000, 100'000}, 3);
  ConnectionAgeing walker(large, {100'000, 100'000, 100'000}, timeouts);
  for (uint32_t i = 0; i < 80'000; ++i) ASSERT_EQ(large.open(key(i), entry()), OpenResult::added);
  size_t slices = 0, ended = 0, most = 0;
  do {
    const size_t now = walker.walk(kStart + 61s).keys.size();
    most = std::max(most, now);
    ended += now;
    ++slices;
  } while (!walker.round_over());
  EXPECT_EQ(ended, 80'000U);
  EXPECT_GE(slices, 70U);
  EXPECT_LT(most, 8 * ConnectionAgeing::kSmallestSlice);
}

TEST_F(ConnectionAgeingTest, TheCensusCountsConnectionsOnceAndEntriesAll) {
  using namespace flows::seen;
  open_pair(key(1, ConnectionKind::snat), translated(entry(kStart, kPacket, kPacket), 1));
  open(key(2, ConnectionKind::track, kUdp), entry());
  open(key(3, ConnectionKind::fragment, kUdp), entry());
  walk(kStart);
  const ConnectionCensus& census = ageing.census();
  EXPECT_THAT(census.kinds, ElementsAre(1, 1, 1, 0, 0, 0, 1));
  EXPECT_THAT(census.connections[0], ElementsAre(0, 1, 0, 0)) << "tcp: established";
  EXPECT_THAT(census.connections[1], ElementsAre(1, 0, 0, 0)) << "udp: opening";
}

TEST_F(ConnectionAgeingTest, AFlushEndsWhatFitsWithItsOtherHalf) {
  const ConnectionKey back = open_pair(key(1, ConnectionKind::snat), translated(entry(), 1));
  open(key(2), entry());
  open(key(3), entry());
  ConnectionFilter filter;
  filter.kind = ConnectionKind::snat_reverse;
  EXPECT_THAT(ageing.flush(filter).keys, UnorderedElementsAre(key(1, ConnectionKind::snat), back));
  filter = {};
  filter.src = IpPrefix::parse("10.0.0.3/32");
  EXPECT_THAT(ageing.flush(filter).keys, ElementsAre(key(3)));
  EXPECT_THAT(ageing.flush({}).keys, ElementsAre(key(2)));
}

// --- too little room --------------------------------------------------------------------------------------------------

TEST(FairLevel, FillsAsWaterDoes) {
  EXPECT_EQ(fair_level({10, 10, 10}, 15), 5U);
  EXPECT_EQ(fair_level({1, 2, 100}, 50), 47U);
  EXPECT_EQ(fair_level({100, 1, 90}, 101), 50U);
  EXPECT_GT(fair_level({1, 2, 3}, 6), 3U) << "there is room for all";
}

class ConnectionEvictionTest : public testing::Test {
 protected:
  explicit ConnectionEvictionTest(const ConnectionLimits& limits = {20'000, 20'000, 20'000})
      : table(limits, 5), ageing(table, limits, {}) {}
  uint32_t fill(size_t count, uint64_t port, uint32_t tenant, flows::Time at, bool established) {
    const uint32_t first = next;
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(table.open(key(next++), of(port, tenant, at + std::chrono::microseconds(i), established)),
                OpenResult::added);
    }
    return first;
  }
  // Until the walk goes on ageing.
  EndedConnections make_room(flows::Time now) {
    EndedConnections sum;
    for (bool first = true; first || ageing.hurries(); first = false) {
      EndedConnections part = ageing.walk(now);
      sum.keys.insert(sum.keys.end(), part.keys.begin(), part.keys.end());
      for (size_t i = 0; i < kShortages; ++i) sum.evicted[i] += part.evicted[i];
    }
    return sum;
  }
  void walk(flows::Time now) {
    do {
      ageing.walk(now);
    } while (!ageing.round_over());
  }
  uint32_t next = 0;
  ConnectionTable table;
  ConnectionAgeing ageing;
};

TEST_F(ConnectionEvictionTest, OneHostilePortPaysForItsFlood) {
  const ConnectionLimits limits{110'000, 110'000, 110'000};
  ConnectionTable large(limits, 9);
  ConnectionAgeing walker(large, limits, {});
  std::vector<ConnectionKey> established;
  for (uint32_t i = 0; i < 5'000; ++i) {
    established.push_back(key(1'000'000 + i));
    // Idle for an hour: much longer than anything of the flood.
    ASSERT_EQ(large.open(established.back(), of(2 + i % 10, 1, kStart - 1h, true)), OpenResult::added);
  }
  for (uint32_t i = 0; i < 100'000; ++i) {
    ASSERT_EQ(large.open(key(i), of(1, 1, kStart + std::chrono::microseconds(i), false)), OpenResult::added);
  }
  size_t slices = 0, evicted = 0;
  do {
    evicted += walker.walk(kStart + 1s).evicted[0];
    ++slices;
  } while (walker.hurries());
  EXPECT_EQ(large.size(), 93'500U) << "85 %";
  EXPECT_EQ(evicted, 11'500U);
  for (const auto& kept : established) EXPECT_TRUE(large.find(kept));
  EXPECT_FALSE(large.find(key(0))) << "the oldest went first";
  EXPECT_TRUE(large.find(key(99'999)));
  EXPECT_LT(slices, 30U);
}

TEST_F(ConnectionEvictionTest, OpeningOnesGoBeforeOthersAndTheLongestIdleFirst) {
  const uint32_t old = fill(9'000, 1, 1, kStart - 10s, true);
  const uint32_t opening = fill(2'000, 1, 1, kStart, false);
  const uint32_t recent = fill(8'000, 1, 1, kStart - 5s, true);
  const EndedConnections ended = make_room(kStart + 1s);
  EXPECT_THAT(ended.keys, SizeIs(2'000));
  EXPECT_FALSE(table.find(key(opening)));
  EXPECT_FALSE(table.find(key(opening + 1'999)));
  fill(2'000, 1, 1, kStart, true);
  EXPECT_THAT(make_room(kStart + 2s).keys, SizeIs(2'000));
  EXPECT_FALSE(table.find(key(old)));
  EXPECT_FALSE(table.find(key(old + 1'999)));
  EXPECT_TRUE(table.find(key(old + 2'000)));
  EXPECT_TRUE(table.find(key(recent)));
}

TEST_F(ConnectionEvictionTest, PortsAboveALevelMeetAtItAndOthersLoseNothing) {
  fill(9'000, 1, 1, kStart, false);
  fill(7'000, 2, 2, kStart, true);
  fill(3'000, 3, 3, kStart - 1min, true);
  make_room(kStart + 1s);
  EXPECT_EQ(table.of_port(1), 7'000U);
  EXPECT_EQ(table.of_port(2), 7'000U);
  EXPECT_EQ(table.of_port(3), 3'000U);
}

TEST_F(ConnectionEvictionTest, PairsGoTogetherAndCountTwice) {
  for (uint32_t i = 0; i < 9'500; ++i) {
    const ConnectionKey forward = key(i, ConnectionKind::snat);
    const ConnectionEntry what = translated(of(1, 1, kStart + std::chrono::microseconds(i), true), i);
    ASSERT_EQ(table.open(*partner_of(forward, what), partner_entry(forward, what)), OpenResult::added);
    ASSERT_EQ(table.open(forward, what), OpenResult::added);
  }
  const EndedConnections ended = make_room(kStart + 1s);
  EXPECT_EQ(ended.evicted[static_cast<size_t>(Shortage::port)], 1'000U);
  EXPECT_EQ(table.size(), 17'000U);
  size_t forward = 0, back = 0;
  table.for_each([&](const ConnectionKey& each, const ConnectionEntry&) {
    ++(each.kind == ConnectionKind::snat ? forward : back);
  });
  EXPECT_EQ(forward, back);
}

TEST_F(ConnectionEvictionTest, NothingGoesWhileThereIsRoom) {
  fill(17'900, 1, 1, kStart, false);
  EXPECT_THAT(make_room(kStart + 1s).keys, IsEmpty());
}

TEST_F(ConnectionEvictionTest, WhatIsUsedMeanwhileStays) {
  const uint32_t first = fill(19'000, 1, 1, kStart, true);
  ASSERT_THAT(ageing.walk(kStart + 1s).keys, IsEmpty()) << "it is counted first";
  for (uint32_t i = 0; i < 100; ++i) {
    table.touch(key(first + i), Direction::forward, 0, kStart + 1s);  // the oldest until now
  }
  make_room(kStart + 1s);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(table.find(key(first + i)));
}

TEST(ConnectionEviction, AFloodThatNeverEndsDoesNotKeepOthersFromAgeing) {
  const ConnectionLimits limits{60'000, 60'000, 60'000};  // 47 slices
  ConnectionTable table(limits, 7);
  ConnectionAgeing ageing(table, limits, {});
  uint32_t next = 0;
  for (; next < 2'000; ++next) table.open(key(next), of(2, 2, kStart - 1h, false));
  flows::Time now = kStart;
  for (int tick = 0; tick < 100; ++tick, now += 50ms) {
    while (table.size() < 55'000) table.open(key(next++), of(1, 1, now, false));
    do {
      ageing.walk(now);
    } while (ageing.hurries());
  }
  EXPECT_EQ(table.of_port(2), 0U);
}

class ShareEvictionTest : public ConnectionEvictionTest {
 protected:
  ShareEvictionTest() : ConnectionEvictionTest({20'000, 4'000, 6'000}) {}
};

TEST_F(ShareEvictionTest, APortAboveItsShareLosesItsOwn) {
  fill(3'800, 1, 1, kStart, false);
  fill(2'000, 2, 2, kStart - 1min, false);
  walk(kStart);  // finds it
  const EndedConnections ended = make_room(kStart + 1s);
  EXPECT_EQ(ended.evicted[static_cast<size_t>(Shortage::port)], 400U);
  EXPECT_EQ(table.of_port(1), 3'400U);
  EXPECT_EQ(table.of_port(2), 2'000U);
}

TEST_F(ShareEvictionTest, ATenantAboveItsShareLosesThoseOfItsFullestPorts) {
  fill(3'000, 1, 1, kStart, false);
  fill(2'500, 2, 1, kStart, true);
  fill(300, 3, 1, kStart - 1min, true);
  fill(3'000, 4, 2, kStart - 1min, false);
  walk(kStart);
  const EndedConnections ended = make_room(kStart + 1s);
  EXPECT_EQ(ended.evicted[static_cast<size_t>(Shortage::tenant)], 700U);
  EXPECT_EQ(table.of_tenant(1), 5'100U);
  EXPECT_EQ(table.of_port(1), 2'400U);
  EXPECT_EQ(table.of_port(2), 2'400U);
  EXPECT_EQ(table.of_port(3), 300U);
  EXPECT_EQ(table.of_port(4), 3'000U);
}

}  // namespace
}  // namespace viaduct::actors
