// The packet decision: through the whole virtual network, on this host, in one pure function.
//
// simulate() reads an immutable Network, the state tables and one packet, and returns a Verdict. It calls no actor,
// takes no lock, blocks never, allocates nothing in the common case, and changes nothing: learning, flows, packets to
// send are data in the verdict. It is at once the packet path, the unit under test, the fuzz target, the benchmark,
// `viaduct trace`, and the proof of adopted flows.
//
//   ingress at port -> device (bridge | router) -> egress at port -> exterior: Output | interior: ingress at the peer
//
// At most kMaxDevices ingresses a packet (loop guard, devices.md 1.2).
#pragma once

#include "flows/packet/packet.hpp"
#include "flows/simulation/network.hpp"
#include "flows/simulation/trace.hpp"
#include "flows/simulation/verdict.hpp"
#include "flows/state/state_tables.hpp"

namespace viaduct::flows::simulation {

inline constexpr int kMaxDevices = 12;

struct Input {
  const Network& network;
  const StateView& state;
  const Packet& packet;
  Time now;
  // Waiting for a neighbour has ended: treat an unknown next hop as unreachable instead of parking again.
  bool give_up = false;
};

// A packet that came in by the datapath port packet.key.in_port. `trace` may be null. `verdict` is reset first.
void simulate(const Input& input, Verdict& verdict, Trace* trace = nullptr);

// A packet made by the agent (ARP request, ICMP error, echo reply) that leaves its device by `from`.
void simulate_emitted(const Input& input, PortId from, Verdict& verdict, Trace* trace = nullptr);

}  // namespace viaduct::flows::simulation
