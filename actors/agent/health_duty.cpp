#include "actors/agent/health_duty.hpp"

#include <algorithm>
#include <utility>

namespace viaduct::actors {

using flows::health::PoolChecks;

namespace {

// Members that have gone go from the report too; new ones are not checked yet.
void fit(topology::HealthReport& report, const PoolChecks& plan) {
  std::vector<topology::MemberHealth> members;
  for (const auto& member : plan.members) {
    const auto at = std::find_if(report.members.begin(), report.members.end(),
                                 [&](const topology::MemberHealth& health) { return health.member == member.id; });
    members.push_back(at == report.members.end() ? topology::MemberHealth{member.id} : *at);
  }
  report = {plan.pool, std::move(members)};
}

}  // namespace

HealthDuty::HealthDuty(HostId self, uint64_t seed, const HealthDutyOptions& options)
    : self_(self), options_(options), random_(seed) {}

void HealthDuty::wait(Pool& pool, Time now, std::chrono::milliseconds at_least) {
  const auto spread = static_cast<uint64_t>(std::max<int64_t>(1, options_.spread.count()));
  pool.due = now + at_least + std::chrono::milliseconds(random_() % spread);
}

void HealthDuty::stop(PoolId id, Pool& pool, HealthDutyActions& out) {
  if (pool.phase == Phase::checking) out.end.push_back(id);
  pool.phase = Phase::idle;
}

void HealthDuty::follow(const topology::Snapshot& topology, Time now, HealthDutyActions& out) {
  const bool same = topology_ && !concerns_health(topology::Delta::between(*topology_, topology));
  topology_ = topology;
  if (same) return;
  const HealthPlans plans = health_plans(topology);
  for (auto& [id, pool] : pools_) {
    if (pool.planned && !plans.contains(id)) unplan(id, pool, out);
    if (!is_monitored(topology, id)) pool.report.members.clear();
  }
  for (const auto& [id, plan] : plans) plan_one(pools_[id], plan, now, out);
  std::erase_if(pools_, [](const auto& one) { return !one.second.planned && one.second.owner.is_nil(); });
}

void HealthDuty::plan_one(Pool& pool, const PoolChecks& plan, Time now, HealthDutyActions& out) {
  if (pool.planned && pool.plan == plan) return;
  const bool is_new = !std::exchange(pool.planned, true);
  pool.plan = plan;
  fit(pool.report, plan);
  if (is_new) {
    if (pool.owner.is_nil() || pool.owner == self_) wait(pool, now);
  } else if (pool.phase == Phase::checking) {
    out.begin.push_back(plan.pool);
    out.claim.push_back(plan.pool);
  }
}

void HealthDuty::unplan(PoolId id, Pool& pool, HealthDutyActions& out) {
  if (pool.phase != Phase::idle) out.release.push_back(id);
  stop(id, pool, out);
  pool.planned = false;
  pool.due.reset();
}

void HealthDuty::follow(const topology::StateChange& change, Time now, HealthDutyActions& out) {
  const topology::StateEntry& entry = change.after != nullptr ? *change.after : *change.before;
  const auto& report = std::get<topology::HealthReport>(entry.fact);
  Pool& pool = pools_[report.pool];
  pool.owner = change.after != nullptr ? entry.host : HostId{};
  const bool others = !pool.owner.is_nil() && pool.owner != self_;
  if (others) {
    stop(report.pool, pool, out);
    pool.due.reset();
  }
  if (pool.phase != Phase::checking && change.after != nullptr) {
    pool.report = report;
    if (pool.planned) fit(pool.report, pool.plan);
  }
  if (!others && pool.planned && pool.phase == Phase::idle && !pool.due) wait(pool, now);
  if (!pool.planned && pool.owner.is_nil()) pools_.erase(report.pool);
}

void HealthDuty::joined(Time now, HealthDutyActions& out) {
  joined_ = true;
  for (auto& [id, pool] : pools_) {
    if (pool.phase != Phase::idle) {
      out.claim.push_back(id);
    } else if (pool.planned && (pool.owner.is_nil() || pool.owner == self_)) {
      wait(pool, now);
    }
  }
}

void HealthDuty::cut(Time now) {
  joined_ = false;
  away_since_ = now;
  for (auto& [id, pool] : pools_) {
    if (pool.phase != Phase::claiming) continue;
    pool.phase = Phase::idle;
    wait(pool, now);
  }
}

void HealthDuty::won(PoolId id, HealthDutyActions& out) {
  const auto at = pools_.find(id);
  if (at == pools_.end() || at->second.phase != Phase::claiming) return;
  at->second.phase = Phase::checking;
  out.begin.push_back(id);
}

void HealthDuty::lost(PoolId id, Time now, HealthDutyActions& out) {
  const auto at = pools_.find(id);
  if (at == pools_.end() || at->second.phase == Phase::idle) return;
  stop(id, at->second, out);
  // The state tables tell whose it is; if they say nothing, it was nobody's for long.
  if (at->second.owner.is_nil() || at->second.owner == self_) wait(at->second, now, options_.retry);
}

void HealthDuty::tick(Time now, HealthDutyActions& out) {
  for (auto& [id, pool] : pools_) {
    if (!pool.due || *pool.due > now) continue;
    if (joined_) {
      pool.due.reset();
      pool.phase = Phase::claiming;
      out.claim.push_back(id);
    } else if (now - away_since_ >= options_.patience) {
      pool.due.reset();
      pool.phase = Phase::checking;
      out.begin.push_back(id);
    } else {
      pool.due = away_since_ + options_.patience;
    }
  }
}

std::optional<HealthDuty::Time> HealthDuty::next_deadline() const {
  std::optional<Time> out;
  for (const auto& [id, pool] : pools_) {
    if (pool.due && (!out || *pool.due < *out)) out = pool.due;
  }
  return out;
}

bool HealthDuty::found(const flows::health::MemberTurned& turned, uint64_t at) {
  const auto found = pools_.find(turned.pool);
  if (found == pools_.end() || found->second.phase != Phase::checking) return false;
  for (auto& health : found->second.report.members) {
    if (health.member != turned.health.member) continue;
    const uint64_t since = turned.turned || health.since == 0 ? at : health.since;
    health = turned.health;
    health.since = since;
    return true;
  }
  return false;
}

std::vector<PoolId> HealthDuty::checking() const {
  std::vector<PoolId> out;
  for (const auto& [id, pool] : pools_) {
    if (pool.phase == Phase::checking) out.push_back(id);
  }
  return out;
}

}  // namespace viaduct::actors
