// The flow controller's logic without the actor: index, kernel, tables and metrics kept in step.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <set>

#include "actors/agent/drop_history.hpp"
#include "actors/agent/worker_pool.hpp"
#include "flows/match/flow_id_map.hpp"
#include "flows/table/flow_index.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct FlowControllerOptions {
  size_t max_flows = 100'000;
  std::chrono::milliseconds statistics_interval{1'000};
  std::chrono::seconds idle_timeout{10};
};

struct FlowControllerLinks {
  AgentState& state;
  flows::Datapath& datapath;
  WorkerPool& workers;
  observability::FlowControllerProbe& probe;
};

class FlowKeeper {
 public:
  using Clock = std::function<flows::Time()>;
  FlowKeeper(const FlowControllerLinks& links, const FlowControllerOptions& options, Clock clock);

  // New flows from the workers' rings, and facts that changed (AgentState::flow_news).
  void take_news();
  // Returns how many flows went.
  size_t invalidate(const flows::simulation::Invalidation& what);
  // Reads the kernel's counters, refreshes what live flows use, and removes what is idle.
  void statistics();
  // Everything that the kernel holds is to be proven; call prove_some() until it says that nothing is left.
  void adopt();
  bool prove_some();

  FlowListReply list(const ListFlows& request);
  // What was dropped, with the newest notes of the workers.
  DropReport drops(PortId port);
  FlowReport report() const { return {index_.size(), adopted_}; }

 private:
  using Index = flows::FlowIndex<FlowNotes>;
  struct DropFlow {
    flows::DropReason reason = flows::DropReason::none;
    flows::simulation::DropSite site;
    uint64_t packets = 0;  // counted already
  };
  // A flow that is to leave the kernel. What its packets have said since the last look is for its connections.
  struct Leaving {
    FlowTouches touches;
    uint64_t packets = 0;  // known already
  };
  // Likewise, of one that the flow log tells of.
  using EndReason = observability::flow_log::EndReason;
  struct Ending {
    uint64_t serial = 0, packets = 0, bytes = 0;
    flows::Time last_used = {};
    EndReason reason = EndReason::changed;
  };
  struct Unproven {
    flows::Flow flow;
    uint64_t packets = 0;  // before this life
    flows::Time give_up;   // a missing neighbour is waited for until then
  };

  void take_installed();
  // What has to go for it is added to doomed_. `packets` are those that it has carried before.
  void add(InstalledFlow record, flows::Time now, uint64_t packets = 0);
  void remove_doomed();
  void remove(std::span<const flows::FlowId> ids);
  void take_drops();
  void note_drop(const InstalledFlow& record, uint64_t packets);
  void count_drops(const flows::FlowId& id, uint64_t packets, flows::Time now);
  // What a pass over the flows finds of connections.
  struct Seen {
    std::vector<flows::Tag> ending;  // has said FIN or RST
    std::vector<flows::ConnectionKey> changed;
  };
  void note_leaving(const flows::FlowId& id, const FlowTouches& touches, uint64_t packets);
  // For the flow log (keeper_flow_log.cpp).
  void note_ending(const Index::View& flow);
  void hear_ending(const flows::FlowId& id, const flows::FlowStats& last, flows::Time began);
  void log_end(const flows::FlowId& id);
  void log_renewed(InstalledFlow& record, flows::Time now);
  void log_stillborn(const InstalledFlow& record, flows::Time now, uint64_t packets);
  // What `take_out` takes out of the index ends for this reason.
  template <class TakeOut>
  std::vector<flows::FlowId> leaving(EndReason reason, TakeOut&& take_out) {
    end_reason_ = reason;
    auto ids = take_out();
    end_reason_ = EndReason::changed;
    return ids;
  }
  void hear_last(const flows::FlowId& id, const flows::FlowStats& last, flows::Time began, Seen& seen);
  void touch(const FlowTouches& touches, uint8_t tcp_flags, flows::Time now, Seen& seen);
  void touch(const flows::simulation::ConnectionUse& use, uint8_t tcp_flags, flows::Time now, Seen& seen);
  void adopt_unknown(const std::set<flows::FlowId>& unknown, flows::Time now);

  const FlowControllerLinks links_;
  const FlowControllerOptions options_;
  const Clock clock_;
  Index index_;
  std::vector<flows::FlowId> doomed_;  // out of the index, still in the kernel
  flows::FlowIdMap<DropFlow> drops_;   // flows that take packets for a reason
  DropHistory history_;
  uint64_t evictions_told_ = 0;
  flows::FlowIdMap<Leaving> leaving_;          // out of the index, with connections
  flows::FlowIdMap<Ending> ending_;            // out of the index, in the flow log
  EndReason end_reason_ = EndReason::changed;  // of flows that leave the index now
  std::deque<Unproven> unproven_;
  std::set<flows::FlowId> unknown_before_;  // in the kernel, not in the index, at the last dump
  uint64_t adopted_ = 0;
};

}  // namespace viaduct::actors
