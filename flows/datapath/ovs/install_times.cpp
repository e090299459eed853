#include "flows/datapath/ovs/install_times.hpp"

namespace viaduct::flows::ovs {

void InstallTimes::installed(std::span<const FlowId> ids, Clock::time_point now) {
  if (ids.empty()) return;
  std::lock_guard lock(mutex_);
  for (const FlowId& id : ids) times_[id] = now;
}

void InstallTimes::forget(const FlowId& id) {
  std::lock_guard lock(mutex_);
  times_.erase(id);
}

void InstallTimes::clear() {
  std::lock_guard lock(mutex_);
  times_.clear();
}

InstallTimes::Clock::time_point InstallTimes::of(const FlowId& id) const {
  std::lock_guard lock(mutex_);
  auto at = times_.find(id);
  return at != times_.end() ? at->second : opened_;
}

}  // namespace viaduct::flows::ovs
