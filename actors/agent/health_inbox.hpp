// Answers to health checks, from the packet workers to the health checker. Bounded: what does not fit is counted and lost, as
// any packet may be, and the check sends again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "actors/runtime/bell.hpp"
#include "flows/health/answer.hpp"

namespace viaduct::actors {

class HealthInbox {
 public:
  static constexpr size_t kCapacity = 8'192;

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  // Any thread.
  void post(flows::health::Answer answer) {
    {
      std::lock_guard lock(mutex_);
      if (answers_.size() >= kCapacity) {
        overflows_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      answers_.push_back(std::move(answer));
    }
    bell_.ring();
  }
  // A frame from another host that is no answer, or from nobody that is known.
  void refuse() { refused_.fetch_add(1, std::memory_order_relaxed); }
  // The health checker.
  std::vector<flows::health::Answer> take() {
    bell_.answer();
    std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }
  uint64_t overflows() const { return overflows_.load(std::memory_order_relaxed); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  Bell bell_;
  std::mutex mutex_;
  std::vector<flows::health::Answer> answers_;
  std::atomic<uint64_t> overflows_{0}, refused_{0};
};

}  // namespace viaduct::actors
