// Wakes an actor when something lies ready for it. Whoever puts something in rings; only the first ring after the
// receiver took everything sends a message.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace viaduct::actors {

class Bell {
 public:
  // Before anybody rings. `wake` is called from any thread and must not block.
  void on_ring(std::function<void()> wake) { wake_ = std::move(wake); }
  void ring() {
    if (!rung_.exchange(true, std::memory_order_acq_rel) && wake_) wake_();
  }
  // The receiver, before it looks.
  void answer() { rung_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> rung_{false};
  std::function<void()> wake_;
};

}  // namespace viaduct::actors
