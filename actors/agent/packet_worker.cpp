#include "actors/agent/packet_worker.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "routing/underlay/tunnel_keys.hpp"

namespace viaduct::actors {

using flows::DropReason;
using flows::LearnResult;
using flows::Time;
using flows::simulation::Outcome;

namespace {
constexpr std::chrono::milliseconds kIdlePoll{100};
constexpr std::chrono::milliseconds kParkTime{3'500};  // the resolver gives up after 3 s, and tells

// Which of the address's ports a rule wants is for the leasing actor; packets wait for any.
flows::simulation::NatBlockWanted parked_for(const Uuid& device, const IpAddress& address) {
  return {device, address, 0, 0};
}

flows::TagList tags_of_others(const flows::simulation::Verdict& verdict) {
  flows::TagList own, out;
  for (const auto& open : verdict.opens) own.push_back(flows::tag_of(open.key));
  for (const auto& tag : verdict.tags) {
    if (std::find(own.begin(), own.end(), tag) == own.end()) out.push_back(tag);
  }
  return out;
}

flows::simulation::DropSite site_of(const flows::simulation::EmittedPacket& emit) {
  flows::simulation::DropSite site;
  site.out = emit.from;
  site.kind = flows::simulation::DeviceKind::router;
  site.device = emit.device;
  return site;
}

// There is no room for what the packet would open: it goes nowhere, and the next one may.
void refuse_connection(flows::simulation::Verdict& verdict) {
  verdict.outcome = Outcome::drop;
  verdict.drop_reason = DropReason::connections_full;
  verdict.cacheable = false;
  verdict.actions.clear();
  verdict.emits.clear();
  verdict.opens.clear();
  verdict.touches.clear();
}
}  // namespace

PacketWorker::PacketWorker(AgentState& state, flows::Capabilities capabilities,
                           std::unique_ptr<flows::PacketChannel> channel, NeighbourLearned neighbour_learned,
                           observability::WorkerProbe& probe, unsigned index)
    : index_(index),
      state_(state),
      capabilities_(capabilities),
      channel_(std::move(channel)),
      neighbour_learned_(std::move(neighbour_learned)),
      probe_(probe),
      network_(state.network),
      tap_(state.flow_log ? std::make_unique<FlowLogTap>(*state.flow_log, index) : nullptr),
      upcalls_(kBatch) {
  inbox_.on_post([this] { channel_->wake(); });
}

void PacketWorker::run(std::stop_token stop) {
  pthread_setname_np(pthread_self(), "packet_worker");
  std::stop_callback wake_up(stop, [this] { channel_->wake(); });
  while (!stop.stop_requested()) round(kIdlePoll);
}

void PacketWorker::round(std::chrono::milliseconds timeout) {
  size_t count = channel_->poll(upcalls_, timeout);
  Time now = std::chrono::steady_clock::now();
  serve_inbox(now);
  for (size_t i = 0; i < count; ++i) {
    flows::Upcall& upcall = upcalls_[i];
    probe_.upcall_received(upcall.reason);
    if (upcall.tunnel.key == routing::underlay::kProbeKey) {
      state_.probes.post(upcall.tunnel, upcall.frame);
      continue;
    }
    if (upcall.tunnel.key == flows::health::kAnswerKey) {
      hear_check(upcall);
      continue;
    }
    if (upcall.tunnel.key == flows::kStateKey) {
      state_.state_frames.post(upcall.tunnel, upcall.frame);
      continue;
    }
    Job job{flows::parse(upcall.frame, upcall.in_port, upcall.offload), PortId{}, upcall.received};
    job.packet.key.tunnel = upcall.tunnel;
    process(job, now);
  }
  give_up(parking_.expire(now), now);
  for (size_t i = 0; i < emitted_jobs_.size(); ++i) {  // grows while it is walked
    Job job = emitted_jobs_[i];
    process(job, now);
  }
  emitted_jobs_.clear();
  flush(now);
}

void PacketWorker::serve_inbox(Time now) {
  for (const WorkerRequest& request : inbox_.take()) serve(request, now);
}

void PacketWorker::serve(const WorkerRequest& request, Time now) {
  if (const auto* emit = std::get_if<EmitPacket>(&request)) {
    frames_.push_back(emit->frame);
    probe_.emitted();
    emitted_jobs_.push_back({flows::parse(frames_.back(), {}), emit->from, now, 1});
  } else if (const auto* between = std::get_if<SendFrame>(&request)) {
    frames_.push_back(between->frame);
    flows::ActionList actions;
    actions.push_back(between->to);
    outgoing_.push_back({frames_.back(), {}, {}, actions});
  } else if (const auto* ready = std::get_if<NeighbourReady>(&request)) {
    retry(parking_.take(ready->neighbour), now, false);
  } else if (const auto* ports = std::get_if<NatPortsReady>(&request)) {
    retry(parking_.take(parked_for(ports->device, ports->address)), now, false);
  } else if (const auto* shared = std::get_if<StateReady>(&request)) {
    forget_ticket(shared->ticket);
    retry(parking_.take(flows::simulation::StateShared{shared->ticket}), now, false);
  } else {
    retry(parking_.take(std::get<NeighbourFailed>(request).neighbour), now, true);
  }
}

// They have waited for too long: for other hosts, and then they wait no more; or for a fact that will not come.
void PacketWorker::give_up(std::vector<ParkedPacket> packets, Time now) {
  for (ParkedPacket& parked : packets) {
    const bool shared = parked.ticket != 0;
    if (shared) forget_ticket(parked.ticket);
    std::vector<ParkedPacket> one;
    one.push_back(std::move(parked));
    retry(std::move(one), now, !shared);
  }
}

void PacketWorker::retry(std::vector<ParkedPacket> packets, Time now, bool give_up) {
  for (ParkedPacket& parked : packets) {
    probe_.unparked(parked.cause, now - parked.since);
    frames_.push_back(std::move(parked.frame));
    Job job{flows::parse(frames_.back(), parked.in_port, parked.offload), parked.emitted_from, parked.received};
    job.packet.key.tunnel = parked.tunnel;
    job.depth = parked.emitted_from.is_nil() ? 0 : 1;
    job.give_up = give_up;
    process(job, now);
  }
}

void PacketWorker::process(Job& job, Time now) {
  bool stable = false;
  const auto begin = probe_.simulating();
  uint64_t epoch = decide(job, now, stable);
  probe_.simulated(begin);
  probe_.verdict(verdict_.outcome);
  act(job, now, epoch, stable);
}

// Simulates until the facts held still. Returns the epoch before the last simulation.
uint64_t PacketWorker::decide(const Job& job, Time now, bool& stable) {
  uint64_t epoch = 0;
  Opened opened = Opened::all;
  opened_.clear();
  const flows::StateView view = state_.view();
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    epoch = state_.epochs.now();
    flows::simulation::Input input{network_.get(), view, job.packet, now, job.give_up};
    if (job.emitted_from.is_nil()) {
      flows::simulation::simulate(input, verdict_);
    } else {
      flows::simulation::simulate_emitted(input, job.emitted_from, verdict_);
    }
    apply_writes(now);
    opened = apply_connections(now);
    if (opened == Opened::again) continue;
    if (opened == Opened::refused) refuse_connection(verdict_);
    use_connections(now);
    if (opened == Opened::all && !verdict_.opens.empty()) {
      // What it opened itself has changed meanwhile, of course.
      const uint64_t after = state_.epochs.now();
      stable = state_.epochs.unchanged_since(tags_of_others(verdict_).view(), epoch);
      if (stable) return after;
    } else {
      stable = state_.epochs.unchanged_since(verdict_.tags.view(), epoch);
    }
    if (stable || !verdict_.cacheable) return epoch;
  }
  if (opened == Opened::again) refuse_connection(verdict_);  // other workers were faster each time
  return epoch;
}

void PacketWorker::apply_writes(Time now) {
  for (const auto& write : verdict_.writes) {
    std::visit([&](const auto& what) { learn(what, now); }, write);
  }
}

void PacketWorker::learn(const flows::simulation::LearnMac& write, Time now) {
  PortId previous;
  LearnResult result = state_.macs.learn(write.key, write.port, now, &previous);
  if (result == LearnResult::unchanged) return;
  if (result == LearnResult::refused) return probe_.learning_refused();
  state_.changed(flows::simulation::invalidated_by(write, result, previous));
  state_.state_news.changed(write.key);
  events_.macs.push_back(write);
}

void PacketWorker::learn(const flows::simulation::LearnNeighbour& write, Time now) {
  LearnResult result = state_.neighbours.learn(write.key, write.mac, now);
  if (result == LearnResult::refused) return probe_.learning_refused();
  // Unchanged answers count too: they confirm, and the router's actor stops asking.
  events_.neighbours.push_back(write);
  state_.state_news.changed(write.key);
  if (result == LearnResult::unchanged) return;
  state_.changed(flows::simulation::invalidated_by(write, result, PortId{}));
  if (!write.key.port.is_nil()) {
    neighbour_learned_({RouterId(write.key.device), write.key.port, write.key.address});
  }
}

void PacketWorker::act(const Job& job, Time now, uint64_t epoch, bool stable) {
  if (share(job, now)) return;
  queue_emits(job, now);
  if (verdict_.check_answer) tell_checkers();
  for (const auto& neighbour : verdict_.refresh) events_.refresh.push_back(neighbour);
  for (const auto& block : verdict_.scarce) state_.nat_news.wanted({block, false});
  if (verdict_.outcome == Outcome::park) return park(job, now);
  if (verdict_.outcome == Outcome::drop) {
    const bool refused = verdict_.drop_reason == DropReason::connections_full;  // by the worker, after all devices
    refused ? drop(job, verdict_.drop_reason, now) : drop(job, verdict_.drop_reason, verdict_.drop_site, now);
  }
  bool queued = false;
  if (verdict_.cacheable && job.emitted_from.is_nil()) {
    if (stable) {
      queued = queue_install(job, epoch);
    } else {
      probe_.stale_verdict();
    }
  }
  if (tap_) log_decision(job, queued, now);
  if (verdict_.outcome == Outcome::forward) {
    std::span<uint8_t> frame = job.packet.bytes;
    if (!verdict_.frame.empty()) frame = frames_.emplace_back(std::move(verdict_.frame));
    outgoing_.push_back({frame, job.packet.offload, job.packet.key.in_port, verdict_.actions});
  }
}

ParkedPacket PacketWorker::parked_packet(const Job& job, ParkCause cause, Time now) {
  ParkedPacket parked;
  parked.frame.assign(job.packet.bytes.begin(), job.packet.bytes.end());
  parked.offload = job.packet.offload;
  parked.in_port = job.packet.key.in_port;
  parked.tunnel = job.packet.key.tunnel;
  parked.emitted_from = job.emitted_from;
  parked.received = job.received;
  parked.since = now;
  parked.cause = cause;
  return parked;
}

void PacketWorker::wait(const Job& job, const flows::simulation::Wanted& wanted, ParkedPacket packet, Time deadline,
                        Time now) {
  const ParkCause cause = packet.cause;
  if (const auto refused = parking_.park(wanted, std::move(packet), deadline)) {
    probe_.park_refused(*refused);
    log_drop(job, DropReason::park_overflow, now);
    return drop(job, DropReason::park_overflow, now);
  }
  probe_.parked(cause);
}

void PacketWorker::park(const Job& job, Time now) {
  const auto* block = std::get_if<flows::simulation::NatBlockWanted>(&verdict_.wanted);
  const flows::simulation::Wanted place =
      block == nullptr ? verdict_.wanted : parked_for(block->device, block->address);
  const ParkCause cause = block == nullptr ? ParkCause::neighbour : ParkCause::nat_ports;
  wait(job, place, parked_packet(job, cause, now), now + kParkTime, now);
  if (block != nullptr) return state_.nat_news.wanted({*block, true});
  events_.wanted.push_back(std::get<flows::simulation::NeighbourWanted>(verdict_.wanted));
}

// The controller evicts for this port already, and has not caught up.
bool PacketWorker::crowded(flows::PortNumber port) const {
  return port.value == state_.crowded_port.load(std::memory_order_relaxed) && installed_.size() >= kEvictionBacklog;
}

// False: there is to be no flow for now.
bool PacketWorker::queue_install(const Job& job, uint64_t epoch) {
  if (crowded(job.packet.key.in_port)) {
    probe_.install_deferred();
    return false;
  }
  InstalledFlow record;
  const flows::FieldSet mask = tap_ ? tap_->mask_of(job.packet, verdict_) : verdict_.mask;
  flows::Flow flow = flows::Flow::make(job.packet.key, mask, verdict_.actions);
  record.id = flow.id;
  record.in_port = job.packet.key.in_port;
  record.epoch = epoch;
  record.tags = verdict_.tags;
  for (const auto& routed : verdict_.routed) record.routed.push_back({routed.router, routed.destination});
  record.attachment.touches = verdict_.touches;
  if (verdict_.outcome == Outcome::drop) {
    record.attachment.drop = verdict_.drop_reason;
    record.drop_site = verdict_.drop_site;
  }
  installs_.push_back({std::move(flow), job.packet.key});
  records_.push_back(std::move(record));
  received_.push_back(job.received);
  return true;
}

void PacketWorker::queue_emits(const Job& job, Time now) {
  for (auto& emit : verdict_.emits) {
    if (job.depth >= kMaxEmissionDepth || emitted_jobs_.size() >= kMaxEmitsARound) {
      drop(job, DropReason::emit_overflow, site_of(emit), now);
    } else if (emit.limit == EmitPacket::Limit::icmp_error && !state_.icmp_limiter.allow(emit.device, now)) {
      drop(job, DropReason::icmp_rate_limited, site_of(emit), now);
    } else {
      probe_.emitted();
      frames_.push_back(std::move(emit.frame));
      emitted_jobs_.push_back({flows::parse(frames_.back(), {}), emit.from, now, job.depth + 1});
    }
  }
  verdict_.emits.clear();
}

void PacketWorker::drop(const Job& job, DropReason reason, Time now) { drop(job, reason, arrival_site(job), now); }

void PacketWorker::drop(const Job& job, DropReason reason, flows::simulation::DropSite site, Time now) {
  drop({reason, site, job.packet.key, static_cast<uint32_t>(job.packet.bytes.size()), 1, now});
}

void PacketWorker::drop(const DropNote& note) {
  probe_.dropped(note.reason);
  if (tally_.add(note)) return;
  probe_.drop_unrecorded(tally_.flush(drops_, note.last));
  tally_.add(note);
}

void PacketWorker::flush(Time now) {
  install_batch();
  execute_batch(now);
  if (tally_.due(now)) probe_.drop_unrecorded(tally_.flush(drops_, now));
  frames_.clear();
  tell();
}

void PacketWorker::install_batch() {
  if (installs_.empty()) return;
  results_.resize(installs_.size());
  channel_->install(installs_, results_);
  if (tap_) log_installed();
  Time now = std::chrono::steady_clock::now();
  bool told = false;
  for (size_t i = 0; i < results_.size(); ++i) {
    probe_.flow_installed(results_[i]);
    bool ours = results_[i] == flows::InstallResult::installed || results_[i] == flows::InstallResult::replaced;
    if (!ours) continue;
    probe_.upcall_to_flow(now - received_[i]);
    if (!installed_.try_push(std::move(records_[i]))) probe_.record_lost();
    told = true;
  }
  installs_.clear();
  records_.clear();
  received_.clear();
  if (told) state_.flow_news.installed();
}

void PacketWorker::execute_batch(Time now) {
  if (outgoing_.empty()) return;
  packets_out_.clear();
  for (const Outgoing& out : outgoing_) {
    packets_out_.push_back({out.frame, out.offload, out.in_port, out.actions.view()});
  }
  if (const size_t refused = channel_->execute(packets_out_); refused > 0) refused_by_datapath(refused, now);
  outgoing_.clear();
}

// Which ones of the batch is not told: the last one's port stands for them.
void PacketWorker::refused_by_datapath(size_t packets, Time now) {
  DropNote note{DropReason::datapath_error, {}, {}, 0, 1, now};
  if (const auto* port = network_.get().at(outgoing_.back().in_port)) note.site.entered = port->id;
  note.example.in_port = outgoing_.back().in_port;
  for (; packets > 0; --packets) drop(note);
}

void PacketWorker::tell() {
  state_.connection_news.changed(changed_connections_);
  changed_connections_.clear();
  tell_replicator();
  if (count(events_) == 0) return;
  state_.device_news.add(std::exchange(events_, {}));
}

}  // namespace viaduct::actors
