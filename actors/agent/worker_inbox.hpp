// What actors ask of a packet worker: send this packet, try the parked ones again. Bounded; the worker looks at one
// atomic a round and takes the lock only when something is there.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <variant>
#include <vector>

#include "flows/simulation/verdict.hpp"

namespace viaduct::actors {

// A packet that a device's actor makes (an ARP request, a neighbour solicitation); leaves by the port's egress.
using EmitPacket = flows::simulation::EmittedPacket;
// The neighbour was learned: simulate what waits for it again.
struct NeighbourReady {
  flows::simulation::NeighbourWanted neighbour;
};
// It will not be: simulate what waits for it to its ICMP error.
struct NeighbourFailed {
  flows::simulation::NeighbourWanted neighbour;
};
// This host has more ports of an address: simulate what waits for them again. Or no host has any left.
struct NatPortsReady {
  Uuid device;
  IpAddress address;
};
// A frame between hosts, past the virtual network.
struct SendFrame {
  std::vector<uint8_t> frame;
  flows::TunnelOutput to;
};
// The hosts that may see the next packet know what was opened under this ticket, or are not waited for.
struct StateReady {
  uint64_t ticket = 0;
};
using WorkerRequest = std::variant<EmitPacket, NeighbourReady, NeighbourFailed, NatPortsReady, StateReady, SendFrame>;

class WorkerInbox {
 public:
  static constexpr size_t kCapacity = 4096;
  size_t size() const {
    std::lock_guard lock(mutex_);
    return requests_.size();
  }

  // False, and counted, when it is full. Any thread.
  bool post(WorkerRequest request) {
    {
      std::lock_guard lock(mutex_);
      if (requests_.size() >= kCapacity) {
        refused_.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
      requests_.push_back(std::move(request));
    }
    waiting_.store(true, std::memory_order_release);
    if (wake_) wake_();
    return true;
  }
  // The worker's thread. Empty when nothing waits.
  std::vector<WorkerRequest> take() {
    if (!waiting_.load(std::memory_order_acquire)) return {};
    std::lock_guard lock(mutex_);
    waiting_.store(false, std::memory_order_relaxed);
    return std::exchange(requests_, {});
  }
  // How the worker is woken from its poll; set before anybody posts.
  void on_post(std::function<void()> wake) { wake_ = std::move(wake); }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;
  std::vector<WorkerRequest> requests_;
  std::atomic<bool> waiting_{false};
  std::atomic<uint64_t> refused_{0};
  std::function<void()> wake_;
};

}  // namespace viaduct::actors
