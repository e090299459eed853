#include "api/rest/worker_pool.hpp"

namespace viaduct::api::rest {

WorkerPool::WorkerPool(unsigned workers, size_t max_waiting) : max_waiting_(max_waiting) {
  for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

bool WorkerPool::submit(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    if (finished_ || waiting_.size() >= max_waiting_) return false;
    waiting_.push_back(std::move(job));
  }
  more_.notify_one();
  return true;
}

void WorkerPool::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::work() {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [this] { return finished_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    job();
  }
}

}  // namespace viaduct::api::rest
