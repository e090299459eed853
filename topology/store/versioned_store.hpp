// A Store on any Backend: history, transactions, leases and retention, all but the disk.
//
// Commits: each caller queues its request; one of them becomes the writer, decides all that wait in order, writes them in
// one batch with one sync, and wakes the others. So many writers share an fsync, and nobody is answered before it.
// Readers and watches use views and never wait for writers.
//
// After a failed write nobody knows what is on disk: the store then refuses all writes until it is opened again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "topology/store/backend.hpp"
#include "topology/store/lease_table.hpp"
#include "topology/store/store.hpp"
#include "topology/store/watcher.hpp"

namespace viaduct::topology::store {

using Clock = std::function<TimePoint()>;  // must be callable by any thread

enum class Upkeep : uint8_t {
  background,  // a thread calls tick() every Options::upkeep_interval
  manual,      // the owner does: tests, with a clock of their own
};

struct Options {
  Clock clock = [] { return std::chrono::steady_clock::now(); };
  Revision retained_revisions = 10'000;  // how much history tick() leaves
  Upkeep upkeep = Upkeep::background;
  std::chrono::milliseconds upkeep_interval{500};
};

class VersionedStore final : public Store {
 public:
  static Result<std::unique_ptr<VersionedStore>> open(std::shared_ptr<Backend> backend, Options options);
  ~VersionedStore() override;

  CommitResult commit(const Transaction& transaction) override;
  Result<GetResult> get(std::string_view key) override;
  Result<RangePage> range(const RangeRequest& request) override;
  std::unique_ptr<Watch> watch(Revision from, std::string prefix, WatchCallback callback) override;
  Status compact(Revision revision) override;
  Result<LeaseId> grant(std::chrono::seconds ttl) override;
  Status keep_alive(LeaseId lease) override;
  CommitResult revoke(LeaseId lease) override;
  Revision revision() const override { return progress_->head(); }
  Revision compacted_revision() const override { return progress_->compacted(); }

  // Ends the leases whose time is over and trims history to the retained revisions.
  void tick();
  // How many batches were written for commits: fewer than commits when writers shared them.
  uint64_t batches_written() const { return batches_written_.load(std::memory_order_relaxed); }

 private:
  struct Request;
  struct Group;
  VersionedStore(std::shared_ptr<Backend> backend, Options options, Revision head, Revision compacted);

  std::optional<Error> load_leases();
  void start_upkeep();
  CommitResult submit(Request& request);
  // The right to write the backend. A mutex goes to whoever comes back first, so compaction, which writes again and again,
  // would keep the writer out: who waits for its turn holds next_mutex_, and the one that comes back waits behind it.
  std::unique_lock<std::mutex> take_turn();
  void write_group(const std::deque<Request*>& requests);
  CommitResult decide(Group& group, const Request& request);
  CommitResult decide_transaction(Group& group, const Transaction& transaction);
  CommitResult decide_revoke(Group& group, LeaseId lease);
  void put(Group& group, Revision revision, const Put& put);
  void erase(Group& group, Revision revision, const std::string& key);
  void change_lease(Group& group, const std::string& key, LeaseId from, LeaseId to);
  std::optional<Error> compact_chunk(Revision revision, bool& finished);
  std::optional<Error> drop(const BackendBatch& batch);
  std::optional<Error> drop_old_versions(Cursor& data, const std::string& key, Revision revision, BackendBatch& batch);

  const std::shared_ptr<Backend> backend_;
  const Options options_;
  const std::shared_ptr<Progress> progress_;

  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::deque<Request*> queue_;
  bool writer_active_ = false;

  std::mutex next_mutex_;
  std::mutex write_mutex_;  // held while the backend is written: by the writer, or by compaction
  std::mutex lease_mutex_;
  LeaseTable leases_;
  std::mutex compact_mutex_;
  Revision trimmed_ = 0;  // the log has nothing up to here, that one need not look for; guarded by compact_mutex_
  std::atomic<bool> failed_{false};
  std::atomic<uint64_t> batches_written_{0};
  std::jthread upkeep_;  // the last member: it uses the others
};

}  // namespace viaduct::topology::store
