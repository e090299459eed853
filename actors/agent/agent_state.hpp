// What the packet workers and the agent's actors share: tables they write, the network they read, the news they send.
//
// One object for the life of the agent, made by the daemon's assembly and handed to all by reference. Every member says
// itself which threads may use it.
#pragma once

#include <atomic>
#include <cstdint>

#include "actors/agent/icmp_limiter.hpp"
#include "actors/agent/network_slot.hpp"
#include "actors/agent/news.hpp"
#include "actors/agent/probe_inbox.hpp"
#include "actors/agent/state_news.hpp"
#include "flows/state/state_tables.hpp"
#include "flows/table/tag_epochs.hpp"

namespace viaduct::actors {

struct AgentState {
  NetworkSlot network;
  flows::MacTable macs;
  flows::NeighbourTable neighbours;
  flows::TagEpochs epochs;
  IcmpLimiter icmp_limiter;
  FlowNews flow_news;
  DeviceNews device_news;
  StateNews state_news;
  RemoteClaims remote_claims;
  ProbeInbox probes;
  // Counts entries that came, moved or went, so that whoever keeps a copy knows when to look.
  std::atomic<uint64_t> learned_changes{0};
  // News that the limits of device actors had no room for: found by their next look at the tables, or asked for again.
  std::atomic<uint64_t> untracked{0};
  // The port whose flows make room for new ones, 0 while there is room. Flow controller to workers: what they would
  // install for it while the controller is behind would only be evicted.
  std::atomic<uint32_t> crowded_port{0};

  flows::StateView view() const { return {macs, neighbours}; }
  // A table changed, and these facts with it: epochs first, then the flows. Any thread.
  void changed(const flows::simulation::Invalidation& what) {
    learned_changes.fetch_add(1, std::memory_order_release);
    if (what.empty()) return;
    epochs.bump(what.tags);
    epochs.bump(what.epochs);
    flow_news.changed(what);
  }
};

}  // namespace viaduct::actors
