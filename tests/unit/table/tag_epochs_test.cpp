#include "flows/table/tag_epochs.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace viaduct::flows {
namespace {

TEST(TagEpochs, AChangeAfterTheQuestionRefuses) {
  TagEpochs epochs;
  const std::array<Tag, 2> tags = {Tag{1}, Tag{2}};
  const std::array<Tag, 1> other = {Tag{3}};
  const uint64_t before = epochs.now();
  EXPECT_TRUE(epochs.unchanged_since(tags, before));
  epochs.bump(other);
  EXPECT_TRUE(epochs.unchanged_since(tags, before));
  epochs.bump(std::span(tags).subspan(1));
  EXPECT_FALSE(epochs.unchanged_since(tags, before));
  EXPECT_TRUE(epochs.unchanged_since(tags, epochs.now()));
}

TEST(TagEpochs, NothingBumpedNothingChanged) {
  TagEpochs epochs;
  const uint64_t before = epochs.now();
  epochs.bump({});
  EXPECT_EQ(epochs.now(), before);
  EXPECT_TRUE(epochs.unchanged_since({}, 0));
}

TEST(TagEpochs, TagsThatShareASlotRefuseTooManyAndNeverTooFew) {
  TagEpochs epochs;
  std::vector<Tag> many;
  for (uint64_t i = 0; i < 100000; ++i) many.push_back({i * 0x1234567});
  const uint64_t before = epochs.now();
  epochs.bump(many);
  for (Tag tag : many) ASSERT_FALSE(epochs.unchanged_since(std::span(&tag, 1), before));
}

// A fact is a number; a changer increments it and bumps. A reader that reads an old number must be refused afterwards.
TEST(TagEpochs, WorkersNeverPassWithAnOldFact) {
  TagEpochs epochs;
  std::atomic<uint64_t> fact{0}, published{0};
  const std::array<Tag, 1> tags = {Tag{77}};
  std::atomic<int> wrong{0};
  std::atomic<bool> stop{false};
  std::thread worker([&] {
    while (!stop.load()) {
      const uint64_t epoch = epochs.now();
      const uint64_t seen = fact.load(std::memory_order_acquire);
      const uint64_t bumped = published.load();  // everything up to here has been changed and bumped
      if (epochs.unchanged_since(tags, epoch) && seen < bumped) wrong.fetch_add(1);
    }
  });
  for (uint64_t i = 1; i < 50000; ++i) {
    fact.store(i, std::memory_order_release);
    epochs.bump(tags);
    published.store(i);
  }
  stop = true;
  worker.join();
  EXPECT_EQ(wrong, 0);
}

TEST(TagEpochs, ConcurrentBumpsKeepTheLatest) {
  TagEpochs epochs;
  const std::array<Tag, 1> tags = {Tag{5}};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 10000; ++n) epochs.bump(tags);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(epochs.now(), 30001U);
  EXPECT_FALSE(epochs.unchanged_since(tags, 30000));
}

}  // namespace
}  // namespace viaduct::flows
