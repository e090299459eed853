// Targets of rules that translate addresses: "203.0.113.1-203.0.113.9:1024-65535", "[2001:db8::1]:80", with commas between.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/client/value.hpp"

namespace viaduct::api::midonet_cli {

// The member natTargets; nothing when the text makes no sense.
std::optional<Json> parse_targets(std::string_view text);
std::string targets_text(const Json& targets);

// "80", "80-90", up to 65535; nothing when the text is no range of ports.
struct PortRange {
  int64_t first = 0, last = 0;
};
std::optional<PortRange> parse_range(std::string_view text);

}  // namespace viaduct::api::midonet_cli
