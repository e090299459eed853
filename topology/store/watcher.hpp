// A watch of a VersionedStore: a thread that follows the log. It queues nothing; a slow callback only means that the
// next read of the log finds more revisions.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "topology/store/backend.hpp"
#include "topology/store/store.hpp"

namespace viaduct::topology::store {

// How far the store has come. The store writes it, its watches wait on it; they share it, so either may end first.
class Progress {
 public:
  Progress(Revision head, Revision compacted) : head_(head), compacted_(compacted) {}

  Revision head() const;
  Revision compacted() const;
  void advance(Revision head);
  void compact(Revision revision);
  void close();
  // Waits until revision `wanted` exists; false: closed or stop was requested first.
  bool wait_for(Revision wanted, const std::stop_token& stop);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Revision head_;
  Revision compacted_;
  bool closed_ = false;
};

class Watcher final : public Watch {
 public:
  Watcher(std::shared_ptr<const Backend> backend, std::shared_ptr<Progress> progress, Revision from, std::string prefix,
          WatchCallback callback);

 private:
  void run(const std::stop_token& stop);
  bool deliver_some(const std::stop_token& stop);  // false: the watch has ended
  bool end(WatchMessage reason);

  const std::shared_ptr<const Backend> backend_;
  const std::shared_ptr<Progress> progress_;
  const std::string prefix_;
  const WatchCallback callback_;
  Revision next_;
  std::jthread thread_;  // the last member: it uses the others
};

}  // namespace viaduct::topology::store
