// The boxes between threads: news for the publisher, marks of other hosts' entries, probes for the tunnel manager.
#include "actors/agent/state_news.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "actors/agent/frame_inbox.hpp"
#include "host_states_literals.hpp"

namespace viaduct::actors {
namespace {

using flows::simulation::Learned;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using topology::testing::ip;

flows::MacKey mac(uint64_t number) { return {id<BridgeId>(10), 0, MacAddress::from_uint64(number)}; }

TEST(StateNews, AnEntryIsNamedOnceByItsStateKey) {
  StateNews news;
  int rings = 0;
  news.on_ring([&] { ++rings; });
  news.changed(mac(7));
  news.changed(mac(7));
  const flows::NeighbourKey hop{Uuid::from_words(0, 12), id<PortId>(22), ip("10.0.0.9")};
  news.changed(hop);
  EXPECT_EQ(rings, 1);
  auto taken = news.take();
  EXPECT_FALSE(taken.overflow);
  EXPECT_THAT(taken.keys, SizeIs(2));
  EXPECT_TRUE(taken.keys.contains(topology::state_key(of(kThere, mac_claim(10, 7, 99))))) << "whoever's it is";
  EXPECT_TRUE(taken.keys.contains(topology::state_key(of(kHere, neighbour_claim(12, 22, "10.0.0.9", 1, 2)))));
  EXPECT_THAT(news.take().keys, IsEmpty());
  news.changed(mac(7));
  EXPECT_EQ(rings, 2);
}

TEST(StateNews, IsPendingUntilItIsTaken) {
  StateNews news;
  EXPECT_FALSE(news.pending(state_key_of(mac(7))));
  news.changed(mac(7));
  EXPECT_TRUE(news.pending(state_key_of(mac(7))));
  EXPECT_FALSE(news.pending(state_key_of(mac(8))));
  news.take();
  EXPECT_FALSE(news.pending(state_key_of(mac(7))));
}

TEST(StateNews, WhatDoesNotFitIsSaidToBeMissing) {
  StateNews news;
  for (uint64_t i = 0; i < StateNews::kCapacity; ++i) news.changed(mac(i));
  news.changed(mac(StateNews::kCapacity));
  auto taken = news.take();
  EXPECT_THAT(taken.keys, SizeIs(StateNews::kCapacity));
  EXPECT_TRUE(taken.overflow);
  news.changed(mac(1));
  EXPECT_FALSE(news.take().overflow);
}

TEST(StateNews, ManyThreadsTellAndNothingIsLost) {
  StateNews news;
  constexpr uint64_t kThreads = 4, kEach = 1'000;
  std::set<std::string> seen;
  {
    std::vector<std::jthread> workers;
    for (uint64_t t = 0; t < kThreads; ++t) {
      workers.emplace_back([&, t] {
        for (uint64_t i = 0; i < kEach; ++i) news.changed(mac(t * kEach + i));
      });
    }
    for (int i = 0; i < 100; ++i) {
      for (const auto& [key, entry] : news.take().keys) seen.insert(key);
    }
  }
  for (const auto& [key, entry] : news.take().keys) seen.insert(key);
  EXPECT_THAT(seen, SizeIs(kThreads * kEach));
}

TEST(RemoteClaims, AreMarkedByStateKey) {
  RemoteClaims claims;
  EXPECT_FALSE(claims.has(mac(7)));
  EXPECT_FALSE(claims.erase(state_key_of(mac(7))));
  claims.insert(state_key_of(mac(7)));
  EXPECT_TRUE(claims.has(mac(7)));
  EXPECT_FALSE(claims.has(mac(8)));
  EXPECT_TRUE(claims.erase(state_key_of(mac(7))));
  EXPECT_FALSE(claims.has(mac(7)));
}

TEST(RemoteClaims, WhatWasTakenIsToldOnce) {
  RemoteClaims claims;
  claims.taken("a");
  claims.taken("a");
  EXPECT_THAT(claims.take_taken(), ElementsAre("a"));
  EXPECT_THAT(claims.take_taken(), IsEmpty());
}

TEST(FrameInbox, HandsOverFramesInOrderAndRingsOnce) {
  FrameInbox inbox(4, 256);
  int rings = 0;
  inbox.on_ring([&] { ++rings; });
  const flows::Tunnel tunnel{7, ip("192.0.2.2"), ip("192.0.2.1")};
  inbox.post(tunnel, std::vector<uint8_t>{1});
  inbox.post(tunnel, std::vector<uint8_t>{2, 3});
  EXPECT_EQ(rings, 1);
  auto probes = inbox.take();
  ASSERT_THAT(probes, SizeIs(2));
  EXPECT_EQ(probes[0].tunnel, tunnel);
  EXPECT_THAT(probes[1].frame, ElementsAre(2, 3));
  EXPECT_THAT(inbox.take(), IsEmpty());
  inbox.post(tunnel, {});
  EXPECT_EQ(rings, 2);
}

TEST(FrameInbox, IsBoundedAndCountsWhatItRefuses) {
  FrameInbox inbox(4, 256);
  inbox.post({}, std::vector<uint8_t>(256 + 1));
  EXPECT_EQ(inbox.refused(), 1) << "no probe is so long";
  EXPECT_THAT(inbox.take(), IsEmpty());
  for (size_t i = 0; i <= 4; ++i) inbox.post({}, std::vector<uint8_t>(256));
  EXPECT_EQ(inbox.refused(), 2);
  EXPECT_THAT(inbox.take(), SizeIs(4U));
}

}  // namespace
}  // namespace viaduct::actors
