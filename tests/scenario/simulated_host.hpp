// One host of a simulation: the network as it knows it, what it has learned, and the flows that it would have installed,
// watched by the FlowOracle.
#pragma once

#include "flow_oracle.hpp"
#include "flows/state/state_tables.hpp"
#include "scenario_network.hpp"

namespace viaduct::scenario {

class SimulatedHost {
 public:
  SimulatedHost(const ScenarioNetwork& network, int number);

  // From now on the network is this one.
  void apply(const ScenarioNetwork& before, const ScenarioNetwork& network);
  // What it concerns has gone already.
  flows::simulation::Invalidation write(const flows::simulation::StateWrite& write, flows::Time now);
  void set_neighbour_state(const flows::NeighbourKey& key, flows::NeighbourState state, flows::Time now);
  void expire(const flows::NeighbourKey& key);
  void expire(const flows::MacKey& key);
  std::vector<std::string> stale_flows(flows::Time now) const { return oracle.stale_flows(network, state(), now); }

  int number;
  flows::simulation::Locations locations;
  flows::simulation::Network network;
  flows::MacTable macs;
  flows::NeighbourTable neighbours;
  flows::StateView state() const { return {macs, neighbours}; }
  FlowOracle oracle;
};

}  // namespace viaduct::scenario
