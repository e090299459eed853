// The device actors: one for each bridge and each router of the topology. This one spawns them, starts them again when
// they die, and gives them the news that concerns them: one batch at a time, merging what comes meanwhile.
#pragma once

#include <functional>

#include "actors/agent/mac_ageing.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"

namespace viaduct::actors {

struct DeviceLinks {
  AgentState& state;
  WorkerPool& workers;
  AgeingOptions ageing;
  std::function<void(std::string_view kind)> restarted;  // counts
};

DevicesActor spawn_devices(caf::actor_system& system, const DeviceLinks& links);
BridgeDeviceActor spawn_bridge_device(caf::actor_system& system, BridgeId bridge, const DeviceLinks& links);
RouterDeviceActor spawn_router_device(caf::actor_system& system, RouterId router, const DeviceLinks& links);

}  // namespace viaduct::actors
