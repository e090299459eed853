// What went wrong, by name. Only the slow and the failing paths come here.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::flows::ovs {

class ErrorCounts {
 public:
  void add(std::string_view name, uint64_t times = 1);
  // "<what>.ENODEV"
  void add_errno(std::string_view what, int error);
  std::vector<std::pair<std::string, uint64_t>> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t, std::less<>> counts_;
};

}  // namespace viaduct::flows::ovs
