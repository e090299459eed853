// What the flow keeper tells the flow log: that a flow is no more, and what it has carried.
#include "actors/agent/flow_keeper.hpp"

namespace viaduct::actors {

using flows::FlowId;
using flows::Time;
using observability::flow_log::Ended;

void FlowKeeper::note_ending(const Index::View& flow) {
  if (flow.attachment.log_serial == 0 || !links_.state.flow_log) return;
  log_end(flow.id);  // an earlier one that is not out of the kernel yet
  ending_.insert(flow.id, {flow.attachment.log_serial, flow.packets, flow.bytes, flow.last_used, end_reason_});
}

void FlowKeeper::hear_ending(const FlowId& id, const flows::FlowStats& last, Time began) {
  Ending* flow = ending_.find(id);
  if (flow == nullptr) return;
  if (last.packets > flow->packets) flow->last_used = began - last.idle;
  flow->packets = last.packets;
  flow->bytes = last.bytes;
}

void FlowKeeper::log_end(const FlowId& id) {
  const Ending* flow = ending_.find(id);
  if (flow == nullptr) return;
  links_.state.flow_log->ends.add({flow->serial, flow->packets, flow->bytes, flow->last_used, flow->reason, 0});
  ending_.erase(id);
}

// The flow was there already: other packets of it came up (a datapath may hold a flow as several entries), or other actions replaced
// its own. It goes on under the name of its first record.
void FlowKeeper::log_renewed(InstalledFlow& record, Time now) {
  if (!links_.state.flow_log) return;
  log_end(record.id);  // it was on its way out, and came back
  const auto known = index_.find(record.id);
  if (!known || known->attachment.log_serial == 0) return;
  const uint64_t first = known->attachment.log_serial;
  if (record.attachment.log_serial != 0) {
    links_.state.flow_log->ends.add(
        {record.attachment.log_serial, 0, 0, now, observability::flow_log::EndReason::merged, first});
  }
  record.attachment.log_serial = first;
}

// It goes before it was in the index.
void FlowKeeper::log_stillborn(const InstalledFlow& record, Time now, uint64_t packets) {
  if (record.attachment.log_serial == 0 || !links_.state.flow_log) return;
  ending_.insert(record.id, {record.attachment.log_serial, packets, 0, now, EndReason::changed});
}

}  // namespace viaduct::actors
