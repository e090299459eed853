// One host of a simulation: the network as it knows it, what it has learned, and the flows that it would have installed,
// watched by the FlowOracle.
#pragma once

#include <map>
#include <memory>

#include "flow_oracle.hpp"
#include "flows/replication/replicator.hpp"
#include "flows/state/connection_table.hpp"
#include "flows/state/nat_blocks.hpp"
#include "flows/state/state_tables.hpp"
#include "scenario_network.hpp"

namespace viaduct::scenario {

class SimulatedHost {
 public:
  // `holders`: of blocks of NAT ports, as the cluster has it.
  using Holders = std::shared_ptr<const std::map<flows::NatBlock, int>>;
  SimulatedHost(const ScenarioNetwork& network, int number, Holders holders);

  // From now on the network is this one.
  void apply(const ScenarioNetwork& before, const ScenarioNetwork& network, flows::Time now);
  // What it concerns has gone already.
  flows::simulation::Invalidation write(const flows::simulation::StateWrite& write, flows::Time now);
  // As the packet workers do: all of it, or false.
  bool open(const flows::simulation::Verdict& verdict, flows::Time now);
  void close(const flows::ConnectionKey& key, flows::Time now);
  // The entry alone goes, as with a table that was full.
  void forget(const flows::ConnectionKey& key);
  // It finds out that these blocks are another host's, as after it was silent for longer than its lease.
  void yield(const std::vector<flows::NatBlock>& blocks, flows::Time now);
  // What another host says; what is to be said to it.
  std::vector<flows::StateFrame> hear(const flows::StateFrame& frame, HostId by, flows::Time now);
  std::vector<flows::StateFrame> speak(flows::Time now);
  void set_neighbour_state(const flows::NeighbourKey& key, flows::NeighbourState state, flows::Time now);
  void expire(const flows::NeighbourKey& key);
  void expire(const flows::MacKey& key);
  std::vector<std::string> stale_flows(flows::Time now) const { return oracle.stale_flows(network, state(), now); }

  int number;
  bool alive = true;
  flows::simulation::Locations locations;
  flows::simulation::Network network;
  flows::MacTable macs;
  flows::NeighbourTable neighbours;
  flows::ConnectionTable connections;
  flows::NatBlocks nat_blocks;
  flows::StateView state() const { return {macs, neighbours, connections, nat_blocks}; }
  FlowOracle oracle;
  // Of this object, which must not be moved once it is there.
  std::unique_ptr<flows::Replicator> replicator;

 private:
  // Of what it opens and uses others are told, see exchange().
  void share(const flows::simulation::Verdict& verdict, const std::vector<flows::ConnectionKey>& added,
             flows::Time now);
  void reach();
  void changed(const std::vector<flows::ConnectionKey>& keys);
};

}  // namespace viaduct::scenario
