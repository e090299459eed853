// How long to wait before the next restart: twice as long each time, from the start again after a quiet period.
#pragma once

#include <algorithm>
#include <chrono>

namespace viaduct::actors {

class Backoff {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::milliseconds;

  explicit Backoff(Duration first = Duration{100}, Duration most = Duration{10'000}, Duration quiet = Duration{60'000})
      : first_(first), most_(most), quiet_(quiet) {}

  // The pause before the restart for a death at `now`.
  Duration next(Time now) {
    if (deaths_ == 0 || now - last_ > quiet_) pause_ = first_;
    last_ = now;
    ++deaths_;
    Duration pause = pause_;
    pause_ = std::min(pause_ * 2, most_);
    return pause;
  }
  unsigned deaths() const { return deaths_; }

 private:
  Duration first_, most_, quiet_;
  Duration pause_{};
  Time last_{};
  unsigned deaths_ = 0;
};

}  // namespace viaduct::actors
