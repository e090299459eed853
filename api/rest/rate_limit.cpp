#include "api/rest/rate_limit.hpp"

#include <algorithm>
#include <cmath>

namespace viaduct::api::rest {

RateLimits::Grant RateLimits::take(const std::string& who, Time now) {
  if (options_.per_second == 0) return {};
  const double rate = options_.per_second, burst = options_.burst;
  std::lock_guard lock(mutex_);
  Bucket bucket{burst, now};
  if (const Bucket* known = buckets_.find(who, now)) {
    const std::chrono::duration<double> passed = now - known->at;
    bucket.level = std::min(burst, known->level + passed.count() * rate);
  }
  Grant grant{bucket.level >= 1, options_.burst, 0, 0};
  if (grant.allowed) bucket.level -= 1;
  grant.remaining = static_cast<unsigned>(bucket.level);
  const double missing = grant.allowed ? burst - bucket.level : 1 - bucket.level;
  grant.reset_s = static_cast<unsigned>(std::ceil(missing / rate));
  const std::chrono::duration<double> full((burst - bucket.level) / rate);
  buckets_.put(who, bucket, now + std::chrono::ceil<std::chrono::milliseconds>(full));
  return grant;
}

void say_limit(const RateLimits::Grant& grant, Response& response) {
  if (grant.limit == 0) return;
  response.headers.emplace_back("RateLimit-Limit", std::to_string(grant.limit));
  response.headers.emplace_back("RateLimit-Remaining", std::to_string(grant.remaining));
  response.headers.emplace_back("RateLimit-Reset", std::to_string(grant.reset_s));
}

Failure too_many_requests(const RateLimits::Grant& grant) {
  const unsigned seconds = std::max(1U, grant.reset_s);
  return {ExitCode::refused,
          "slow_down",
          "too many requests: there is room for " + std::to_string(grant.limit) + " at once (rest.burst)",
          "try again in " + std::to_string(seconds) + " s",
          {},
          seconds};
}

}  // namespace viaduct::api::rest
