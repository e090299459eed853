// Agents in one process, for benchmarks of the cluster: the real link, mirror and state publisher of each, over a datapath
// that has every interface at once, and without flows, devices and tunnels.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/agent/agent_state.hpp"
#include "actors/agent/worker_pool.hpp"
#include "actors/interfaces.hpp"
#include "observability/metrics.hpp"
#include "observability/probes.hpp"
#include "topology/model/host.hpp"

namespace viaduct::bench {

class SimulatedAgents {
 public:
  // They join at once. `gateway` may refuse for a while.
  SimulatedAgents(caf::actor_system& system, const std::vector<topology::Host>& hosts,
                  const actors::GatewayActor& gateway, const actors::Secret& secret);
  ~SimulatedAgents();

 private:
  struct Agent {
    Agent() {  // small tables; all others are as they are
      state.macs = flows::MacTable(1'024, 256);
      state.neighbours = flows::NeighbourTable(1'024, 256);
      state.nat_blocks = flows::NatBlocks(64);
    }
    actors::AgentState state{flows::ConnectionLimits{256, 256, 256}};
    actors::DatapathActor datapath;
    actors::StatePublisherActor publisher;
    actors::TopologyMirrorActor mirror;
    actors::ClusterLinkActor link;
  };

  caf::actor_system& system_;
  observability::Registry registry_;
  observability::MirrorProbe mirror_probe_{registry_};
  observability::PublisherProbe publisher_probe_{registry_};
  observability::ClusterLinkProbe link_probe_{registry_};
  std::unique_ptr<flows::Datapath> datapath_;
  std::unique_ptr<actors::WorkerPool> workers_;  // none in it: there are no packets
  std::vector<std::unique_ptr<Agent>> agents_;
};

}  // namespace viaduct::bench
