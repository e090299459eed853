// How many ICMP errors a device may send: RFC 1812 4.3.2.8, RFC 4443 2.4(f). A token bucket for each router, and each
// bridge that says what does not fit into a tunnel, so that a scan through one cannot silence another.
//
// A bucket is one number, the time at which it will be full again (GCRA). Threads: any; workers share it. It writes one
// bucket of a ConcurrentTable under that table's short spin, only when an error is about to be sent.
//
// Limits: `max_devices` buckets; devices beyond that share one more bucket together.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "flows/state/concurrent_table.hpp"
#include "flows/state/state_tables.hpp"
#include "topology/address/id.hpp"

namespace viaduct::actors {

class IcmpLimiter {
 public:
  struct Options {
    uint32_t per_second = 1000;  // the same as Linux's icmp_msgs_per_sec and icmp_msgs_burst
    uint32_t burst = 50;         // at least 1
    size_t max_devices = 4096;
  };
  IcmpLimiter() : IcmpLimiter(Options()) {}
  explicit IcmpLimiter(const Options& options);

  // Takes a token of the device's; false when there is none.
  bool allow(const Uuid& device, flows::Time now);
  // The device is gone.
  void forget(const Uuid& device);
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

 private:
  using Nanoseconds = int64_t;  // of steady_clock, since its epoch
  // Takes a token when there is one.
  bool take(Nanoseconds& full_at, Nanoseconds now) const;
  bool take_shared(Nanoseconds now);

  const Nanoseconds interval_;   // a token's time
  const Nanoseconds tolerance_;  // the time of a whole burst
  flows::ConcurrentTable<Uuid, Nanoseconds> buckets_;
  std::atomic<Nanoseconds> shared_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace viaduct::actors
