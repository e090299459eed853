#include "flows/datapath/ovs/error_counts.hpp"

#include <cstring>

namespace viaduct::flows::ovs {

void ErrorCounts::add(std::string_view name, uint64_t times) {
  if (times == 0) return;
  std::lock_guard lock(mutex_);
  auto at = counts_.find(name);
  if (at == counts_.end()) at = counts_.emplace(name, 0).first;
  at->second += times;
}

void ErrorCounts::add_errno(std::string_view what, int error) {
  const char* name = strerrorname_np(error);
  add(std::string(what) + "." + (name != nullptr ? name : std::to_string(error)));
}

std::vector<std::pair<std::string, uint64_t>> ErrorCounts::all() const {
  std::lock_guard lock(mutex_);
  return {counts_.begin(), counts_.end()};
}

}  // namespace viaduct::flows::ovs
