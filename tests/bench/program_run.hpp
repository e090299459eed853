// The kernel runs the tc program on one packet many times (BPF's test run): its cost without veth and guests.
#pragma once

#include <cstdint>
#include <vector>

namespace viaduct::bench {

inline constexpr int kRunsOfAPacket = 200;  // each takes a hop of the packet's 255

// The newest ingress program: of the datapath that was just opened. Ends the program when there is none.
int ingress_program();

// Nanoseconds a run, as the kernel says, of the packet coming in by this interface.
double run_once(int program, const std::vector<uint8_t>& frame, uint32_t ifindex);

}  // namespace viaduct::bench
