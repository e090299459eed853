#include "actors/agent/icmp_limiter.hpp"

#include <algorithm>

namespace viaduct::actors {

IcmpLimiter::IcmpLimiter(const Options& options)
    : interval_(1'000'000'000 / std::max<uint32_t>(options.per_second, 1)),
      tolerance_(interval_ * std::max<uint32_t>(options.burst, 1)),
      buckets_(options.max_devices) {}

bool IcmpLimiter::take(Nanoseconds& full_at, Nanoseconds now) const {
  const Nanoseconds next = std::max(full_at, now) + interval_;
  if (next - now > tolerance_) return false;
  full_at = next;
  return true;
}

bool IcmpLimiter::take_shared(Nanoseconds now) {
  Nanoseconds seen = shared_.load(std::memory_order_relaxed);
  for (Nanoseconds next = seen; take(next, now); next = seen) {
    if (shared_.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return true;
  }
  return false;
}

bool IcmpLimiter::allow(const Uuid& device, flows::Time now) {
  const Nanoseconds at = std::chrono::nanoseconds(now.time_since_epoch()).count();
  bool taken = false;
  const auto outcome = buckets_.modify(device, [&](std::optional<Nanoseconds>& full_at) {
    if (!full_at) full_at = at;
    taken = take(*full_at, at);
    return taken ? flows::TableChange::store : flows::TableChange::keep;
  });
  if (outcome == flows::TableOutcome::full) taken = take_shared(at);
  if (!taken) refused_.fetch_add(1, std::memory_order_relaxed);
  return taken;
}

void IcmpLimiter::forget(const Uuid& device) {
  buckets_.modify(device, [](std::optional<Nanoseconds>&) { return flows::TableChange::erase; });
}

}  // namespace viaduct::actors
