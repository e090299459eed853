// Where the mirror publishes the newest Network and packet workers pick it up.
//
// A reader keeps the network it has until the version moves: one atomic load a packet, no reference counting.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "flows/simulation/network.hpp"

namespace viaduct::actors {

class NetworkSlot {
 public:
  using Ptr = std::shared_ptr<const flows::simulation::Network>;

  NetworkSlot() : current_(std::make_shared<const flows::simulation::Network>()) {}

  void publish(Ptr network) {
    std::lock_guard lock(mutex_);
    current_ = std::move(network);
    version_.fetch_add(1, std::memory_order_release);
  }
  Ptr load() const {
    std::lock_guard lock(mutex_);
    return current_;
  }

  // One thread's view.
  class Reader {
   public:
    explicit Reader(const NetworkSlot& slot) : slot_(slot) {}
    // Valid until the next call.
    const flows::simulation::Network& get() {
      if (uint64_t version = slot_.version_.load(std::memory_order_acquire); version != seen_) {
        std::lock_guard lock(slot_.mutex_);  // only when a new network was published
        held_ = slot_.current_;
        seen_ = slot_.version_.load(std::memory_order_relaxed);
      }
      return *held_;
    }

   private:
    const NetworkSlot& slot_;
    uint64_t seen_ = ~uint64_t{0};
    Ptr held_;
  };

 private:
  mutable std::mutex mutex_;
  Ptr current_;
  std::atomic<uint64_t> version_{0};
};

}  // namespace viaduct::actors
