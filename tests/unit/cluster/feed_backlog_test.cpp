#include "actors/cluster/feed_backlog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "topology/codec.hpp"

namespace viaduct::actors {
namespace {

using testing::ElementsAre;
using topology::FeedBatch;
using topology::FeedItem;

using Items = std::vector<std::pair<std::string, std::string>>;  // key, value; "" is deleted

FeedBatchPtr batch_of(uint64_t revision, const Items& items, std::vector<Uuid> forget = {}, bool complete = false) {
  FeedBatch out{.revision = revision,
                .complete = complete,
                .forget = std::move(forget),
                .items = {},
                .committed_at = revision * 1'000};
  for (const auto& [key, value] : items) {
    FeedItem item{key, revision, std::nullopt};
    if (!value.empty()) item.value = value;
    out.items.push_back(std::make_shared<const FeedItem>(std::move(item)));
  }
  return std::make_shared<const FeedBatch>(std::move(out));
}
Items items_of(const FeedBatchPtr& batch) {
  Items out;
  if (batch == nullptr) return out;
  for (const auto& item : batch->items) out.emplace_back(item->key, item->value.value_or(""));
  return out;
}
const Uuid kDevice = Uuid::from_words(0, 1);

TEST(FeedBacklog, ABatchByItselfStaysAsItCame) {
  FeedBacklog backlog;
  auto batch = batch_of(1, {{"a", "1"}});
  EXPECT_TRUE(backlog.add(batch));
  EXPECT_EQ(backlog.take(), batch) << "so its bytes can be shared";
  EXPECT_EQ(backlog.take(), nullptr);
  EXPECT_TRUE(backlog.empty());
}

TEST(FeedBacklog, ChangesMergeByKeyAndTheLastOneCounts) {
  FeedBacklog backlog;
  ASSERT_TRUE(backlog.add(batch_of(1, {{"a", "1"}, {"b", "1"}})));
  ASSERT_TRUE(backlog.add(batch_of(2, {{"b", ""}, {"c", "2"}})));
  ASSERT_TRUE(backlog.add(batch_of(3, {{"a", "3"}})));
  auto merged = backlog.take();
  EXPECT_EQ(items_of(merged), (Items{{"a", "3"}, {"b", ""}, {"c", "2"}}));
  EXPECT_EQ(merged->revision, 3);
  EXPECT_EQ(merged->committed_at, 1'000) << "what has waited longest is what is measured";
  EXPECT_EQ(backlog.take(), nullptr);
}

TEST(FeedBacklog, WhatIsMergedIntoIsNotChangedForOthers) {
  FeedBacklog backlog;
  auto shared = batch_of(1, {{"a", "1"}});
  ASSERT_TRUE(backlog.add(shared));
  ASSERT_TRUE(backlog.add(batch_of(2, {{"a", "2"}})));
  EXPECT_EQ(items_of(backlog.take()), (Items{{"a", "2"}}));
  EXPECT_EQ(items_of(shared), (Items{{"a", "1"}}));
}

// Forgetting a device is done first in a batch: what came before must not come after.
TEST(FeedBacklog, ForgettingKeepsItsPlaceInTheOrder) {
  FeedBacklog backlog;
  ASSERT_TRUE(backlog.add(batch_of(1, {{"of the device", "1"}})));
  ASSERT_TRUE(backlog.add(batch_of(2, {}, {kDevice})));
  ASSERT_TRUE(backlog.add(batch_of(3, {{"of the device", "3"}})));
  auto first = backlog.take(), second = backlog.take();
  EXPECT_EQ(items_of(first), (Items{{"of the device", "1"}}));
  EXPECT_TRUE(first->forget.empty());
  EXPECT_THAT(second->forget, ElementsAre(kDevice));
  EXPECT_EQ(items_of(second), (Items{{"of the device", "3"}}));
  EXPECT_EQ(second->revision, 3);
  EXPECT_TRUE(backlog.empty());
}

TEST(FeedBacklog, EverythingReplacesWhatWaits) {
  FeedBacklog backlog;
  ASSERT_TRUE(backlog.add(batch_of(1, {{"a", "1"}}, {kDevice})));
  auto everything = batch_of(2, {{"b", "2"}}, {}, true);
  ASSERT_TRUE(backlog.add(everything));
  EXPECT_EQ(backlog.take(), everything);
  EXPECT_EQ(backlog.take(), nullptr);
  ASSERT_TRUE(backlog.add(everything));
  ASSERT_TRUE(backlog.add(batch_of(3, {{"c", "3"}})));
  auto merged = backlog.take();
  EXPECT_TRUE(merged->complete);
  EXPECT_EQ(items_of(merged), (Items{{"b", "2"}, {"c", "3"}}));
}

TEST(FeedBacklog, TooMuchThatCannotBeMergedIsRefusedAndThenEverythingFits) {
  FeedBacklog backlog;
  for (size_t i = 0; i < FeedBacklog::kMaxParts; ++i) ASSERT_TRUE(backlog.add(batch_of(i + 1, {}, {kDevice})));
  EXPECT_FALSE(backlog.add(batch_of(100, {}, {kDevice})));
  EXPECT_TRUE(backlog.add(batch_of(101, {{"a", "1"}}))) << "merged into the last one";
  EXPECT_TRUE(backlog.add(batch_of(102, {}, {}, true)));
  EXPECT_TRUE(backlog.take()->complete);
  EXPECT_TRUE(backlog.empty());
}

TEST(FeedEncoder, ABatchIsEncodedOnceForAll) {
  FeedEncoder encoder;
  auto batch = batch_of(1, {{"a", "1"}});
  auto frame = encoder.frame_of(batch);
  EXPECT_EQ(encoder.frame_of(batch), frame);
  EXPECT_NE(encoder.frame_of(batch_of(1, {{"a", "1"}})), frame) << "another batch, though it says the same";
  auto decoded = topology::decode_feed(*frame);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->revision, 1);
}

TEST(FeedEncoder, WhatWasForgottenIsEncodedAgainToTheSame) {
  FeedEncoder encoder;
  auto batch = batch_of(1, {{"a", "1"}});
  auto frame = encoder.frame_of(batch);
  for (uint64_t i = 2; i < 100; ++i) encoder.frame_of(batch_of(i, {{"a", "1"}}));
  auto again = encoder.frame_of(batch);
  EXPECT_NE(again, frame);
  EXPECT_EQ(*again, *frame);
}

TEST(FeedEncoder, ManyThreadsGetTheSameBytes) {
  FeedEncoder encoder;
  std::vector<FeedBatchPtr> batches;
  for (uint64_t i = 1; i <= 8; ++i) batches.push_back(batch_of(i, {{"a", std::to_string(i)}}));
  std::vector<std::vector<std::shared_ptr<const schema::Frame>>> seen(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : seen) {
      threads.emplace_back([&] {
        for (const auto& batch : batches) mine.push_back(encoder.frame_of(batch));
      });
    }
  }
  for (const auto& mine : seen) EXPECT_EQ(mine, seen[0]);
}

}  // namespace
}  // namespace viaduct::actors
