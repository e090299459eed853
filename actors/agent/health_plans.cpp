#include "actors/agent/health_plans.hpp"

#include <algorithm>

namespace viaduct::actors {

using topology::Kind;
using topology::Snapshot;

namespace {

// Nothing while it balances nothing.
std::optional<RouterId> active_router(const Snapshot& topology, const topology::Pool& pool) {
  const auto* balancer = topology.find(pool.load_balancer);
  if (balancer == nullptr || !balancer->admin_up || !pool.admin_up) return std::nullopt;
  const auto id = topology.router_of(balancer->id);
  const auto* router = id ? topology.find(*id) : nullptr;
  return router == nullptr || !router->admin_up ? std::nullopt : id;
}

}  // namespace

bool is_monitored(const Snapshot& topology, PoolId id) {
  const auto* pool = topology.find(id);
  const auto* monitor = pool == nullptr ? nullptr : topology.find(pool->health_monitor);
  return monitor != nullptr && monitor->admin_up;
}

HealthPlans health_plans(const Snapshot& topology) {
  HealthPlans out;
  topology.for_each(Kind::health_monitor, [&](const topology::Object& object) {
    const auto& monitor = std::get<topology::HealthMonitor>(object);
    if (!monitor.admin_up) return;
    topology.for_each_pool_of(monitor.id, [&](const topology::Pool& pool) {
      const auto router = active_router(topology, pool);
      if (!router) return;
      flows::health::PoolChecks plan{pool.id, *router, monitor, {}};
      topology.for_each_member_of(pool.id, [&](const topology::PoolMember& member) {
        plan.members.push_back({member.id, member.address, member.port});
      });
      out.emplace(pool.id, std::move(plan));
    });
  });
  return out;
}

bool concerns_health(const topology::Delta& delta) {
  return std::any_of(delta.changes.begin(), delta.changes.end(), [](const auto& change) {
    const Kind kind = change.first.kind;
    return kind == Kind::health_monitor || kind == Kind::pool || kind == Kind::pool_member ||
           kind == Kind::load_balancer || kind == Kind::router;
  });
}

}  // namespace viaduct::actors
