// News on its way to the flow controller and to the devices: boxes that merge what waits, so that a storm of packets
// costs one message at a time and memory for what differs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "actors/messages.hpp"
#include "actors/runtime/bell.hpp"

namespace viaduct::actors {

// For the flow controller: facts that changed, and that workers put records into their rings.
class FlowNews {
 public:
  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  // Any thread. Nothing is ever lost: a fact that changes again while its news waits is named once.
  void changed(const flows::simulation::Invalidation& what);
  void installed() { bell_.ring(); }
  // The flow controller.
  flows::simulation::Invalidation take();

 private:
  static constexpr size_t kFirstTidyAt = 1024;
  void tidy();

  Bell bell_;
  std::mutex mutex_;
  flows::simulation::Invalidation waiting_;
  size_t tidy_at_ = kFirstTidyAt;  // tags
};

// For the devices: what concerns time. Bounded: what does not fit is counted and lost, which delays and never harms (a
// neighbour that is wanted is asked for by the next packet; a new entry is found by the devices' own look at the tables).
class DeviceNews {
 public:
  static constexpr size_t kCapacity = 16'384;

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  void add(DeviceEvents&& events);  // any thread
  DeviceEvents take();              // the devices actor
  // Any thread. `lost` also counts what a device's actor had no room for.
  void count_lost(size_t events) { lost_.fetch_add(events, std::memory_order_relaxed); }
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  Bell bell_;
  std::mutex mutex_;
  DeviceEvents waiting_;
  std::atomic<uint64_t> lost_{0};
};

// A packet waits for it; or it will do good soon.
struct NatWant {
  flows::simulation::NatBlockWanted block;
  bool waiting = false;
  friend bool operator==(const NatWant&, const NatWant&) = default;
};

// For the actor that leases NAT ports: blocks that are wanted. Bounded as DeviceNews is; the next packet asks again.
class NatNews {
 public:
  static constexpr size_t kCapacity = 1'024;

  void on_ring(std::function<void()> wake) { bell_.on_ring(std::move(wake)); }
  void wanted(const NatWant& want);  // any thread; a block that is wanted already is said once
  std::vector<NatWant> take();       // the leasing actor
  uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  Bell bell_;
  std::mutex mutex_;
  std::vector<NatWant> waiting_;
  std::atomic<uint64_t> lost_{0};
};

// For whoever keeps connections on disk: entries that came, changed their state, or went. Bounded: when some did not fit,
// the whole table is compared with the disk.
class ConnectionNews {
 public:
  static constexpr size_t kCapacity = 65'536;

  void changed(std::span<const flows::ConnectionKey> keys);  // any thread
  struct Taken {
    std::vector<flows::ConnectionKey> keys;  // some more than once
    bool overflow = false;
  };
  Taken take();  // the writer

 private:
  std::mutex mutex_;
  Taken waiting_;
};

size_t count(const DeviceEvents& events);
// Moves all of `from` behind what `to` holds, as far as `capacity` goes. Returns how many did not fit.
size_t append(DeviceEvents& to, DeviceEvents&& from, size_t capacity);

}  // namespace viaduct::actors
