#include "simulated_host.hpp"

namespace viaduct::scenario {

using namespace viaduct::flows;
using namespace viaduct::flows::simulation;

SimulatedHost::SimulatedHost(const ScenarioNetwork& scenario, int in_number)
    : number(in_number),
      locations(scenario.locations(in_number)),
      network(Network::compile(scenario.snapshot(), locations)),
      macs(4096, 1024),
      neighbours(4096, 1024) {}

void SimulatedHost::apply(const ScenarioNetwork& before, const ScenarioNetwork& after) {
  const auto delta = topology::Delta::between(before.snapshot(), after.snapshot());
  const Locations next_locations = after.locations(number);
  const Moved what = moved(locations, next_locations);
  const Network next = network.updated(after.snapshot(), delta, next_locations, what);
  oracle.invalidate(invalidated_by(network, next, delta, what));
  network = next;
  locations = next_locations;
}

Invalidation SimulatedHost::write(const StateWrite& one, Time now) {
  LearnResult result;
  PortId previous;
  if (const auto* mac = std::get_if<LearnMac>(&one)) {
    result = macs.learn(mac->key, mac->port, now, &previous);
  } else {
    const auto& neighbour = std::get<LearnNeighbour>(one);
    result = neighbours.learn(neighbour.key, neighbour.mac, now);
  }
  Invalidation concerned = invalidated_by(one, result, previous);
  oracle.invalidate(concerned);
  return concerned;
}

void SimulatedHost::set_neighbour_state(const NeighbourKey& key, NeighbourState state, Time now) {
  neighbours.set_state(key, state, now);
  if (state == NeighbourState::failed) oracle.invalidate(invalidated_by_expiry(key));
}

void SimulatedHost::expire(const NeighbourKey& key) {
  if (neighbours.erase(key)) oracle.invalidate(invalidated_by_expiry(key));
}

void SimulatedHost::expire(const MacKey& key) {
  const auto entry = macs.find(key);
  if (entry && macs.erase(key)) oracle.invalidate(invalidated_by_expiry(key, entry->port));
}

}  // namespace viaduct::scenario
