// Which hosts may see the next packet of a connection, from where its packets enter and leave the virtual network: the hosts
// of these ports, and of the other ports of their stateful groups. A port that is bound to a host and not active anywhere
// counts for that host: it is about to be.
#pragma once

#include <span>
#include <vector>

#include "flows/match/small_vector.hpp"
#include "flows/simulation/network.hpp"

namespace viaduct::flows::simulation {

using StatePeers = SmallVector<HostId, 4>;

// Adds those that `peers` does not have. This host itself may be among them.
void add_state_peers(const Network& network, std::span<const PortId> ends, StatePeers& peers);

// The ends whose peers may differ between the networks before and after a change.
std::vector<PortId> ends_with_moved_peers(const Network& before, const Network& after, const topology::Delta& delta,
                                          const Moved& moved);

}  // namespace viaduct::flows::simulation
