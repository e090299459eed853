// Threads that take jobs from a bounded queue.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace viaduct::api::rest {

class WorkerPool {
 public:
  WorkerPool(unsigned workers, size_t max_waiting);
  ~WorkerPool() { finish(); }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False: too many wait, or the pool is finished.
  bool submit(std::function<void()> job);
  // Does what waits, and takes no more. Called once or more, by one thread.
  void finish();

 private:
  void work();

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> waiting_;
  bool finished_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace viaduct::api::rest
