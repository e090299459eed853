#include "actors/agent/flow_keeper.hpp"

#include <algorithm>

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
    : links_(links),
      options_(options),
      clock_(std::move(clock)),
      index_(options.max_flows, [this](const Index::View& flow) {
        note_leaving(flow.id, flow.attachment.touches, flow.packets);
        note_ending(flow);
      }) {}

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

void FlowKeeper::take_drops() {
  DropNote note;
  for (size_t worker = 0; worker < links_.workers.size(); ++worker) {
    auto& ring = links_.workers.drops(worker);
    for (size_t left = ring.size(); left > 0 && ring.try_pop(note); --left) history_.add(note);
  }
  links_.probe.drop_history(history_.size(), history_.evictions() - evictions_told_);
  evictions_told_ = history_.evictions();
}

DropReport FlowKeeper::drops(PortId port) {
  take_drops();
  return {history_.entries(port), history_.evictions()};
}

void FlowKeeper::note_drop(const InstalledFlow& record, uint64_t packets) {
  const flows::DropReason reason = record.attachment.drop;
  if (reason == flows::DropReason::none) {
    drops_.erase(record.id);
  } else if (DropFlow* known = drops_.find(record.id)) {
    known->reason = reason;
    known->site = record.drop_site;
  } else {
    drops_.insert(record.id, {reason, record.drop_site, packets});
  }
}

// `packets` is the datapath's count, which begins anew when the flow does.
void FlowKeeper::count_drops(const FlowId& id, uint64_t packets, Time now) {
  DropFlow* flow = drops_.find(id);
  if (flow == nullptr || packets == flow->packets) return;
  const uint64_t more = packets - (packets < flow->packets ? 0 : flow->packets);
  links_.probe.dropped(flows::to_string(flow->reason), more);
  history_.count(flow->reason, flow->site, more, now);
  flow->packets = packets;
}

void FlowKeeper::add(InstalledFlow record, Time now, uint64_t packets) {
  note_drop(record, packets);
  log_renewed(record, now);
  // The facts may have changed between the worker's check and now: then the flow is already wrong.
  if (!links_.state.epochs.unchanged_since(record.tags.view(), record.epoch)) {
    if (!index_.remove(record.id)) log_stillborn(record, now, packets);
    note_leaving(record.id, record.attachment.touches, packets);
    doomed_.push_back(record.id);
    links_.probe.invalidated();
  } else {
    std::erase(doomed_, record.id);  // it came back
    leaving_.erase(record.id);
    end_reason_ = EndReason::table_full;
    auto evicted = index_.add(std::move(record), now);
    end_reason_ = EndReason::changed;
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
  if (drops_.size() == 0 && leaving_.size() == 0 && ending_.size() == 0) {
    links_.datapath.remove_flows(ids, {});
    return;
  }
  const Time began = clock_();
  Seen seen;
  links_.datapath.remove_flows(ids, [&](const FlowId& id, const flows::FlowStats& last) {
    count_drops(id, last.packets, began - last.idle);
    hear_last(id, last, began, seen);
    hear_ending(id, last, began);
  });
  for (const FlowId& id : ids) {
    drops_.erase(id);
    leaving_.erase(id);
    log_end(id);
  }
  links_.state.connection_news.changed(seen.changed);
  auto renewed = leaving(EndReason::connection_ended, [&] { return index_.invalidate(seen.ending); });
  remove(renewed);  // has fewer each time
  links_.probe.renewed(renewed.size());
}

void FlowKeeper::note_leaving(const FlowId& id, const FlowTouches& touches, uint64_t packets) {
  const bool connections = std::any_of(touches.begin(), touches.end(), [](const auto& touch_of) {
    return std::holds_alternative<flows::simulation::ConnectionUse>(touch_of);
  });
  if (!connections) return;
  leaving_.erase(id);
  leaving_.insert(id, {touches, packets});
}

// A connection may live for a few milliseconds, and its only RST have gone by a flow that nobody looked at: unheard, the
// connection would stay for hours. A packet that came to a worker since may have begun another of the same ports: what it
// says counts.
void FlowKeeper::hear_last(const FlowId& id, const flows::FlowStats& last, Time began, Seen& seen) {
  const Leaving* flow = leaving_.find(id);
  if (flow == nullptr || last.packets <= flow->packets) return;
  for (const auto& touch_of : flow->touches) {
    const auto* use = std::get_if<flows::simulation::ConnectionUse>(&touch_of);
    if (use == nullptr) continue;
    const auto known = links_.state.connections.find(use->key);
    if (known && known->last_seen < began) touch(*use, last.tcp_flags, began - last.idle, seen);
  }
}

// What the workers have installed is taken in behind that: who opens a connection says so before its flow is on its way
// here, and that flow, which is newer than the change, stays. Older ones are found by their epochs.
size_t FlowKeeper::invalidate(const flows::simulation::Invalidation& what) {
  std::vector<FlowId> ids = index_.invalidate(what.tags);
  for (const auto& prefix : what.prefixes) {
    auto more = index_.invalidate(prefix.router, prefix.destination);
    ids.insert(ids.end(), more.begin(), more.end());
  }
  remove(ids);
  links_.probe.invalidated(ids.size());
  take_installed();
  links_.probe.flows(index_.size());
  return ids.size();
}

void FlowKeeper::touch(const FlowTouches& touches, uint8_t tcp_flags, Time now, Seen& seen) {
  for (const auto& touch_of : touches) {
    if (const auto* mac = std::get_if<flows::MacKey>(&touch_of)) {
      links_.state.macs.touch(*mac, now);
    } else if (const auto* neighbour = std::get_if<flows::NeighbourKey>(&touch_of)) {
      links_.state.neighbours.touch(*neighbour, now);
    } else {
      touch(std::get<flows::simulation::ConnectionUse>(touch_of), tcp_flags, now, seen);
    }
  }
}

// A datapath or-s the flags of all packets of a flow. So that FIN or RST can be told from a SYN that comes later, the flows
// of a connection that has said one are removed, and made anew by its next packets: a SYN in their flags is a new
// connection of the same ports, whether it came up or not.
void FlowKeeper::touch(const flows::simulation::ConnectionUse& use, uint8_t tcp_flags, Time now, Seen& seen) {
  auto& connections = links_.state.connections;
  const bool ends = flows::says_end(tcp_flags);
  const bool begins = (tcp_flags & flows::seen::kSyn) != 0 && !ends;
  bool changed = begins && connections.touch(use.key, use.direction, flows::seen::kSyn, now);
  changed |= connections.touch(use.key, use.direction, tcp_flags, now);
  if (changed) seen.changed.push_back(use.key);
  if (ends) seen.ending.push_back(flows::tag_of(use.key));
}

void FlowKeeper::statistics() {
  Time now = clock_();
  take_news();
  take_drops();
  std::set<FlowId> unknown;
  Seen seen;
  links_.datapath.dump_stats([&](const FlowId& id, const flows::FlowStats& stats) {
    count_drops(id, stats.packets, now - stats.idle);
    auto use = index_.update(id, stats.packets, stats.bytes, now);
    if (use.attachment == nullptr) {
      unknown.insert(id);
    } else if (use.used()) {
      touch(use.attachment->touches, stats.tcp_flags, now, seen);
    }
  });
  auto renewed = leaving(EndReason::connection_ended, [&] { return index_.invalidate(seen.ending); });
  remove(renewed);
  links_.probe.renewed(renewed.size());
  links_.state.connection_news.changed(seen.changed);
  auto idle = leaving(EndReason::idle, [&] { return index_.expire(now, options_.idle_timeout); });
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
