// Wakes an actor when something lies ready for it. Whoever puts something in rings; only the first ring after the
// receiver took everything sends a message.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

namespace viaduct::actors {

class Bell {
 public:
  // `wake` is called from any thread and must not block. When this returns, the one before is not running any more. Who
  // comes anew to a bell that has been rung looks once without being woken.
  void on_ring(std::function<void()> wake) {
    std::lock_guard lock(mutex_);
    std::swap(wake_, wake);
  }
  void ring() {
    if (rung_.exchange(true, std::memory_order_acq_rel)) return;
    std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }
  // The receiver, before it looks.
  void answer() { rung_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> rung_{false};
  std::mutex mutex_;
  std::function<void()> wake_;
};

}  // namespace viaduct::actors
