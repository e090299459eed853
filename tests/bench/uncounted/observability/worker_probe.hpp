// In place of the real one, for `uncounted_worker`: a probe whose verbs are nothing, so that a packet worker is measured that
// counts nothing and looks at no clock for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

struct WorkerLabels {
  std::vector<std::string> upcall_reasons, verdict_outcomes, drop_reasons, install_results, park_causes, park_refusals;
};

class WorkerProbe {
 public:
  using Time = std::chrono::steady_clock::time_point;
  WorkerProbe(Registry&, const WorkerLabels&) {}
  void upcall_received(LabelIndex, uint64_t = 1) {}
  void verdict(LabelIndex) {}
  void dropped(LabelIndex, uint64_t = 1) {}
  void flow_installed(LabelIndex) {}
  void upcall_to_flow(std::chrono::nanoseconds) {}
  Time simulating() { return {}; }
  void simulated(Time) {}
  void parked(LabelIndex) {}
  void park_refused(LabelIndex) {}
  void unparked(LabelIndex, std::chrono::nanoseconds) {}
  void emitted(uint64_t = 1) {}
  void connections_opened(uint64_t) {}
  void learning_refused() {}
  void stale_verdict() {}
  void record_lost() {}
  void install_deferred() {}
  void drop_unrecorded(uint64_t) {}
  uint64_t upcalls() const { return 0; }
};

struct WorkerNumbers {
  uint64_t upcalls = 0;
  double cpu_seconds = 0;
  size_t inbox = 0, ring = 0;
};
inline ExportedCallback export_workers(Registry&, const std::function<std::vector<WorkerNumbers>()>&) { return {}; }

}  // namespace viaduct::observability
