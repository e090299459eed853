#include "flows/datapath/ebpf/error_counts.hpp"

#include <cstring>

namespace viaduct::flows::ebpf {

void ErrorCounts::count(const std::string& name) {
  std::lock_guard lock(mutex_);
  ++counts_[name];
}

void ErrorCounts::count_errno(std::string_view what, int error_number) {
  const char* name = strerrorname_np(error_number);
  count(std::string(what) + "." + (name != nullptr ? name : std::to_string(error_number)));
}

std::vector<std::pair<std::string, uint64_t>> ErrorCounts::list() const {
  std::lock_guard lock(mutex_);
  return {counts_.begin(), counts_.end()};
}

}  // namespace viaduct::flows::ebpf
