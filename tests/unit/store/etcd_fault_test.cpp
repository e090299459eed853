// What happens to writers and watchers when members of the etcd die, freeze, or all go away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>
#include <thread>

#include "tests/unit/store/etcd_cluster.hpp"
#include "tests/unit/store/store_conformance.hpp"

namespace viaduct::topology::store {
namespace {

using namespace std::chrono_literals;
using testing::EtcdCluster;
using testing::Watching;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<Store> opened(EtcdOptions options) {
  auto store = open_etcd_store(std::move(options));
  if (!store) throw std::runtime_error(store.error().text);
  return std::move(*store);
}

// One cluster for all; each test leaves all members running.
class EtcdFaults : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = std::make_unique<EtcdCluster>(); }
  static void TearDownTestSuite() { cluster_.reset(); }
  void SetUp() override { cluster_->wait_until_ready(); }

  // Its namespace is the test's; the member asked first is `first`.
  static EtcdOptions options(size_t first = 0) {
    auto options = cluster_->options(::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::ranges::rotate(options.endpoints, options.endpoints.begin() + static_cast<std::ptrdiff_t>(first));
    return options;
  }

  static inline std::unique_ptr<EtcdCluster> cluster_;
};

Revision put(Store& store, const std::string& key, const std::string& value) {
  auto done = store.commit({{}, {{key, value}}, {}});
  EXPECT_TRUE(done) << done.error().text;
  return done ? *done : 0;
}

std::string line(Revision revision, const std::string& change) { return std::to_string(revision) + ": " + change; }

// Writes 1, 2, 3, … to one key, as a careful writer does: after an answer that leaves it open, it looks.
class NumberWriter {
 public:
  explicit NumberWriter(Store& store) : store_(store) {}

  void write(int number) {
    const std::string value = std::to_string(number);
    while (!commit(value)) {
    }
    lines.push_back(line(last_, "put n=" + value));
  }

  std::vector<std::string> lines;  // what a watcher has to see
  std::atomic<int> undecided = 0;

 private:
  bool commit(const std::string& value) {
    auto done = store_.commit({{Compare::unchanged("n", last_)}, {{"n", value}}, {}});
    if (done) last_ = *done;
    if (done) return true;
    EXPECT_THAT(done.error().code, ::testing::AnyOf(ErrorCode::unavailable, ErrorCode::conflict)) << done.error().text;
    ++undecided;
    auto now = store_.get("n");
    if (!now || !now->entry || now->entry->value != value) return false;
    last_ = now->entry->mod_revision;
    return true;
  }

  Store& store_;
  Revision last_ = 0;
};

TEST_F(EtcdFaults, KilledLeadersLoseNothing) {
  constexpr int kNumbers = 400;
  auto store = opened(options(cluster_->leader()));
  auto other = opened(options(cluster_->leader()));
  Watching watching(*other, store->revision() + 1, "n");
  NumberWriter writer(*store);
  std::atomic<int> written = 0;
  std::thread thread([&] {
    for (int i = 1; i <= kNumbers; ++i) {
      writer.write(i);
      written = i;
    }
  });
  for (int at : {100, 250}) {
    EXPECT_TRUE(eventually([&] { return written >= at; }));
    const size_t leader = cluster_->leader();
    cluster_->kill(leader);
    EXPECT_TRUE(eventually([&] { return written >= at + 50; })) << "no write went through any more";
    cluster_->start(leader);
  }
  thread.join();
  EXPECT_EQ(watching.text(kNumbers), writer.lines);
  EXPECT_EQ(store->get("n")->entry->value, std::to_string(kNumbers));
  RecordProperty("undecided", writer.undecided);
}

TEST_F(EtcdFaults, AFrozenServerIsLeft) {
  const size_t frozen = cluster_->leader();
  auto with_counts = options(frozen);
  std::atomic<int> left = 0, resumed = 0;
  with_counts.attempt_timeout = 1s;
  with_counts.events.server_left = [&](std::string_view, std::string_view) { ++left; };
  with_counts.events.watch_resumed = [&](std::string_view) { ++resumed; };
  auto store = opened(with_counts);
  NumberWriter writer(*store);
  Watching watching(*store, store->revision() + 1, "");
  writer.write(1);
  ASSERT_EQ(watching.text(1).size(), 1u);
  cluster_->freeze(frozen);
  auto first = store->commit({{}, {{"other", "1"}}, {}});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, ErrorCode::unavailable);
  EXPECT_THAT(first.error().text, HasSubstr("may have taken effect"));
  writer.write(2);
  EXPECT_TRUE(eventually([&] { return std::ranges::count(watching.text(0), writer.lines[1]) == 1; }));
  cluster_->thaw(frozen);
  EXPECT_GE(left, 1);
  EXPECT_EQ(resumed, 1);
}

TEST_F(EtcdFaults, WatchesAndLeasesOutliveARestartOfAll) {
  auto impatient = options();
  impatient.call_timeout = 500ms;
  auto store = opened(impatient);
  Watching watching(*store, store->revision() + 1, "");
  auto lease = store->grant(3s);
  const auto granted = std::chrono::steady_clock::now();
  auto leased = store->commit({{}, {{"leased", "1", *lease}}, {}});
  ASSERT_TRUE(leased) << leased.error().text;
  ASSERT_EQ(watching.text(1).size(), 1u);
  cluster_->stop_all();
  auto refused = store->commit({{}, {{"a", "0"}}, {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().text, HasSubstr("nothing was changed"));
  EXPECT_EQ(store->get("a").error().code, ErrorCode::unavailable);
  EXPECT_TRUE(eventually([&] { return std::chrono::steady_clock::now() > granted + 3s; }));
  cluster_->start_all();
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(store->keep_alive(*lease)); }));
  const Revision at = put(*store, "a", "1");
  EXPECT_THAT(watching.text(2), ElementsAre(line(*leased, "put leased=1"), line(at, "put a=1")));
  EXPECT_TRUE(store->revoke(*lease));
}

TEST_F(EtcdFaults, CompactedWhileAwayMeansReadingAgain) {
  auto lonely = options();
  lonely.endpoints.resize(1);
  auto store = opened(lonely);
  const Revision before = put(*store, "a", "1");
  Watching watching(*store, before, "");
  ASSERT_EQ(watching.text(1).size(), 1u);
  cluster_->kill(0);
  auto other = opened(options(1));
  Revision last = 0;
  for (int i = 0; i < 10; ++i) last = put(*other, "b" + std::to_string(i), "1");
  ASSERT_TRUE(other->compact(last));
  cluster_->start(0);
  EXPECT_THAT(watching.text(2), ElementsAre(line(before, "put a=1"), "compacted " + std::to_string(last)));
  EXPECT_EQ(store->compacted_revision(), last);
  auto page = store->range({"", 100});
  ASSERT_TRUE(page) << page.error().text;
  EXPECT_EQ(page->entries.size(), 11u);
  Watching again(*store, page->revision + 1, "");
  const Revision next = put(*other, "a", "2");
  EXPECT_THAT(again.text(1), ElementsAre(line(next, "put a=2")));
}

TEST_F(EtcdFaults, AWatchEndsAtOnceWhileNothingAnswers) {
  auto store = opened(options());
  auto watch = store->watch(store->revision() + 1, "", [](WatchMessage) {});
  cluster_->stop_all();
  const auto begin = std::chrono::steady_clock::now();
  watch.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 1s);
  cluster_->start_all();
}

}  // namespace
}  // namespace viaduct::topology::store
