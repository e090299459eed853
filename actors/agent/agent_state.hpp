// What the packet workers and the agent's actors share: tables they write, the network they read, and where they count.
//
// One object for the life of the agent, made by the daemon's assembly and handed to all by reference. Every member says
// itself which threads may use it.
#pragma once

#include <atomic>
#include <cstdint>

#include "actors/agent/icmp_limiter.hpp"
#include "actors/agent/network_slot.hpp"
#include "flows/state/state_tables.hpp"
#include "flows/table/tag_epochs.hpp"

namespace viaduct::actors {

struct AgentState {
  NetworkSlot network;
  flows::MacTable macs;
  flows::NeighbourTable neighbours;
  flows::TagEpochs epochs;
  IcmpLimiter icmp_limiter;
  // Counts entries that came, moved or went, so that whoever keeps a copy knows when to look.
  std::atomic<uint64_t> learned_changes{0};

  flows::StateView view() const { return {macs, neighbours}; }
};

}  // namespace viaduct::actors
