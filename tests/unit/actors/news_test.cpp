#include "actors/agent/news.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace viaduct::actors {
namespace {

using flows::Tag;
using flows::simulation::Invalidation;

Invalidation tags(std::initializer_list<uint64_t> values) {
  Invalidation out;
  for (uint64_t value : values) out.tags.push_back(Tag{value});
  return out;
}

DeviceEvents wanted(size_t many) {
  DeviceEvents out;
  out.wanted.resize(many);
  return out;
}

TEST(FlowNews, RingsOnceUntilItIsTaken) {
  FlowNews news;
  int rung = 0;
  news.on_ring([&] { ++rung; });
  news.changed(tags({1}));
  news.changed(tags({2}));
  news.installed();
  EXPECT_EQ(rung, 1);
  EXPECT_EQ(news.take().tags, (std::vector<Tag>{{1}, {2}}));
  news.installed();
  EXPECT_EQ(rung, 2) << "what comes after the look is told again";
  EXPECT_TRUE(news.take().empty());
}

TEST(FlowNews, NothingChangedRingsNothing) {
  FlowNews news;
  int rung = 0;
  news.on_ring([&] { ++rung; });
  news.changed({});
  EXPECT_EQ(rung, 0);
}

TEST(FlowNews, KeepsAllThreeKinds) {
  FlowNews news;
  Invalidation what = tags({1});
  what.epochs.push_back(Tag{9});
  what.prefixes.push_back({RouterId::random(), *IpPrefix::parse("10.0.0.0/8")});
  news.changed(what);
  news.changed(what);
  Invalidation taken = news.take();
  EXPECT_EQ(taken.tags.size(), 2u);
  EXPECT_EQ(taken.epochs.size(), 2u);
  EXPECT_EQ(taken.prefixes.size(), 2u);
}

// A MAC that flaps between two ports a hundred thousand times while nobody looks.
TEST(FlowNews, AStormCostsMemoryForWhatDiffers) {
  FlowNews news;
  for (int i = 0; i < 100'000; ++i) news.changed(tags({1, 2, 3}));
  Invalidation taken = news.take();
  EXPECT_LE(taken.tags.size(), 1024u);
  EXPECT_GE(taken.tags.size(), 3u);
}

TEST(FlowNews, LosesNothingBetweenThreads) {
  constexpr uint64_t kEach = 20'000;
  FlowNews news;
  std::atomic<int> rung{0};
  news.on_ring([&] { ++rung; });
  std::vector<Tag> seen;
  {
    std::vector<std::jthread> writers;
    for (uint64_t writer = 0; writer < 2; ++writer) {
      writers.emplace_back([&, writer] {
        for (uint64_t i = 0; i < kEach; ++i) news.changed(tags({writer * kEach + i}));
      });
    }
    while (seen.size() < kEach) {
      if (rung.exchange(0) == 0) {
        std::this_thread::yield();
        continue;
      }
      Invalidation taken = news.take();
      seen.insert(seen.end(), taken.tags.begin(), taken.tags.end());
    }
  }
  EXPECT_TRUE(seen.size() == 2 * kEach || rung > 0) << "what is left has been told";
  Invalidation rest = news.take();
  seen.insert(seen.end(), rest.tags.begin(), rest.tags.end());
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(seen.size(), 2 * kEach);
  EXPECT_TRUE(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST(DeviceNews, CountsWhatDoesNotFit) {
  DeviceNews news;
  news.add(wanted(DeviceNews::kCapacity - 1));
  EXPECT_EQ(news.lost(), 0u);
  news.add(wanted(3));
  EXPECT_EQ(news.lost(), 2u);
  EXPECT_EQ(news.take().wanted.size(), DeviceNews::kCapacity);
  news.add(wanted(1));
  EXPECT_EQ(news.take().wanted.size(), 1u);
  EXPECT_EQ(news.lost(), 2u);
}

TEST(DeviceNews, ABatchLargerThanTheBoxIsCut) {
  DeviceNews news;
  news.add(wanted(DeviceNews::kCapacity + 5));
  EXPECT_EQ(news.lost(), 5u);
}

// What a worker has learned ends waits and comes first; a question will be asked again.
TEST(DeviceNews, WhatWasLearnedIsKeptBeforeQuestions) {
  DeviceNews news;
  news.add(wanted(DeviceNews::kCapacity - 1));
  DeviceEvents more = wanted(5);
  more.neighbours.resize(1);
  news.add(std::move(more));
  DeviceEvents taken = news.take();
  EXPECT_EQ(taken.neighbours.size(), 1u);
  EXPECT_EQ(taken.wanted.size(), DeviceNews::kCapacity - 1);
  EXPECT_EQ(news.lost(), 5u);
}

// --- NAT blocks ------------------------------------------------------------------------------------

NatWant nat_want(uint16_t first, bool waiting) {
  return {{Uuid::from_words(0, 1), IpAddress::v4(0xcb007109), first, 1023}, waiting};
}

TEST(NatNews, RingsAgainAfterEachLook) {
  NatNews news;
  int rung = 0;
  news.on_ring([&] { ++rung; });
  news.wanted(nat_want(1, true));
  news.wanted(nat_want(1, true));
  news.wanted(nat_want(1, false));
  EXPECT_EQ(rung, 1);
  EXPECT_EQ(news.take().size(), 2u);
  news.wanted(nat_want(1, true));
  EXPECT_EQ(rung, 2);
}

TEST(NatNews, CountsWhatDoesNotFit) {
  NatNews news;
  for (uint16_t i = 0; i < NatNews::kCapacity + 3; ++i) news.wanted(nat_want(i, true));
  EXPECT_EQ(news.lost(), 3u);
  EXPECT_EQ(news.take().size(), NatNews::kCapacity);
}

}  // namespace
}  // namespace viaduct::actors
