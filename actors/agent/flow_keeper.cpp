#include "actors/agent/flow_keeper.hpp"

#include "actors/agent/flow_prover.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using flows::FlowId;
using flows::Time;

namespace {
constexpr size_t kProofsASlice = 256;
constexpr size_t kRemovalsAtOnce = 128;
constexpr std::chrono::seconds kNeighbourPatience{5};
}  // namespace

FlowKeeper::FlowKeeper(const FlowControllerLinks& links, const FlowControllerOptions& options, Clock clock)
    : links_(links), options_(options), clock_(std::move(clock)), index_(options.max_flows) {}

void FlowKeeper::take_news() { invalidate(links_.state.flow_news.take()); }

void FlowKeeper::take_installed() {
  Time now = clock_();
  InstalledFlow record;
  for (size_t worker = 0; worker < links_.workers.size(); ++worker) {
    // What comes meanwhile is for the next time, or a flood would keep everything else waiting.
    auto& ring = links_.workers.installed(worker);
    for (size_t left = ring.size(); left > 0 && ring.try_pop(record); --left) add(std::move(record), now);
    if (ring.size() > 0) links_.state.flow_news.installed();
  }
  remove_doomed();
  const bool full = index_.size() >= index_.max_flows();
  links_.state.crowded_port.store(full ? index_.fullest_port().value : 0, std::memory_order_relaxed);
}

void FlowKeeper::note_drop(const FlowId& id, flows::DropReason reason, uint64_t packets) {
  if (reason == flows::DropReason::none) {
    drops_.erase(id);
  } else if (DropFlow* known = drops_.find(id)) {
    known->reason = reason;
  } else {
    drops_.insert(id, {reason, packets});
  }
}

// `packets` is the datapath's count, which begins anew when the flow does.
void FlowKeeper::count_drops(const FlowId& id, uint64_t packets) {
  DropFlow* flow = drops_.find(id);
  if (flow == nullptr || packets == flow->packets) return;
  links_.probe.dropped(flows::to_string(flow->reason), packets - (packets < flow->packets ? 0 : flow->packets));
  flow->packets = packets;
}

void FlowKeeper::add(InstalledFlow record, Time now, uint64_t packets) {
  note_drop(record.id, record.attachment.drop, packets);
  // The facts may have changed between the worker's check and now: then the flow is already wrong.
  if (!links_.state.epochs.unchanged_since(record.tags.view(), record.epoch)) {
    index_.remove(record.id);
    doomed_.push_back(record.id);
    links_.probe.invalidated();
  } else {
    std::erase(doomed_, record.id);  // it came back
    auto evicted = index_.add(std::move(record), now);
    doomed_.insert(doomed_.end(), evicted.begin(), evicted.end());
    if (!evicted.empty()) links_.probe.evicted("table_full", evicted.size());
  }
  if (doomed_.size() >= kRemovalsAtOnce) remove_doomed();
}

void FlowKeeper::remove_doomed() {
  remove(doomed_);
  doomed_.clear();
}

void FlowKeeper::remove(std::span<const FlowId> ids) {
  if (ids.empty()) return;
  if (drops_.size() == 0) {
    links_.datapath.remove_flows(ids, {});
    return;
  }
  links_.datapath.remove_flows(ids,
                               [&](const FlowId& id, const flows::FlowStats& last) { count_drops(id, last.packets); });
  for (const FlowId& id : ids) drops_.erase(id);
}

size_t FlowKeeper::invalidate(const flows::simulation::Invalidation& what) {
  take_installed();
  std::vector<FlowId> ids = index_.invalidate(what.tags);
  for (const auto& prefix : what.prefixes) {
    auto more = index_.invalidate(prefix.router, prefix.destination);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  remove(ids);
  links_.probe.invalidated(ids.size());
  links_.probe.flows(index_.size());
  return ids.size();
}

void FlowKeeper::touch(const FlowTouches& touches, Time now) {
  for (const auto& touch : touches) {
    if (const auto* mac = std::get_if<flows::MacKey>(&touch)) {
      links_.state.macs.touch(*mac, now);
    } else {
      links_.state.neighbours.touch(std::get<flows::NeighbourKey>(touch), now);
    }
  }
}

void FlowKeeper::statistics() {
  Time now = clock_();
  take_installed();
  std::set<FlowId> unknown;
  links_.datapath.dump_stats([&](const FlowId& id, const flows::FlowStats& stats) {
    count_drops(id, stats.packets);
    auto use = index_.update(id, stats.packets, stats.bytes, now);
    if (use.attachment == nullptr) {
      unknown.insert(id);
    } else if (use.used()) {
      touch(use.attachment->touches, now);
    }
  });
  auto idle = index_.expire(now, options_.idle_timeout);
  remove(idle);
  links_.probe.expired(idle.size());
  adopt_unknown(unknown, now);
  links_.probe.flows(index_.size());
}

// Twice in a row unknown, and not waiting for its proof: no record is on its way.
void FlowKeeper::adopt_unknown(const std::set<FlowId>& unknown, Time now) {
  std::set<FlowId> waiting;
  for (const auto& flow : unproven_) waiting.insert(flow.flow.id);
  std::set<FlowId> lost;
  for (const FlowId& id : unknown) {
    if (unknown_before_.contains(id) && !waiting.contains(id)) lost.insert(id);
  }
  unknown_before_ = unknown;
  if (lost.empty()) return;
  links_.datapath.dump_flows([&](const flows::Flow& flow, const flows::FlowStats&) {
    if (lost.contains(flow.id)) unproven_.push_back({flow, 0, now + kNeighbourPatience});  // of this life
  });
}

void FlowKeeper::adopt() {
  Time now = clock_();
  links_.datapath.dump_flows([&](const flows::Flow& flow, const flows::FlowStats& stats) {
    if (!index_.find(flow.id)) unproven_.push_back({flow, stats.packets, now + kNeighbourPatience});
  });
  if (!unproven_.empty()) {
    log::info(log::Component::flows, "proving flows of an earlier life", {{"flows", unproven_.size()}});
  }
}

bool FlowKeeper::prove_some() {
  Time now = clock_();
  auto network = links_.state.network.load();
  size_t wrong = 0;
  DeviceEvents events;
  for (size_t left = std::min(unproven_.size(), kProofsASlice); left > 0; --left) {
    Unproven next = std::move(unproven_.front());
    unproven_.pop_front();
    if (index_.find(next.flow.id)) continue;  // a worker made it again meanwhile
    Proof proof = prove(next.flow, links_.state, *network, now);
    if (proof.result == Proof::Result::same) {
      add(std::move(proof.record), now, next.packets);
      ++adopted_;
      links_.probe.adopted();
    } else if (proof.result == Proof::Result::unknown && now < next.give_up) {
      events.wanted.push_back(proof.wanted);
      unproven_.push_back(std::move(next));
    } else {
      doomed_.push_back(next.flow.id);
      ++wrong;
    }
  }
  remove_doomed();
  links_.probe.invalidated(wrong);
  if (!events.wanted.empty()) links_.state.device_news.add(std::move(events));
  links_.probe.flows(index_.size());
  return !unproven_.empty();
}

FlowListReply FlowKeeper::list(const ListFlows& request) {
  FlowListReply reply;
  links_.datapath.dump_flows([&](const flows::Flow& flow, const flows::FlowStats& stats) {
    if (request.port && flow.key.in_port != request.port) return;
    ++reply.total;
    if (reply.flows.size() >= request.limit) return;
    reply.flows.push_back({flow, stats, static_cast<uint32_t>(index_.tags_of(flow.id).size())});
  });
  return reply;
}

}  // namespace viaduct::actors
