// Actions executed on bytes in user space: what the in-process datapath does to every packet, and the eBPF datapath to
// those that its kernel program cannot finish. The kernel's Open vSwitch module has its own.
#pragma once

#include <cstdint>
#include <span>

#include "flows/match/action.hpp"
#include "flows/packet/function_ref.hpp"
#include "flows/packet/packet.hpp"

namespace viaduct::flows {

enum class ApplyResult : uint8_t {
  done,
  ttl_expired,  // DecrementTtl met a TTL of 1 or 0; what was output before it stays output
  // An action met a packet that it is not for: SetIp or DecrementTtl without an IP header (SetIp: of its family),
  // SetPorts without ports, anything with a frame shorter than an Ethernet header.
  malformed,
};

// Where a packet leaves the datapath.
struct OutputTarget {
  PortNumber port;
  const TunnelOutput* tunnel = nullptr;  // set when `port` is a tunnel port
};

// `frame` is valid during the call, and the next action may change it: a sink that keeps it copies it.
using OutputSink = FunctionRef<void(const OutputTarget& to, std::span<uint8_t> frame, const Offload& offload)>;

// Whether packets with the type, protocol and kind of fragment of `key` can take `actions`: SetIp is for IP of its
// family, SetPorts for TCP, UDP and (whole) SCTP packets with ports. Datapaths refuse other flows as unsupported.
bool applicable(std::span<const Action> actions, const FlowKey& key);

// Rewrites `frame` in place, in the order of `actions`, and stops at the first that cannot be done. CheckMtu does
// nothing: whoever executes has decided already. Allocates nothing.
ApplyResult apply(std::span<const Action> actions, std::span<uint8_t> frame, const Offload& offload, OutputSink sink);

}  // namespace viaduct::flows
