// What an agent's health checks look like from outside; as the others: probes.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

// Health checks of load balancers' members, by this host.
class HealthProbe {
 public:
  // `results`: names of what a check may end with.
  HealthProbe(Registry& registry, std::span<const std::string_view> results);
  void checking(size_t pools, size_t members, size_t down,
                std::span<const uint64_t> results);  // of checks since the start, by their names' order
  void turned(bool up);
  void unexpected(uint64_t answers);  // that belong to no check under way

 private:
  Gauge& pools_;
  Gauge& members_;
  Gauge& down_;
  Counter& ups_;
  Counter& downs_;
  Counter& unexpected_;
  std::vector<Counter*> results_;
  std::vector<uint64_t> known_;
};

}  // namespace viaduct::observability
