// Which flows are logged: one in N, by a hash of their addresses, so that both records of a flow are there or neither, and both
// directions of a connection, also of a translated one (on the host that translates): the hash takes the tuple before and after
// translation, in either order and either direction. It is the same on every host and in every life of the daemon, and it is no
// secret: a guest may choose ports that are not sampled. Who must see every flow samples 1 in 1.
#pragma once

#include <cstdint>

#include "observability/flow_log/record.hpp"

namespace viaduct::observability::flow_log {

uint64_t sample_hash(const Tuple& before, const Tuple& after, uint8_t protocol);
// `one_in` is at least 1.
inline bool is_sampled(uint64_t hash, uint32_t one_in) { return one_in == 1 || hash % one_in == 0; }

// At most `rate` a second in the long run, and as many at once.
class RateCap {
 public:
  explicit RateCap(uint64_t rate) : rate_(static_cast<double>(rate)), left_(rate_) {}
  bool admit(Time now);

 private:
  const double rate_;
  double left_;
  Time last_ = {};
};

}  // namespace viaduct::observability::flow_log
