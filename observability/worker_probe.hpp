// What a packet worker reports; as the others: probes.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "observability/metrics.hpp"

namespace viaduct::observability {

// The names behind the indices that a WorkerProbe takes; see label_values().
struct WorkerLabels {
  std::vector<std::string> upcall_reasons;
  std::vector<std::string> verdict_outcomes;
  std::vector<std::string> drop_reasons;
  std::vector<std::string> install_results;
  std::vector<std::string> park_causes;
  std::vector<std::string> park_refusals;
};

// One packet worker (a thread). Its counts stay when it dies; the next worker goes on with its cells.
class WorkerProbe {
 public:
  WorkerProbe(Registry& registry, const WorkerLabels& labels);

  void upcall_received(LabelIndex reason, uint64_t count = 1) { upcalls_->add(reason, count); }
  void verdict(LabelIndex outcome) { verdicts_->add(outcome); }
  void dropped(LabelIndex reason, uint64_t packets = 1) { drops_->add(reason, packets); }
  void flow_installed(LabelIndex result) { installs_->add(result); }
  // From the kernel's miss arriving here to the flow being in the datapath.
  void upcall_to_flow(std::chrono::nanoseconds duration) { upcall_to_flow_->observe(duration); }
  // Of one decision in kSampled how long it takes: to look at the clock twice costs more than all other counting.
  static constexpr unsigned kSampled = 64;
  using Time = std::chrono::steady_clock::time_point;
  Time simulating() { return decisions_++ % kSampled == 0 ? std::chrono::steady_clock::now() : Time(); }
  void simulated(Time begin) {
    if (begin != Time()) simulation_->observe(std::chrono::steady_clock::now() - begin);
  }
  void parked(LabelIndex cause) { parked_->add(cause); }            // waits for a missing fact
  void park_refused(LabelIndex why) { park_refusals_->add(why); }   // there was no room to wait in
  void unparked(LabelIndex cause, std::chrono::nanoseconds waited)  // it waits no more, with the fact or without
  {
    parked_for_[cause.value]->observe(waited);
  }
  void emitted(uint64_t packets = 1) { emitted_->add(0, packets); }  // made by the simulation: ARP, ICMP, ND
  void connections_opened(uint64_t entries) { connections_->add(0, entries); }
  void learning_refused() { anomalies_->add(0); }  // a table or a device's share of it is full
  void stale_verdict() { anomalies_->add(1); }     // the facts kept changing: executed, no flow
  void record_lost() { anomalies_->add(2); }       // the ring to the flow controller was full; found by its dump
  void install_deferred() { anomalies_->add(3); }  // the port has the most flows of a full table, eviction is behind
  void drop_unrecorded(uint64_t packets) {         // counted, but not in the history: its ring was full
    if (packets > 0) anomalies_->add(4, packets);
  }

  uint64_t upcalls() const;  // of this worker alone; any thread

 private:
  std::shared_ptr<PacketCell> upcalls_, verdicts_, drops_, installs_, parked_, park_refusals_, emitted_, connections_,
      anomalies_;
  std::shared_ptr<HistogramCell> upcall_to_flow_, simulation_;
  std::vector<std::shared_ptr<HistogramCell>> parked_for_;  // by cause
  size_t upcall_reasons_;
  unsigned decisions_ = 0;
};

// A worker's numbers that cost it nothing: read by whoever scrapes.
struct WorkerNumbers {
  uint64_t upcalls = 0;
  double cpu_seconds = 0;
  size_t inbox = 0;  // requests of actors that wait
  size_t ring = 0;   // flows that the flow controller has not taken yet
};
[[nodiscard]] ExportedCallback export_workers(Registry& registry, std::function<std::vector<WorkerNumbers>()> read);

}  // namespace viaduct::observability
