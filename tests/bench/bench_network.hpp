// Networks to simulate, with everything learned that a running network would have learned.
#pragma once

#include <vector>

#include "flows/packet/packet_builder.hpp"
#include "flows/simulation/simulate.hpp"
#include "flows/state/connection_table.hpp"
#include "flows/state/nat_blocks.hpp"
#include "scenario_network.hpp"

namespace viaduct::bench {

// A network, its tables, and one frame that crosses it.
//
//   guest ── b0 ── r0 ── b1 ── r1 ── … ── out
class BenchNetwork {
 public:
  // `devices` on the path: 1 is a bridge; 3 bridge, router, bridge; an even number ends at an uplink of the last router.
  BenchNetwork(int devices, IpFamily family);

  // Before compile(): more of what is not on the path.
  void add_bridge_ports(int count);
  void add_routes(int count);
  void put_far_on_another_host();  // only when the path ends at a bridge
  void compile();

  flows::simulation::Input input(const flows::Packet& packet) const { return {network_, view_, packet, now_}; }
  flows::Packet packet() { return flows::parse(frame_, flows::PortNumber{1}); }
  // The frame of the path, to destination number `host` (0…): all of them known.
  std::vector<uint8_t> frame_to(int host) const;
  void know_destinations(int count);

  scenario::ScenarioNetwork& scenario() { return scenario_; }  // compile() afterwards
  const flows::simulation::Network& network() const { return network_; }
  flows::MacTable& macs() { return macs_; }
  flows::NeighbourTable& neighbours() { return neighbours_; }
  flows::ConnectionTable& connections() { return connections_; }
  flows::NatBlocks& nat_blocks() { return nat_blocks_; }

 private:
  std::string subnet(int number, int host) const;
  IpAddress destination(int host) const;
  void build_path();
  void build_end(int last_segment);
  void know_gateways();

  const int devices_;
  const IpFamily family_;
  scenario::ScenarioNetwork scenario_;
  flows::simulation::Network network_;
  flows::MacTable macs_;
  flows::NeighbourTable neighbours_;
  flows::ConnectionTable connections_;
  flows::NatBlocks nat_blocks_;
  flows::StateView view_{macs_, neighbours_, connections_, nat_blocks_};
  flows::Time now_{std::chrono::hours(1)};
  std::vector<uint8_t> frame_;
};

}  // namespace viaduct::bench
