// Proof of a flow that an earlier life of the daemon left in the kernel: would today's simulation make the same one?
//
// A packet is built from the flow's key (what the mask leaves open gets harmless values), simulated, and the resulting
// flow compared. Pure.
#pragma once

#include <optional>

#include "actors/agent/packet_worker.hpp"

namespace viaduct::actors {

// A packet with these fields. What the parser makes of it must again be in the flow whose key this is, else nothing can be
// proven.
std::vector<uint8_t> specimen(const flows::FlowKey& key);

struct Proof {
  enum class Result : uint8_t {
    same,       // `record` belongs into the index
    different,  // the flow must go
    unknown,    // a fact is missing that may come soon (a neighbour is being asked): `wanted`
  };
  Result result = Result::different;
  InstalledFlow record;
  flows::simulation::NeighbourWanted wanted;
};

Proof prove(const flows::Flow& flow, const AgentState& state, const flows::simulation::Network& network,
            flows::Time now);

}  // namespace viaduct::actors
