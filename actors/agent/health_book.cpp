#include "actors/agent/health_book.hpp"

#include <memory>
#include <set>

#include "actors/agent/health_plans.hpp"

namespace viaduct::actors {

using flows::simulation::Locations;
using flows::simulation::Moved;
using topology::HealthReport;

namespace {

std::set<PoolMemberId> down_in(const HealthReport& report) {
  std::set<PoolMemberId> out;
  for (const auto& health : report.members) {
    if (!health.up) out.insert(health.member);
  }
  return out;
}

}  // namespace

// Members that were down before and are not any more count as healthy, also those that have left.
void HealthBook::show(PoolId id, const Pool& pool, Locations& locations, Moved& moved) const {
  const std::shared_ptr<const HealthReport>* shown = locations.health.find(id);
  const auto were = shown == nullptr ? std::set<PoolMemberId>{} : down_in(**shown);
  const auto are = down_in(pool.report);
  for (const PoolMemberId member : were) {
    if (are.contains(member)) continue;
    locations.unhealthy.remove(member);
    moved.members.push_back(member);
  }
  for (const PoolMemberId member : are) {
    if (were.contains(member)) continue;
    locations.unhealthy.put(member, true);
    moved.members.push_back(member);
  }
  if (shown == nullptr || **shown != pool.report) {
    locations.health.put(id, std::make_shared<const HealthReport>(pool.report));
  }
  if (pool.own) {
    locations.checkers.put(id, HostId{});
  } else if (!pool.owner.is_nil() && pool.owner != self_) {
    locations.checkers.put(id, pool.owner);
  } else {
    locations.checkers.remove(id);
  }
}

void HealthBook::follow(const topology::StateChange& change, Locations& locations, Moved& moved) {
  const topology::StateEntry& entry = change.after != nullptr ? *change.after : *change.before;
  const auto* report = std::get_if<HealthReport>(&entry.fact);
  if (report == nullptr) return;
  Pool& pool = pools_[report->pool];
  pool.report.pool = report->pool;
  pool.owner = change.after != nullptr ? entry.host : HostId{};
  if (!pool.own && change.after != nullptr) pool.report = *report;
  show(report->pool, pool, locations, moved);
}

void HealthBook::judge(const OwnHealth& own, Locations& locations, Moved& moved) {
  for (auto& [id, pool] : pools_) {
    if (!pool.own || own.reports.contains(id)) continue;
    pool.own = false;
    show(id, pool, locations, moved);
  }
  for (const auto& [id, report] : own.reports) {
    Pool& pool = pools_[id];
    pool.own = true;
    pool.report = report;
    show(id, pool, locations, moved);
  }
}

void HealthBook::forget_unmonitored(const topology::Snapshot& topology, Locations& locations, Moved& moved) {
  for (auto at = pools_.begin(); at != pools_.end();) {
    const PoolId id = at->first;
    if (is_monitored(topology, id)) {
      ++at;
      continue;
    }
    at->second.report.members.clear();
    show(id, at->second, locations, moved);
    locations.health.remove(id);
    locations.checkers.remove(id);
    at = at->second.own || !at->second.owner.is_nil() ? std::next(at) : pools_.erase(at);
  }
}

}  // namespace viaduct::actors
