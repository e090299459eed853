// Connections in words, for `viaduct conntrack`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/admin/replies.hpp"
#include "actors/agent/agent_state.hpp"
#include "topology/snapshot.hpp"

namespace viaduct::actors {

struct ConnectionLine {
  flows::ConnectionKey key;
  flows::ConnectionEntry entry;
  topology::ObjectRef device;  // a bridge, router or load balancer; a nil id: of none that is known here
  std::string device_name;
  double idle_seconds = 0;
};
struct ConnectionLines {
  uint64_t total = 0;
  std::vector<ConnectionLine> lines;  // the first `limit` in the order of devices, kinds and keys
};
ConnectionLines connection_lines(const ConnectionsRequest& request, const topology::Snapshot& snapshot,
                                 const AgentState& state, flows::Time now);
schema::Frame connections_reply(uint64_t id, const ConnectionLines& lines);
schema::Frame flushed_reply(uint64_t id, uint64_t entries);

struct ConnectionTotals {
  using Counts = std::vector<std::pair<std::string, uint64_t>>;
  uint64_t entries = 0, capacity = 0;
  Counts kinds, states, ports;  // of ports those that have most
  uint64_t table_full = 0, port_share = 0, tenant_share = 0;
};
ConnectionTotals connection_totals(const topology::Snapshot& snapshot, const AgentState& state);
schema::Frame connection_stats_reply(uint64_t id, const ConnectionTotals& totals);

}  // namespace viaduct::actors
