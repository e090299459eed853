// The agent's side of the flow log: what workers and the flow controller share with its writer (observability/flow_log/writer.hpp).
//
// A worker has a tap: it decides which packets are told (sampling), makes their records of its verdicts, and puts them into a ring. The
// flow controller says when a flow ends that a record was made of: its serial goes with the flow (FlowNotes::log_serial).
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "actors/agent/spsc_ring.hpp"
#include "flows/match/field_set.hpp"
#include "flows/packet/packet.hpp"
#include "flows/simulation/network.hpp"
#include "flows/simulation/verdict.hpp"
#include "observability/flow_log/probe.hpp"
#include "observability/flow_log/record.hpp"

namespace viaduct::actors {

struct FlowLogSettings {
  uint32_t sample = 1;        // one in so many flows
  uint32_t sample_drops = 1;  // of those that are dropped
  // Flows that forward match addresses and ports, so that each connection is one of its own, and is told.
  bool per_connection = false;
};

// From the flow controller to the writer. Any thread. Bounded: what finds no room is counted.
class FlowLogEnds {
 public:
  explicit FlowLogEnds(size_t capacity) : capacity_(capacity) {}
  void add(const observability::flow_log::Ended& end);
  // All since the last time; `lost` grows by those that there was no room for.
  std::vector<observability::flow_log::Ended> take(uint64_t& lost);

 private:
  const size_t capacity_;
  std::mutex mutex_;
  std::vector<observability::flow_log::Ended> ends_;
  uint64_t lost_ = 0;
};

// In AgentState, from before the workers are made; null there: no flow log.
struct FlowLogInlet {
  FlowLogInlet(const FlowLogSettings& how, size_t most_ends, observability::Registry& counted)
      : settings(how), ends(most_ends), registry(counted) {}
  const FlowLogSettings settings;
  FlowLogEnds ends;
  observability::Registry& registry;
};

// One worker's. Of its thread, but for the ring's other end.
class FlowLogTap {
 public:
  using Record = observability::flow_log::Record;
  using Ring = SpscRing<Record>;
  static constexpr unsigned kWorkerBits = 6;  // of a serial

  FlowLogTap(const FlowLogInlet& inlet, unsigned worker);

  // What was decided of a packet, and where, when it is dropped for `drop` (none: as the verdict says, which forwards).
  struct Decision {
    const flows::Packet& packet;
    const flows::simulation::Verdict& verdict;
    const flows::simulation::Network& network;
    flows::DropReason drop = flows::DropReason::none;
    flows::simulation::DropSite site = {};
    flows::Time now;
  };
  // `out` is empty. False: not to be told. ARP and neighbour discovery are told when they are dropped. Allocates nothing.
  bool note(const Decision& decision, Record& out);
  // What a flow for the packet has to match.
  flows::FieldSet mask_of(const flows::Packet& packet, const flows::simulation::Verdict& verdict) const;
  // To the writer. The record's serial; 0: the ring is full.
  uint64_t push(Record& record);
  Ring& ring() { return ring_; }

 private:
  const FlowLogSettings settings_;
  const uint64_t worker_;
  uint64_t next_;  // serials ascend, also from one life to the next
  observability::flow_log::Probe::Worker probe_;
  Ring ring_;
};

// IPFIX's forwardingStatus, element 89: what a collector is told of a reason.
uint8_t forwarding_status(flows::DropReason reason);

}  // namespace viaduct::actors
