// What part of the last probes was lost, from two numbers that only grow.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace viaduct::routing::underlay {

class LossWindow {
 public:
  // Looks back at between half of `probes` and all of them.
  explicit LossWindow(uint64_t probes) : half_(std::max<uint64_t>(probes / 2, 1)) {}

  // Of `expected` probes since the beginning, `received` came.
  void update(uint64_t expected, uint64_t received) {
    now_ = {std::max(now_.expected, expected), std::max(now_.received, received)};
    if (now_.expected - newer_.expected < half_) return;
    older_ = newer_;
    newer_ = now_;
  }
  // 0 to 1; nothing before the first probe.
  std::optional<double> ratio() const {
    const uint64_t expected = now_.expected - older_.expected;
    if (expected == 0) return std::nullopt;
    const uint64_t received = std::min(now_.received - older_.received, expected);
    return static_cast<double>(expected - received) / static_cast<double>(expected);
  }

 private:
  struct Mark {
    uint64_t expected = 0, received = 0;
  };
  uint64_t half_;
  Mark older_, newer_, now_;
};

}  // namespace viaduct::routing::underlay
