// What went wrong, by name ("send.ENOBUFS"). Any thread; a lock is taken only when something does go wrong.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::flows::ebpf {

class ErrorCounts {
 public:
  void count(const std::string& name);
  // "what.ENOENT"
  void count_errno(std::string_view what, int error_number);
  std::vector<std::pair<std::string, uint64_t>> list() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> counts_;
};

}  // namespace viaduct::flows::ebpf
