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
    while (links_.workers.installed(worker).try_pop(record)) add(std::move(record), now);
  }
  remove_doomed();
  const bool full = index_.size() >= index_.max_flows();
  links_.state.crowded_port.store(full ? index_.fullest_port().value : 0, std::memory_order_relaxed);
}

void FlowKeeper::add(InstalledFlow record, Time now) {
  // The facts may have changed between the worker's check and now: then the flow is already wrong.
  if (!links_.state.epochs.unchanged_since(record.tags.view(), record.epoch)) {
    index_.remove(record.id);
    doomed_.push_back(record.id);
    links_.probe.invalidated();
  } else if (auto evicted = index_.add(std::move(record), now); !evicted.empty()) {
    doomed_.insert(doomed_.end(), evicted.begin(), evicted.end());
    links_.probe.evicted("table_full", evicted.size());
  }
  if (doomed_.size() >= kRemovalsAtOnce) remove_doomed();
}

void FlowKeeper::remove_doomed() {
  remove(doomed_);
  doomed_.clear();
}

void FlowKeeper::remove(std::span<const FlowId> ids) {
  if (!ids.empty()) links_.datapath.remove_flows(ids, {});
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
    auto use = index_.update(id, stats.packets, stats.bytes, now);
    if (use.attachment == nullptr) {
      unknown.insert(id);
    } else if (use.used()) {
      touch(*use.attachment, now);
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
    if (lost.contains(flow.id)) unproven_.push_back({flow, now + kNeighbourPatience});
  });
}

void FlowKeeper::adopt() {
  Time now = clock_();
  links_.datapath.dump_flows([&](const flows::Flow& flow, const flows::FlowStats&) {
    if (!index_.find(flow.id)) unproven_.push_back({flow, now + kNeighbourPatience});
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
      add(std::move(proof.record), now);
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
