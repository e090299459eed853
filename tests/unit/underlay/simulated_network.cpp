#include "tests/unit/underlay/simulated_network.hpp"

#include <gtest/gtest.h>

namespace viaduct::routing::underlay {

void SimulatedNetwork::start(size_t n, const LivenessOptions& options) {
  RandomSource random = [engine = std::mt19937(static_cast<uint32_t>(chance_()))]() mutable { return engine(); };
  hosts_[n] = std::make_unique<LivenessTable>(host(n), std::move(random), options);
  for (auto& [one, entry] : hosts_) {
    std::map<HostId, std::set<IpAddress>> peers;
    for (auto& [other, ignored] : hosts_) {
      if (other != one) peers[host(other)] = {address(other)};
    }
    entry->set_peers(peers, now_);
  }
}

LivenessStats SimulatedNetwork::stats(size_t at, size_t of) {
  LivenessStats out;
  table(at).for_each([&](HostId peer, const LivenessStats& stats) {
    if (peer == host(of)) out = stats;
  });
  return out;
}

void SimulatedNetwork::configure(size_t n, const LivenessOptions& options) { table(n).configure(options, now_); }

void SimulatedNetwork::leave(size_t n) {
  LivenessActions actions;
  table(n).leave(now_, actions);
  act(n, actions);
  stop(n);
}

bool SimulatedNetwork::run_to(Time end, const std::function<bool()>& condition) {
  while (true) {
    Time next = flying_.empty() ? end : std::min(end, flying_.begin()->first);
    for (auto& [n, entry] : hosts_) next = std::min(next, entry->next_deadline().value_or(end));
    now_ = std::max(now_, next);
    if (next >= end) return false;
    for (auto& [n, entry] : hosts_) {
      if (entry->next_deadline().value_or(end) > now_) continue;
      LivenessActions actions;
      entry->tick(now_, actions);
      act(n, actions);
    }
    while (!flying_.empty() && flying_.begin()->first <= now_) {
      const Frame frame = flying_.extract(flying_.begin()).mapped();
      deliver(frame);
    }
    if (condition && condition()) return true;
  }
}

void SimulatedNetwork::deliver(const Frame& frame) {
  const auto found = hosts_.find(frame.to);
  if (found == hosts_.end()) return;
  const auto decoded = decode_probe(frame.bytes);
  ASSERT_TRUE(std::holds_alternative<Probe>(decoded)) << to_string(std::get<ProbeError>(decoded));
  LivenessActions actions;
  found->second->receive(std::get<Probe>(decoded), address(frame.from), now_, actions);
  act(frame.to, actions);
}

void SimulatedNetwork::act(size_t n, const LivenessActions& actions) {
  for (const StateChange& change : actions.changes) changes.push_back({now_, n, change});
  for (const Probe& probe : actions.send) {
    const auto to = static_cast<size_t>(probe.receiver.uuid().low() - 1);
    send({n, to, encode(probe)});
  }
}

void SimulatedNetwork::send(const Frame& frame) {
  ++frames;
  const Faults& faults = faults_[{frame.from, frame.to}];
  if (drawn() < faults.loss) return;
  const auto arrives = now_ + between(faults.least_delay, faults.most_delay);
  flying_.emplace(arrives, frame);
  if (drawn() >= faults.duplicates) return;
  const auto later = faults.most_echo_delay.count() == 0 ? faults.most_delay : faults.most_echo_delay;
  flying_.emplace(arrives + between(faults.least_delay, later), frame);
}

std::chrono::microseconds SimulatedNetwork::between(std::chrono::microseconds least, std::chrono::microseconds most) {
  return std::chrono::microseconds(std::uniform_int_distribution<int64_t>(least.count(), most.count())(chance_));
}

}  // namespace viaduct::routing::underlay
