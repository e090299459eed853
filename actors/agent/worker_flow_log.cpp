// What a worker has decided becomes records of the flow log; a flow's when the datapath has it.
#include "actors/agent/packet_worker.hpp"

namespace viaduct::actors {

using flows::DropReason;
using flows::Time;
using flows::simulation::DropSite;
using flows::simulation::Outcome;

DropSite PacketWorker::arrival_site(const Job& job) {
  DropSite site;
  const auto* port = network_.get().at(job.packet.key.in_port);
  site.entered = port == nullptr ? PortId{} : port->id;
  site.kind = flows::simulation::DeviceKind::port;
  site.device = port == nullptr ? job.emitted_from.uuid() : port->id.uuid();
  return site;
}

// `queued`: as the last of installs_. What devices make is told by what caused it.
void PacketWorker::log_decision(const Job& job, bool queued, Time now) {
  if (!job.emitted_from.is_nil()) return;
  if (verdict_.outcome != Outcome::forward && verdict_.outcome != Outcome::drop) return;
  const bool dropped = verdict_.outcome == Outcome::drop;
  const DropReason reason = dropped ? verdict_.drop_reason : DropReason::none;
  // Refused by the worker, after all devices.
  const DropSite site = reason == DropReason::connections_full ? arrival_site(job) : verdict_.drop_site;
  LogRecord& place = log_records_.emplace_back();  // it keeps its memory
  FlowLogTap::Record& record = place.record;
  if (!tap_->note({job.packet, verdict_, network_.get(), reason, site, now}, record)) return log_records_.pop_back();
  if (!queued) {
    record.alone = true;
    tap_->push(record);
    return log_records_.pop_back();
  }
  place.install = installs_.size() - 1;
  const flows::Flow& flow = installs_.back().flow;
  record.flow_high = flow.id.high;
  record.flow_low = flow.id.low;
  record.matched = flow.mask.bits();
}

void PacketWorker::log_drop(const Job& job, DropReason reason, Time now) {
  if (!tap_ || !job.emitted_from.is_nil()) return;
  FlowLogTap::Record record;
  if (!tap_->note({job.packet, verdict_, network_.get(), reason, arrival_site(job), now}, record)) return;
  record.alone = true;
  tap_->push(record);
}

// Before the flow controller hears of them: what it says of their end comes behind that.
void PacketWorker::log_installed() {
  for (auto& [at, record] : log_records_) {
    const bool ours = results_[at] == flows::InstallResult::installed || results_[at] == flows::InstallResult::replaced;
    record.alone = !ours;
    const uint64_t serial = tap_->push(record);
    if (ours) records_[at].attachment.log_serial = serial;
  }
  log_records_.clear();
}

}  // namespace viaduct::actors
