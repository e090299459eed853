// All members that this host checks: when each is checked, and what becomes of it.
//
//              max_retries failures in a row
//   up (or not ────────────────────────────> down
//   checked)   <────────────────────────────
//              max_retries successes in a row
//
// A member's checks begin `delay` apart, one at a time; its first one within a second. Who takes over from another host
// begins with what that one has found, so that nothing turns because the checker did.
//
// A state machine without clock, network or actor. Deterministic: the seed gives ports, sequence numbers and first times.
#pragma once

#include <array>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "flows/health/check.hpp"

namespace viaduct::flows::health {

// What is to be checked of a pool.
struct PoolChecks {
  struct Member {
    PoolMemberId id;
    IpAddress address;
    uint16_t port = 0;
    friend bool operator==(const Member&, const Member&) = default;
  };
  PoolId pool;
  RouterId router;
  topology::HealthMonitor monitor;
  std::vector<Member> members;
  friend bool operator==(const PoolChecks&, const PoolChecks&) = default;
};

// A member turned, or was checked for the first time.
struct MemberTurned {
  PoolId pool;
  topology::MemberHealth health;  // `since` is for who knows what time it is
  bool turned = false;            // up or down, which it was not
  friend bool operator==(const MemberTurned&, const MemberTurned&) = default;
};

struct HealthActions {
  std::vector<Probe> send;
  std::vector<MemberTurned> turned;
};

class HealthChecker {
 public:
  explicit HealthChecker(uint64_t seed) : random_(seed) {}

  // From now on, or otherwise than before. `known`: what is known of members that were not checked here.
  void check(const PoolChecks& pool, const std::vector<topology::MemberHealth>& known, Time now);
  void stop(PoolId pool);
  void tick(Time now, HealthActions& out);
  // False when it belongs to no check that is under way.
  bool answer(const Answer& answer, Time now, HealthActions& out);
  // Nothing when nothing is checked.
  std::optional<Time> next_deadline() const;

  using Counts = std::array<uint64_t, static_cast<size_t>(CheckResult::count_)>;
  const Counts& results() const { return results_; }  // of checks, since the start
  size_t members() const { return targets_.size(); }

 private:
  struct Target {
    PoolId pool;
    CheckSpec spec;
    std::chrono::seconds delay{5};
    uint32_t max_retries = 3;
    topology::MemberHealth health;
    uint32_t in_a_row = 0;  // results that are not as the member is
    Time started, due;
    std::optional<Check> running = {};
  };
  using Targets = std::map<PoolMemberId, Target>;
  using Exchange = std::tuple<RouterId, IpAddress, ProbeKind, uint16_t>;  // by which an answer finds its check

  void configure(PoolMemberId id, Target& target, const Target& wanted, Time now);
  void begin(PoolMemberId id, Target& target, Time now, HealthActions& out);
  void finish(PoolMemberId id, Target& target, const CheckOutcome& outcome, Time now, HealthActions& out);
  void forget(PoolMemberId id);
  void abandon(Target& target);
  void schedule(PoolMemberId id, Target& target, Time due);
  uint16_t free_port(const Target& target, ProbeKind kind);

  std::mt19937_64 random_;
  std::map<PoolId, PoolChecks> pools_;
  Targets targets_;
  std::set<std::pair<Time, PoolMemberId>> due_;
  std::map<Exchange, PoolMemberId> exchanges_;
  Counts results_{};
};

}  // namespace viaduct::flows::health
