// Network state databases for tests: in memory, with a clock that the test moves and failures when it wants them; what is
// in them is read by a watch, as the cluster does.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "actors/cluster/nsdb_view.hpp"
#include "tests/unit/topology/literals.hpp"
#include "topology/codec.hpp"
#include "topology/store/memory_store.hpp"

namespace viaduct::actors::cluster_test {

namespace store = topology::store;
inline constexpr std::chrono::seconds kDeadline{30};

// Leases end only in pass().
class MemoryNsdb {
 public:
  MemoryNsdb() {
    auto opened = store::VersionedStore::open(store::make_memory_backend(), options());
    EXPECT_TRUE(opened);
    store_ = std::move(*opened);
  }
  store::VersionedStore& operator*() { return *store_; }
  store::VersionedStore* operator->() { return store_.get(); }
  void pass(std::chrono::seconds time) {
    *now_ += time.count();
    store_->tick();
  }

 private:
  store::Options options() {
    store::Options options;
    options.upkeep = store::Upkeep::manual;
    options.clock = [now = now_] { return store::TimePoint(std::chrono::seconds(now->load())); };
    return options;
  }
  std::shared_ptr<std::atomic<int64_t>> now_ = std::make_shared<std::atomic<int64_t>>(1'000);
  std::unique_ptr<store::VersionedStore> store_;
};

// Another one's, with accidents on the way.
class AccidentStore final : public store::Store {
 public:
  enum class Accident : uint8_t { none, request_lost, answer_lost };

  explicit AccidentStore(store::Store& real) : real_(real) {}
  Accident next = Accident::none;       // what befalls the next commit or keep_alive
  std::function<void()> before_commit;  // somebody else is faster
  bool slow_watch = false;              // watches begin when begin_watches() says so
  void begin_watches() {
    slow_watch = false;
    for (auto& begin : std::exchange(waiting_, {})) begin();
  }

  store::CommitResult commit(const store::Transaction& transaction) override {
    if (before_commit) before_commit();
    auto accident = std::exchange(next, Accident::none);
    if (accident == Accident::request_lost) return lost();
    auto answer = real_.commit(transaction);
    return accident == Accident::answer_lost ? store::CommitResult(lost()) : answer;
  }
  store::Status keep_alive(store::LeaseId lease) override {
    if (std::exchange(next, Accident::none) != Accident::none) return lost();
    return real_.keep_alive(lease);
  }
  store::Result<store::GetResult> get(std::string_view key) override { return real_.get(key); }
  store::Result<store::RangePage> range(const store::RangeRequest& request) override { return real_.range(request); }
  std::unique_ptr<store::Watch> watch(store::Revision from, std::string prefix,
                                      store::WatchCallback callback) override {
    if (!slow_watch) return real_.watch(from, std::move(prefix), std::move(callback));
    auto slow = std::make_unique<SlowWatch>();
    waiting_.push_back(
        [this, slow = slow.get(), from, prefix, callback] { slow->real = real_.watch(from, prefix, callback); });
    return slow;
  }
  store::Status compact(store::Revision revision) override { return real_.compact(revision); }
  store::Result<store::LeaseId> grant(std::chrono::seconds ttl) override { return real_.grant(ttl); }
  store::CommitResult revoke(store::LeaseId lease) override { return real_.revoke(lease); }
  store::Revision revision() const override { return real_.revision(); }
  store::Revision compacted_revision() const override { return real_.compacted_revision(); }

 private:
  struct SlowWatch : store::Watch {
    std::unique_ptr<store::Watch> real;
  };
  static store::Error lost() { return {store::ErrorCode::unavailable, "the line is cut"}; }
  store::Store& real_;
  std::vector<std::function<void()>> waiting_;
};

// Every change from `from` to the newest, or what the deadline allowed.
inline std::vector<store::WatchBatch> changes_of(store::Store& store, store::Revision from) {
  std::mutex mutex;
  std::condition_variable grown;
  std::vector<store::WatchBatch> out;
  const store::Revision last = store.revision();
  if (from > last) return out;
  auto watch = store.watch(from, "", [&](store::WatchMessage message) {
    std::lock_guard lock(mutex);
    if (auto* batch = std::get_if<store::WatchBatch>(&message)) out.push_back(std::move(*batch));
    grown.notify_all();
  });
  std::unique_lock lock(mutex);
  EXPECT_TRUE(grown.wait_for(lock, kDeadline, [&] { return !out.empty() && out.back().revision >= last; }));
  auto complete = out;
  lock.unlock();
  watch.reset();
  return complete;
}

// As somebody writes who knows no rules.
inline store::Revision write(store::Store& store, const std::vector<topology::Object>& puts,
                             const std::vector<topology::ObjectRef>& deletes = {}) {
  store::Transaction transaction;
  for (const auto& object : puts) {
    transaction.puts.push_back(
        {topology::key_of(topology::ref_of(object)), store::to_value(topology::encode_object(object).bytes)});
  }
  for (const auto& ref : deletes) transaction.deletes.push_back(topology::key_of(ref));
  auto committed = store.commit(transaction);
  EXPECT_TRUE(committed) << committed.error().text;
  return *committed;
}

}  // namespace viaduct::actors::cluster_test
