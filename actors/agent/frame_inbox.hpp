// Frames that other hosts send to this host and not to the virtual network, from the packet workers to the actor whose
// they are. Bounded: what is beyond a burst is counted and lost, and whoever sends such frames sends them again.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "actors/runtime/bell.hpp"
#include "flows/packet/tunnel.hpp"

namespace viaduct::actors {

struct ReceivedFrame {
  flows::Tunnel tunnel;
  std::vector<uint8_t> frame;
};

class FrameInbox {
 public:
  FrameInbox(size_t capacity, size_t max_bytes) : capacity_(capacity), max_bytes_(max_bytes) {}

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  // Any thread.
  void post(const flows::Tunnel& tunnel, std::span<const uint8_t> frame) {
    {
      std::lock_guard lock(mutex_);
      if (frames_.size() >= capacity_ || frame.size() > max_bytes_) {
        ++refused_;
        return;
      }
      frames_.push_back({tunnel, {frame.begin(), frame.end()}});
    }
    bell_.ring();
  }
  // The actor.
  std::vector<ReceivedFrame> take() {
    bell_.answer();
    std::lock_guard lock(mutex_);
    return std::exchange(frames_, {});
  }
  uint64_t refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  const size_t capacity_, max_bytes_;
  Bell bell_;
  mutable std::mutex mutex_;
  std::vector<ReceivedFrame> frames_;
  uint64_t refused_ = 0;
};

}  // namespace viaduct::actors
