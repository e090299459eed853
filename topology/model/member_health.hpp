// What health checks have found of a pool's member (devices.md 1.9).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "topology/address/id.hpp"

namespace viaduct::topology {

// Of one check.
enum class CheckResult : uint8_t {
  none,          // not checked yet; the member counts as up
  healthy,       // it answered as it should; UDP: or said nothing
  no_answer,     // in time
  refused,       // TCP: reset
  closed,        // HTTP: the connection ended before a status came
  unreachable,   // ICMP says so; detail: the code
  no_neighbour,  // nobody on the link has its address, or no route leads there
  wrong_status,  // HTTP; detail: the status
  not_http,
  count_
};
inline constexpr std::array<std::string_view, static_cast<size_t>(CheckResult::count_)> kCheckResultNames = {
    "none", "healthy", "no_answer", "refused", "closed", "unreachable", "no_neighbour", "wrong_status", "not_http"};
std::string describe(CheckResult result, uint16_t detail);  // "HTTP status 503"

struct MemberHealth {
  PoolMemberId member;
  bool up = true;
  CheckResult result = CheckResult::none;  // why it is so: of the check that made it up or down
  uint16_t detail = 0;
  uint64_t since = 0;  // seconds since the Unix epoch; 0 while not checked
  friend bool operator==(const MemberHealth&, const MemberHealth&) = default;
};

}  // namespace viaduct::topology
