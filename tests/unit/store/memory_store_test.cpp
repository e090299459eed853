#include "topology/store/memory_store.hpp"

#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/store/store_conformance.hpp"

namespace viaduct::topology::store {
namespace {

using testing::StoreConformance;

using namespace std::chrono_literals;

class MemoryUnderTest final : public testing::StoreUnderTest {
 public:
  MemoryUnderTest() { open(); }
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
    store_ = std::move(*VersionedStore::open(backend_, options));
  }
  std::atomic<int64_t> now_{1000};
  std::shared_ptr<Backend> backend_ = make_memory_backend();
  std::unique_ptr<VersionedStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance,
                         ::testing::Values(testing::StoreFactory{"memory",
                                                                 [] { return std::make_unique<MemoryUnderTest>(); }}),
                         ::testing::PrintToStringParamName());

// A backend whose disk fails when told to.
class FailingBackend final : public Backend {
 public:
  std::optional<Error> write(const BackendBatch& batch, Durability durability) override {
    if (fails) return Error{ErrorCode::io, "no space left"};
    return memory_->write(batch, durability);
  }
  std::unique_ptr<View> view() const override { return memory_->view(); }
  std::atomic<bool> fails{false};

 private:
  std::shared_ptr<Backend> memory_ = make_memory_backend();
};

TEST(VersionedStore, AfterAFailedWriteNothingMoreIsWritten) {
  auto backend = std::make_shared<FailingBackend>();
  auto store = std::move(*VersionedStore::open(backend, {}));
  const Revision before = *store->commit({{}, {{"a", "1"}}, {}});
  backend->fails = true;
  auto failed = store->commit({{}, {{"a", "2"}}, {}});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text, "no space left");
  backend->fails = false;
  EXPECT_EQ(store->commit({{}, {{"a", "3"}}, {}}).error().code, ErrorCode::io);
  EXPECT_EQ(store->compact(before).error().code, ErrorCode::io);
  EXPECT_EQ(store->get("a")->entry->value, "1");
  EXPECT_EQ(store->revision(), before);
}

TEST(VersionedStore, RefusesAFormatItDoesNotKnow) {
  auto backend = make_memory_backend();
  backend->write({{Table::meta, "format", std::string("\0\0\0\0\0\0\0\x09", 8)}}, Durability::synced);
  auto store = VersionedStore::open(backend, {});
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("format 9"), std::string::npos);
}

TEST(VersionedStore, DamageIsReportedWhereItIsRead) {
  auto backend = make_memory_backend();
  auto store = std::move(*VersionedStore::open(backend, {}));
  ASSERT_TRUE(store->commit({{}, {{"a", "1"}}, {}}));
  ASSERT_TRUE(store->commit({{}, {{"b", "1"}}, {}}));
  backend->write({{Table::log, std::string("\0\0\0\0\0\0\0\x02", 8), std::nullopt}}, Durability::synced);
  testing::Watching watching(*store, 1, "");
  const auto lines = watching.text(2);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "1: put a=1");
  EXPECT_NE(lines[1].find("error the store holds a gap in its log at revision 2"), std::string::npos) << lines[1];
}

TEST(VersionedStore, UpkeepTrimsHistory) {
  Options options;
  options.upkeep = Upkeep::manual;
  options.retained_revisions = 100;
  auto store = make_memory_store(options);
  for (int i = 0; i < 105; ++i) ASSERT_TRUE(store->commit({{}, {{"k", std::to_string(i)}}, {}}));
  store->tick();
  EXPECT_EQ(store->compacted_revision(), 0u) << "not worth it yet";
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(store->commit({{}, {{"k", std::to_string(i)}}, {}}));
  store->tick();
  EXPECT_EQ(store->compacted_revision(), 505u);
  EXPECT_TRUE(store->range({"", 10, "", 505}));
  EXPECT_FALSE(store->range({"", 10, "", 504}));
}

TEST(VersionedStore, BackgroundUpkeepEndsLeases) {
  std::atomic<int64_t> now{0};
  Options options;
  options.clock = [&] { return TimePoint(std::chrono::seconds(now)); };
  options.upkeep_interval = 1ms;
  auto store = make_memory_store(options);
  auto lease = store->grant(5s);
  ASSERT_TRUE(store->commit({{}, {{"a", "1", *lease}}, {}}));
  testing::Watching watching(*store, 2, "");
  now = 6;
  EXPECT_EQ(watching.text(1), std::vector<std::string>{"2: del a"});
}

TEST(VersionedStore, AWatchMayOutliveItsStore) {
  auto store = make_memory_store();
  auto watch = store->watch(0, "", [](WatchMessage) {});
  ASSERT_TRUE(store->commit({{}, {{"a", "1"}}, {}}));
  store.reset();
  watch.reset();
}

TEST(VersionedStore, CompactionDoesNotDisturbReaders) {
  auto store = make_memory_store();
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      const std::string value = std::to_string(i);
      EXPECT_TRUE(store->commit({{}, {{"a", value}, {"b", value}}, {}}));
      if (i % 10 == 9) {
        EXPECT_TRUE(store->compact(store->revision()));
      }
    }
    stop = true;
  });
  while (!stop) {
    auto page = store->range({"", 10});
    ASSERT_TRUE(page) << page.error().text;
    if (page->revision == 0) continue;
    ASSERT_EQ(page->entries.size(), 2u);
    EXPECT_EQ(page->entries[0].value, page->entries[1].value);
  }
  writer.join();
}

// Tells what is written, before it is.
class ObservedBackend final : public Backend {
 public:
  std::optional<Error> write(const BackendBatch& batch, Durability durability) override {
    if (observer) observer(batch, durability);
    return memory_->write(batch, durability);
  }
  std::unique_ptr<View> view() const override { return memory_->view(); }
  std::function<void(const BackendBatch&, Durability)> observer;

 private:
  std::shared_ptr<Backend> memory_ = make_memory_backend();
};

TEST(VersionedStore, CompactionDropsEachVersionOnceAndInPieces) {
  auto backend = std::make_shared<ObservedBackend>();
  auto store = std::move(*VersionedStore::open(backend, {}));
  constexpr int kCommits = 3000;
  for (int i = 0; i < kCommits; ++i) {
    ASSERT_TRUE(store->commit({{}, {{"busy", std::to_string(i)}, {"k" + std::to_string(i), "1"}}, {}}));
  }
  ASSERT_TRUE(store->commit({{}, {}, {"busy"}}));
  std::vector<std::pair<Table, std::string>> dropped;
  backend->observer = [&](const BackendBatch& batch, Durability durability) {
    if (durability == Durability::synced) return;
    EXPECT_LE(batch.size(), 1024u);
    for (const BackendWrite& write : batch) dropped.emplace_back(write.table, write.key);
  };
  ASSERT_TRUE(store->compact(store->revision()));
  EXPECT_EQ(dropped.size(), 2u * (kCommits + 1)) << "all versions of 'busy' with its deletion, and the log";
  EXPECT_EQ(std::set(dropped.begin(), dropped.end()).size(), dropped.size());
  backend->observer = {};
  EXPECT_EQ(store->range({"", 10'000})->entries.size(), size_t{kCommits});
  EXPECT_FALSE(store->get("busy")->entry);
}

TEST(VersionedStore, ADeletionIsDroppedBehindWhatItHides) {
  auto backend = std::make_shared<ObservedBackend>();
  auto store = std::move(*VersionedStore::open(backend, {}));
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(store->commit({{}, {{"a", std::to_string(i)}}, {}}));
  ASSERT_TRUE(store->commit({{}, {}, {"a"}}));
  backend->observer = [&](const BackendBatch&, Durability) { EXPECT_FALSE(store->get("a")->entry); };
  ASSERT_TRUE(store->compact(store->revision()));
  backend->observer = {};
  EXPECT_FALSE(store->get("a")->entry);
}

bool asleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.compare(name_end, 3, ") S") == 0;
}

TEST(VersionedStore, ACommitWaitsForOnePieceOfACompaction) {
  auto backend = std::make_shared<ObservedBackend>();
  auto store = std::move(*VersionedStore::open(backend, {}));
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(store->commit({{}, {{"a", std::to_string(i)}}, {}}));
  std::atomic<pid_t> writer_id{0};
  std::thread writer;
  std::vector<Durability> order;  // written with the store's write mutex held
  backend->observer = [&](const BackendBatch&, Durability durability) {
    order.push_back(durability);
    if (durability == Durability::synced || writer.joinable()) return;
    writer = std::thread([&] {
      writer_id = static_cast<pid_t>(syscall(SYS_gettid));
      EXPECT_TRUE(store->commit({{}, {{"b", "1"}}, {}}));
    });
    while (writer_id == 0 || !asleep(writer_id)) std::this_thread::yield();
  };
  ASSERT_TRUE(store->compact(store->revision()));
  ASSERT_TRUE(writer.joinable());
  writer.join();
  using enum Durability;
  ASSERT_GE(order.size(), 4u);
  EXPECT_EQ((std::vector<Durability>(order.begin(), order.begin() + 3)), (std::vector{synced, relaxed, synced}))
      << "the mark, one piece, and then the commit";
}

}  // namespace
}  // namespace viaduct::topology::store
