// When flows were installed that no packet has hit yet: the module remembers only when a flow was used last. A flow
// leaves as soon as it is seen used, so this stays small. What was there before the daemon started counts from then.
#pragma once

#include <chrono>
#include <mutex>
#include <span>
#include <unordered_map>

#include "flows/match/flow.hpp"

namespace viaduct::flows::ovs {

class InstallTimes {
 public:
  using Clock = std::chrono::steady_clock;
  explicit InstallTimes(Clock::time_point opened) : opened_(opened) {}

  void installed(std::span<const FlowId> ids, Clock::time_point now);
  void forget(const FlowId& id);
  void clear();
  Clock::time_point of(const FlowId& id) const;

 private:
  Clock::time_point opened_;
  mutable std::mutex mutex_;
  std::unordered_map<FlowId, Clock::time_point> times_;
};

}  // namespace viaduct::flows::ovs
