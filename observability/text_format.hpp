// Prometheus' text format, version 0.0.4: what GET /metrics answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

inline constexpr std::string_view kTextFormat = "text/plain; version=0.0.4; charset=utf-8";

// Help, type and samples of each family, in their order. A family without samples is left out.
std::string to_text(const std::vector<FamilySample>& families);

}  // namespace viaduct::observability
