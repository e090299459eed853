#include "observability/flow_log/sampling.hpp"

#include <algorithm>
#include <cstring>

namespace viaduct::observability::flow_log {
namespace {

constexpr uint8_t kIcmp = 1, kIcmpv6 = 58;

// The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58'476d'1ce4'e5b9ULL;
  x = (x ^ x >> 27) * 0x94d0'49bb'1331'11ebULL;
  return x ^ x >> 31;
}

uint64_t end_hash(const IpAddress& address, uint16_t port) {
  uint64_t high, low;
  std::memcpy(&high, address.storage().data(), 8);
  std::memcpy(&low, address.storage().data() + 8, 8);
  return mix(mix(mix(high) + low) + port);
}

// Sums: the order of both ends does not count.
uint64_t tuple_hash(const Tuple& tuple, bool ports) {
  return mix(end_hash(tuple.src, ports ? tuple.src_port : 0) + end_hash(tuple.dst, ports ? tuple.dst_port : 0));
}

}  // namespace

// An echo request and its reply differ in type: ICMP counts by its addresses.
uint64_t sample_hash(const Tuple& before, const Tuple& after, uint8_t protocol) {
  const bool ports = protocol != kIcmp && protocol != kIcmpv6;
  return mix(tuple_hash(before, ports) + tuple_hash(after, ports) + protocol);
}

bool RateCap::admit(Time now) {
  if (last_ != Time()) left_ = std::min(rate_, left_ + std::chrono::duration<double>(now - last_).count() * rate_);
  last_ = std::max(last_, now);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

}  // namespace viaduct::observability::flow_log
