// Hosts that probe each other over a network in memory, with time and chance of its own: every run with the same seed is the
// same run.
//
// Each pair of hosts is connected in both directions; a direction loses, delays, reorders and duplicates as its Faults say.
// Probes travel as the bytes that they would be in a tunnel.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "routing/underlay/liveness_table.hpp"

namespace viaduct::routing::underlay {

struct Faults {
  double loss = 0, duplicates = 0;  // parts of 1
  std::chrono::microseconds least_delay{100}, most_delay{1'000};
  std::chrono::microseconds most_echo_delay{0};  // a duplicate comes so much later; 0: like any frame
};

class SimulatedNetwork {
 public:
  explicit SimulatedNetwork(uint32_t seed) : chance_(seed) {}

  static HostId host(size_t n) { return HostId(Uuid::from_words(0xb0, n + 1)); }
  static IpAddress address(size_t n) { return IpAddress::v4(0x0a00'0001 + static_cast<uint32_t>(n)); }

  // Hosts 0, 1, 2, … ; each starts a new life now, and probes all others.
  void start(size_t n, const LivenessOptions& options);
  void stop(size_t n) { hosts_.erase(n); }
  Faults& faults(size_t from, size_t to) { return faults_[{from, to}]; }
  void cut(size_t from, size_t to) { faults(from, to).loss = 1; }
  void heal() { faults_.clear(); }

  void run_for(std::chrono::microseconds time) { run_to(now_ + time, {}); }
  // False when it did not come to pass within `limit`.
  bool run_until(const std::function<bool()>& condition, std::chrono::microseconds limit) {
    return condition() || run_to(now_ + limit, condition);
  }

  LivenessTable& table(size_t n) { return *hosts_.at(n); }
  LivenessState state(size_t at, size_t of) { return table(at).state(host(of)); }
  bool both_up(size_t a, size_t b) { return state(a, b) == LivenessState::up && state(b, a) == LivenessState::up; }
  LivenessStats stats(size_t at, size_t of);
  Time now() const { return now_; }
  void configure(size_t n, const LivenessOptions& options);
  void leave(size_t n);

  struct Change {
    Time at;
    size_t host;
    StateChange change;
  };
  std::vector<Change> changes;  // all, in order
  uint64_t frames = 0;          // sent

 private:
  struct Frame {
    size_t from, to;
    ProbeFrame bytes;
  };
  bool run_to(Time end, const std::function<bool()>& condition);
  void deliver(const Frame& frame);
  void act(size_t n, const LivenessActions& actions);
  void send(const Frame& frame);
  double drawn() { return std::uniform_real_distribution<>()(chance_); }
  std::chrono::microseconds between(std::chrono::microseconds least, std::chrono::microseconds most);

  std::mt19937_64 chance_;
  Time now_{std::chrono::hours(1)};
  std::map<size_t, std::unique_ptr<LivenessTable>> hosts_;
  std::map<std::pair<size_t, size_t>, Faults> faults_;
  std::multimap<Time, Frame> flying_;
};

}  // namespace viaduct::routing::underlay
