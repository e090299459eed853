// How many requests a user may make: a token bucket each, which holds `burst` requests and gains `per_second` of them.
//
// Who is not known is counted by address. What is remembered is bounded, and an entry ends when its bucket is full again:
// beyond the bound the oldest go, and begin anew with a full bucket.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

#include "api/client/outcome.hpp"
#include "api/rest/bounded_map.hpp"
#include "api/rest/http.hpp"

namespace viaduct::api::rest {

struct RateOptions {
  unsigned per_second = 0;  // 0: no limit
  unsigned burst = 1;       // at least 1
  size_t most = 10'000;     // users and addresses that are remembered
};

// Thread-safe.
class RateLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit RateLimits(RateOptions options) : options_(options), buckets_(options.most) {}

  struct Grant {
    bool allowed = true;
    unsigned limit = 0;      // 0: there is none
    unsigned remaining = 0;  // requests that may follow at once
    unsigned reset_s = 0;    // until the bucket is full again, rounded up; refused: until the next request
  };
  Grant take(const std::string& who, Time now);

 private:
  struct Bucket {
    double level = 0;  // requests
    Time at = {};      // when it had that
  };

  const RateOptions options_;
  std::mutex mutex_;
  BoundedMap<Bucket> buckets_;
};

// RateLimit-Limit, -Remaining and -Reset (draft-ietf-httpapi-ratelimit-headers-06); nothing when there is no limit.
void say_limit(const RateLimits::Grant& grant, Response& response);
// "slow_down": 429 with Retry-After.
Failure too_many_requests(const RateLimits::Grant& grant);

}  // namespace viaduct::api::rest
