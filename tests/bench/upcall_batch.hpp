// What benchmarks of a packet worker count by: a full batch of upcalls, in CPU time of this thread.
#pragma once

#include <time.h>

#include "actors/agent/packet_worker.hpp"

namespace viaduct::bench {

constexpr int kUpcalls = static_cast<int>(actors::PacketWorker::kBatch);

inline double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace viaduct::bench
