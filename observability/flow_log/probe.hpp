// What the flow log reports of itself; as the other probes: observability/probes.hpp. Shown only while there is a flow log.
#pragma once

#include <cstdint>
#include <memory>

#include "observability/metrics.hpp"

namespace viaduct::observability::flow_log {

// Why a record of a sampled flow is not there.
enum class Loss : uint8_t {
  ring_full,  // a packet worker's way to the writer
  rate,       // more than flow_log.max_rate
  file,       // the disk is full, or the file cannot be written
  collector,  // a message could not be sent
  untracked,  // of its end: more flows than are remembered
};

class Probe {
 public:
  explicit Probe(Registry& registry);

  void written(uint64_t records) { written_file_.add(records); }
  void sent(uint64_t records) { written_ipfix_.add(records); }
  void lost(Loss cause, uint64_t records = 1);
  void file_error() { file_errors_.add(); }
  void collector_errors(uint64_t count) { send_errors_.add(count); }

  // A packet worker's own counts.
  class Worker {
   public:
    explicit Worker(Registry& registry);
    void sampled_out() { sampled_out_->add(0); }
    void ring_full() { lost_->add(Loss::ring_full); }

   private:
    std::shared_ptr<PacketCell> sampled_out_, lost_;
  };

 private:
  Counter& written_file_;
  Counter& written_ipfix_;
  Counter& file_errors_;
  Counter& send_errors_;
  std::shared_ptr<PacketCell> lost_;  // of the writer's thread
};

}  // namespace viaduct::observability::flow_log
