// Which pools this host checks: one host each, of those that need the pool. A state machine without clock, actor or
// network: fed with what happened and a time, it says what to do.
//
//               it is nobody's, for a moment         won
//   (others', ─────────────────────────────> claiming ────> checking ──> released, when there is nothing to check
//    nobody's) <────────────────────────────┘ lost            │
//         ^                                                    │ lost: another host has it
//         └────────────────────────────────────────────────────┘
//
// The cluster decides: a pool is whose comes first (actors/cluster/host_states.hpp), until that host's lease ends or it has
// nothing to do with the pool any more. Nobody takes a pool from a host that lives, so nothing thrashes; hosts wait for a
// random moment, so that pools spread over them. Who follows another begins with what that one had found.
//
// Cut off from the cluster a host goes on with the pools that it checks, and after a while also checks those of which it
// knows nobody who does: then each such host goes by what it finds itself.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <vector>

#include "actors/agent/health_plans.hpp"
#include "topology/state_index.hpp"

namespace viaduct::actors {

struct HealthDutyOptions {
  std::chrono::milliseconds spread{300};      // of claims to what is nobody's
  std::chrono::milliseconds retry{1'000};     // after a claim that was lost to nobody that is known yet
  std::chrono::milliseconds patience{3'000};  // with a cluster that is away
};

// What is to be done, in this order.
struct HealthDutyActions {
  std::vector<PoolId> end;      // check no longer
  std::vector<PoolId> begin;    // check, by plan() and report(); also when the plan has changed
  std::vector<PoolId> claim;    // from the cluster, with report()
  std::vector<PoolId> release;  // to it
  bool own_changed() const { return !begin.empty() || !end.empty(); }
};

class HealthDuty {
 public:
  using Time = flows::health::Time;
  // `seed` of the moments that it waits for, so that hosts do not choose alike and tests know what comes.
  HealthDuty(HostId self, uint64_t seed, const HealthDutyOptions& options = {});

  // The topology as it now is.
  void follow(const topology::Snapshot& topology, Time now, HealthDutyActions& out);
  // What the state tables say of pools, of this host's own too.
  void follow(const topology::StateChange& change, Time now, HealthDutyActions& out);
  // The cluster hears this host, or does not any more. At first it does not.
  void joined(Time now, HealthDutyActions& out);
  void cut(Time now);
  // The cluster's answer to a claim.
  void won(PoolId pool, HealthDutyActions& out);
  void lost(PoolId pool, Time now, HealthDutyActions& out);
  void tick(Time now, HealthDutyActions& out);
  std::optional<Time> next_deadline() const;
  // A check's result, at this time (seconds since the Unix epoch). True when the pool is still this host's.
  bool found(const flows::health::MemberTurned& turned, uint64_t at);

  const flows::health::PoolChecks& plan(PoolId pool) const { return pools_.at(pool).plan; }
  // What is known of the pool's members, by this host or the one before.
  const topology::HealthReport& report(PoolId pool) const { return pools_.at(pool).report; }
  std::vector<PoolId> checking() const;

 private:
  enum class Phase : uint8_t { idle, claiming, checking };
  struct Pool {
    flows::health::PoolChecks plan{{}, {}, {}, {}};
    topology::HealthReport report;
    HostId owner;  // as the state tables say
    Phase phase = Phase::idle;
    bool planned = false;
    std::optional<Time> due = {};  // of a claim
  };
  void plan_one(Pool& pool, const flows::health::PoolChecks& plan, Time now, HealthDutyActions& out);
  void unplan(PoolId id, Pool& pool, HealthDutyActions& out);
  void wait(Pool& pool, Time now, std::chrono::milliseconds at_least = {});
  void stop(PoolId id, Pool& pool, HealthDutyActions& out);

  const HostId self_;
  const HealthDutyOptions options_;
  std::mt19937_64 random_;
  std::optional<topology::Snapshot> topology_;
  std::map<PoolId, Pool> pools_;  // that are planned, or that the state tables tell of
  bool joined_ = false;
  Time away_since_{};
};

}  // namespace viaduct::actors
