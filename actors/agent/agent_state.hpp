// What the packet workers and the agent's actors share: tables they write, the network they read, the news they send.
//
// One object for the life of the agent, made by the daemon's assembly and handed to all by reference. Every member says
// itself which threads may use it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "actors/agent/flow_log.hpp"
#include "actors/agent/frame_inbox.hpp"
#include "actors/agent/health_inbox.hpp"
#include "actors/agent/icmp_limiter.hpp"
#include "actors/agent/network_slot.hpp"
#include "actors/agent/news.hpp"
#include "actors/agent/replication_news.hpp"
#include "actors/agent/state_news.hpp"
#include "flows/replication/link.hpp"
#include "flows/state/connection_table.hpp"
#include "flows/state/nat_blocks.hpp"
#include "flows/state/state_tables.hpp"
#include "flows/table/tag_epochs.hpp"

namespace viaduct::actors {

struct AgentState {
  // `seed`: of tables whose keys guests choose; a random number in production. `patience`: for how long the replicator waits
  // for a host's acknowledgement (flows::ReplicationLink).
  explicit AgentState(const flows::ConnectionLimits& limits = {}, uint64_t seed = 0,
                      std::chrono::milliseconds patience = flows::ReplicationLink::Options{}.patience)
      : replication_patience(patience), connections(limits, seed) {}

  const std::chrono::milliseconds replication_patience;

  NetworkSlot network;
  flows::MacTable macs;
  flows::NeighbourTable neighbours;
  flows::ConnectionTable connections;
  flows::NatBlocks nat_blocks;
  flows::TagEpochs epochs;
  IcmpLimiter icmp_limiter;
  FlowNews flow_news;
  DeviceNews device_news;
  StateNews state_news;
  NatNews nat_news;
  ConnectionNews connection_news;
  RemoteClaims remote_claims;
  HealthInbox health_answers;
  ReplicationNews replication_news;
  FrameInbox probes{4'096, 256};           // of liveness, for the tunnel manager
  FrameInbox state_frames{16'384, 1'500};  // of other hosts' connections, for the replicator
  // Counts entries that came, moved or went, so that whoever keeps a copy knows when to look.
  std::atomic<uint64_t> learned_changes{0};
  // News that the limits of device actors had no room for: found by their next look at the tables, or asked for again.
  std::atomic<uint64_t> untracked{0};
  // The port whose flows make room for new ones, 0 while there is room. Flow controller to workers: what they would
  // install for it while the controller is behind would only be evicted.
  std::atomic<uint32_t> crowded_port{0};
  std::unique_ptr<FlowLogInlet> flow_log;  // null: none; does not change while there are workers

  flows::StateView view() const { return {macs, neighbours, connections, nat_blocks}; }
  // A table changed, and these facts with it: epochs first, then the flows. Any thread.
  void changed(const flows::simulation::Invalidation& what) {
    learned_changes.fetch_add(1, std::memory_order_release);
    tell(what);
  }
  // Entries of connections came, or other entries than before have the same name. Any thread.
  void connections_changed(std::span<const flows::ConnectionKey> keys) {
    if (keys.empty()) return;
    connection_news.changed(keys);
    end_flows(keys);
  }
  // They are no more, by somebody's decision; hosts with copies are told. Of those that have aged, connections_changed():
  // copies age by themselves.
  void connections_ended(std::span<const flows::ConnectionKey> keys, EndedWhere where) {
    if (keys.empty()) return;
    replication_news.ended(keys, where);
    connections_changed(keys);
  }
  // Flows that use these connections are made anew.
  void end_flows(std::span<const flows::ConnectionKey> keys) {
    flows::simulation::Invalidation what;
    for (const auto& key : keys) what.tags.push_back(flows::tag_of(key));
    tell(what);
  }

 private:
  void tell(const flows::simulation::Invalidation& what) {
    if (what.empty()) return;
    epochs.bump(what.tags);
    epochs.bump(what.epochs);
    flow_news.changed(what);
  }
};

}  // namespace viaduct::actors
