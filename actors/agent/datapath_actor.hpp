// The datapath's ports and the packet workers, as an actor. Detached: netlink may block for milliseconds.
#pragma once

#include <functional>

#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/port_probe.hpp"
#include "observability/probes.hpp"

namespace viaduct::actors {

struct DatapathLinks {
  flows::Datapath& datapath;
  WorkerPool& workers;
  observability::DatapathProbe& probe;
  observability::PortProbe& ports;
  const NetworkSlot& network;  // says of which device a port is
};

DatapathActor spawn_datapath(caf::actor_system& system, const DatapathLinks& links);

}  // namespace viaduct::actors
