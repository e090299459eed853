#include "topology/store/rocks_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/unit/store/store_conformance.hpp"
#include "tests/unit/store/temporary_directory.hpp"

namespace viaduct::topology::store {
namespace {

using testing::StoreConformance;

using ::testing::HasSubstr;

class RocksUnderTest final : public testing::StoreUnderTest {
 public:
  RocksUnderTest() { open(); }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }
  void advance(std::chrono::seconds duration) override {
    now_ += duration.count();
    store_->tick();
  }

 private:
  void open() {
    Options options;
    options.clock = [this] { return TimePoint(std::chrono::seconds(now_)); };
    options.upkeep = Upkeep::manual;
    store_ = std::move(*open_rocks_store(directory_.path(), options));
  }
  testing::TemporaryDirectory directory_;
  std::atomic<int64_t> now_{1000};
  std::unique_ptr<VersionedStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Rocks, StoreConformance,
                         ::testing::Values(testing::StoreFactory{"rocks",
                                                                 [] { return std::make_unique<RocksUnderTest>(); }}),
                         ::testing::PrintToStringParamName());

TEST(RocksStore, SaysThatTheDirectoryIsInUse) {
  testing::TemporaryDirectory directory;
  auto first = open_rocks_store(directory.path());
  ASSERT_TRUE(first) << first.error().text;
  auto second = open_rocks_store(directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::locked);
  EXPECT_THAT(second.error().text, HasSubstr(directory.path().string()));
  EXPECT_THAT(second.error().text, HasSubstr("in use by another process; stop the viaductd that runs already"));
}

TEST(RocksStore, SaysThatTheDirectoryIsDamaged) {
  testing::TemporaryDirectory directory;
  ASSERT_TRUE((*open_rocks_store(directory.path()))->commit({{}, {{"a", "1"}}, {}}));
  std::ofstream(directory.path() / "CURRENT") << "garbage";
  auto store = open_rocks_store(directory.path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::corrupt) << store.error().text;
  EXPECT_THAT(store.error().text, HasSubstr(directory.path().string()));
  EXPECT_THAT(store.error().text, HasSubstr("restore the directory from a backup, or move it away"));
}

TEST(RocksStore, SaysThatTheDirectoryCannotBeMade) {
  testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "file") << "x";
  auto store = open_rocks_store(directory.path() / "file" / "store");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::io);
  EXPECT_THAT(store.error().text, HasSubstr("cannot be made"));
}

TEST(RocksStore, MakesTheDirectoriesAbove) {
  testing::TemporaryDirectory directory;
  EXPECT_TRUE(open_rocks_store(directory.path() / "a" / "b"));
}

TEST(RocksStore, WritersShareTheirSync) {
  testing::TemporaryDirectory directory;
  auto store = std::move(*open_rocks_store(directory.path()));
  constexpr int kThreads = 8, kCommits = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCommits; ++i) {
        const std::string key = std::to_string(t) + "/" + std::to_string(i);
        EXPECT_TRUE(store->commit({{Compare::absent(key)}, {{key, "v"}}, {}}));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store->revision(), static_cast<Revision>(kThreads * kCommits));
  EXPECT_LT(store->batches_written(), static_cast<uint64_t>(kThreads * kCommits) / 2);
}

}  // namespace
}  // namespace viaduct::topology::store
