// Knows how other hosts are reached, and whether they answer: the underlay's logic (routing/underlay) with a clock, the
// kernel's addresses, the datapath's tunnel ports and the packet workers. Tells the cluster which interfaces the host has.
// Detached: it asks the kernel.
#pragma once

#include <memory>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/probes.hpp"
#include "routing/underlay/liveness.hpp"
#include "routing/underlay/local_addresses.hpp"

namespace viaduct::actors {

struct TunnelLinks {
  HostId host;
  AgentState& state;
  flows::Datapath& datapath;
  WorkerPool& workers;
  routing::underlay::LocalAddresses& addresses;
  StatePublisherActor publisher;  // is told of the host's interfaces
  observability::TunnelProbe& probe;
  routing::underlay::LivenessOptions liveness;
  uint16_t vxlan_port = flows::TunnelPortSpec::kVxlanPort;
  uint16_t mtu = 0;  // of the underlay, when the operator knows better than the interfaces; 0: theirs
  bool copy_dscp = false;
};

// Whoever sends the topology is told when paths change by themselves.
TunnelManagerActor spawn_tunnel_manager(caf::actor_system& system, const TunnelLinks& links);

}  // namespace viaduct::actors
