// Liveness probes of other hosts, from the packet workers to the tunnel manager. Bounded: more than a burst of a thousand
// peers is counted and lost, and then some peer's next probe is in time.
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

struct ReceivedProbe {
  flows::Tunnel tunnel;
  std::vector<uint8_t> frame;
};

class ProbeInbox {
 public:
  static constexpr size_t kCapacity = 4'096;
  static constexpr size_t kMaxBytes = 256;

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  // Any thread.
  void post(const flows::Tunnel& tunnel, std::span<const uint8_t> frame) {
    {
      std::lock_guard lock(mutex_);
      if (probes_.size() >= kCapacity || frame.size() > kMaxBytes) {
        ++refused_;
        return;
      }
      probes_.push_back({tunnel, {frame.begin(), frame.end()}});
    }
    bell_.ring();
  }
  // The tunnel manager.
  std::vector<ReceivedProbe> take() {
    bell_.answer();
    std::lock_guard lock(mutex_);
    return std::exchange(probes_, {});
  }
  uint64_t refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
  }

 private:
  Bell bell_;
  mutable std::mutex mutex_;
  std::vector<ReceivedProbe> probes_;
  uint64_t refused_ = 0;
};

}  // namespace viaduct::actors
