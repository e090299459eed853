#include "routing/underlay/liveness_table.hpp"

namespace viaduct::routing::underlay {

LivenessTable::LivenessTable(HostId self, RandomSource random, const LivenessOptions& options)
    : self_(self), random_(std::move(random)), options_(limited(options)) {}

void LivenessTable::set_peers(const std::map<HostId, std::set<IpAddress>>& sources, Time now) {
  for (auto at = peers_.begin(); at != peers_.end();) {
    if (sources.contains(at->first)) {
      ++at;
      continue;
    }
    due_.erase({at->second.due, at->first});
    at = peers_.erase(at);
  }
  for (const auto& [host, addresses] : sources) {
    if (host == self_) continue;
    auto at = peers_.find(host);
    if (at == peers_.end()) {
      at = peers_.emplace(host, Peer{{self_, host, random_, options_, now}, {}, {}}).first;
      schedule(host, at->second);
    }
    at->second.sources = addresses;
  }
}

void LivenessTable::configure(const LivenessOptions& options, Time now) {
  options_ = limited(options);
  for (auto& [host, peer] : peers_) {
    peer.fsm.configure(options_, now);
    schedule(host, peer);
  }
}

// What is due has been so for long: nobody was there to do it, nor to hear what came. Each time counts once.
void LivenessTable::notice_lateness(Time now) {
  if (due_.empty() || now - std::max(due_.begin()->first, noticed_) < options_.interval / 2) return;
  noticed_ = now;
  ++late_;
  for (auto& [host, peer] : peers_) {
    peer.fsm.excuse(now);
    schedule(host, peer);
  }
}

ProbeFate LivenessTable::receive(const Probe& probe, const IpAddress& from, Time now, LivenessActions& out) {
  notice_lateness(now);
  const ProbeFate fate = judge(probe, from, now, out);
  ++fates_[static_cast<size_t>(fate)];
  return fate;
}

ProbeFate LivenessTable::judge(const Probe& probe, const IpAddress& from, Time now, LivenessActions& out) {
  if (probe.receiver != self_) return ProbeFate::not_for_us;
  const auto found = peers_.find(probe.sender);
  if (found == peers_.end()) return ProbeFate::unknown_peer;
  if (!found->second.sources.contains(from)) return ProbeFate::foreign_address;
  const ProbeFate fate = found->second.fsm.receive(probe, now, out);
  schedule(found->first, found->second);
  return fate;
}

void LivenessTable::tick(Time now, LivenessActions& out) {
  notice_lateness(now);
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto found = peers_.find(due_.begin()->second);
    found->second.fsm.tick(now, out);
    schedule(found->first, found->second);
  }
}

void LivenessTable::leave(Time now, LivenessActions& out) {
  for (auto& [host, peer] : peers_) {
    peer.fsm.set_admin(LivenessFsm::Admin::disabled, now, out);
    schedule(host, peer);
  }
}

std::optional<Time> LivenessTable::next_deadline() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->first);
}

LivenessState LivenessTable::state(HostId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? LivenessState::down : found->second.fsm.state();
}

void LivenessTable::for_each(const std::function<void(HostId, const LivenessStats&)>& visit) const {
  for (const auto& [host, peer] : peers_) visit(host, peer.fsm.stats());
}

void LivenessTable::schedule(HostId host, Peer& peer) {
  due_.erase({peer.due, host});
  peer.due = peer.fsm.next_deadline();
  due_.emplace(peer.due, host);
}

}  // namespace viaduct::routing::underlay
