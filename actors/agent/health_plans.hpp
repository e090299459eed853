// What there is to check: the pools of the topology as this host has it, with how their monitors want it.
#pragma once

#include <map>

#include "flows/health/checker.hpp"
#include "topology/delta.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

// Checked at all, now or when what it belongs to is up again: what was found of its members goes on to count.
bool is_monitored(const topology::Snapshot& topology, PoolId pool);

// The pools whose router is there and up, as everything between.
using HealthPlans = std::map<PoolId, flows::health::PoolChecks>;
HealthPlans health_plans(const topology::Snapshot& topology);
// Whether these may differ.
bool concerns_health(const topology::Delta& delta);

}  // namespace viaduct::actors
