#include "actors/cluster/watch_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace viaduct::actors {
namespace {

using std::chrono::milliseconds;
using topology::store::WatchBatch;

constexpr milliseconds kLong{30'000};

uint64_t revision_of(const std::optional<WatchQueue::Item>& item) {
  return item ? std::get<WatchBatch>(item->message).revision : 0;
}

TEST(WatchQueue, WhatGoesInComesOutInOrderAndWakesOnce) {
  int woken = 0;
  WatchQueue queue([&] { ++woken; });
  EXPECT_FALSE(queue.take());
  for (uint64_t i = 1; i <= 3; ++i) queue.push(WatchBatch{i, {}});
  EXPECT_EQ(woken, 1) << "whoever was woken takes everything";
  for (uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(revision_of(queue.take()), i);
  EXPECT_FALSE(queue.take());
  queue.push(WatchBatch{4, {}});
  EXPECT_EQ(woken, 2);
}

TEST(WatchQueue, ATakerWaitsForWhatComes) {
  WatchQueue queue({});
  std::jthread watch([&] { queue.push(WatchBatch{1, {}}); });
  EXPECT_EQ(revision_of(queue.take(kLong)), 1);
}

TEST(WatchQueue, AFullOneHoldsTheWatchBackAndLosesNothing) {
  WatchQueue queue({});
  constexpr uint64_t kAll = WatchQueue::kCapacity + 100;
  std::atomic<uint64_t> pushed{0};
  std::jthread watch([&] {
    for (uint64_t i = 1; i <= kAll; ++i) {
      queue.push(WatchBatch{i, {}});
      ++pushed;
    }
  });
  while (pushed < WatchQueue::kCapacity) std::this_thread::yield();
  for (uint64_t i = 1; i <= kAll; ++i) {
    EXPECT_LE(pushed, WatchQueue::kCapacity + i);
    ASSERT_EQ(revision_of(queue.take(kLong)), i);
  }
}

TEST(WatchQueue, ClosingReleasesAWatchThatWaits) {
  WatchQueue queue({});
  for (uint64_t i = 0; i < WatchQueue::kCapacity; ++i) queue.push(WatchBatch{i + 1, {}});
  std::atomic<bool> released{false};
  std::jthread watch([&] {
    queue.push(WatchBatch{9'999, {}});
    released = true;
  });
  EXPECT_FALSE(released);
  queue.close();
  watch.join();
  EXPECT_TRUE(released);
  queue.push(WatchBatch{10'000, {}});
  size_t held = 0;
  while (queue.take()) ++held;
  EXPECT_EQ(held, WatchQueue::kCapacity) << "what comes after the end is nobody's";
}

}  // namespace
}  // namespace viaduct::actors
