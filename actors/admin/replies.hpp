// Admin replies: from values to frames, one function a kind.
#pragma once

#include <vector>

#include "actors/admin/request.hpp"
#include "actors/admin/suppose_run.hpp"
#include "actors/admin/trace_run.hpp"
#include "actors/messages.hpp"

namespace viaduct::actors {

schema::Frame error_reply(uint64_t id, const AdminProblem& problem);
schema::Frame committed_reply(uint64_t id, const CommitReply& commit, bool applied);
schema::Frame objects_reply(uint64_t id, const topology::Snapshot& snapshot, const ListRequest& request);
schema::Frame applied_reply(uint64_t id, uint64_t revision);
schema::Frame done_reply(uint64_t id);
void encode(const TraceResult& trace, const topology::Snapshot& snapshot, schema::TraceReply::Builder out);
// `host`: that answers.
schema::Frame trace_reply(uint64_t id, const TraceResult& trace, const topology::Snapshot& snapshot,
                          const std::string& host);
schema::Frame supposed_reply(uint64_t id, const Supposed& supposed, const topology::Snapshot& snapshot);
struct LearnedRouteLines;
schema::Frame facts_reply(uint64_t id, const Facts& facts);
schema::Frame events_reply(uint64_t id, const observability::EventPage& page);
schema::Frame routes_reply(uint64_t id, const LearnedRouteLines& routes, const topology::Snapshot& snapshot);
schema::Frame flows_reply(uint64_t id, const FlowListReply& flows, const flows::simulation::Network& network);

struct StatusContent {
  std::string version, metrics_url;
  topology::Host host;
  std::chrono::system_clock::time_point started;
  NodeReport node;
  DatapathReport datapath;
  StoreRevisions revisions;
  FlowReport flows;
  TunnelReport tunnels;
  NatReport nat;
  BgpReport bgp;
  ClusterReport cluster;
  AgentsReport agents;
  std::vector<std::pair<std::string, uint64_t>> drops;
};
schema::Frame status_reply(uint64_t id, const StatusContent& status, const topology::Snapshot& snapshot);

struct StateLine {
  topology::ObjectRef device;
  std::string table, key, value, state;
  double age_seconds = 0;
};
schema::Frame state_reply(uint64_t id, const std::vector<StateLine>& lines, const topology::Snapshot& snapshot);

// The name of an object, or its id when it has none.
std::string name_or_id(const topology::Snapshot& snapshot, const topology::ObjectRef& ref);

}  // namespace viaduct::actors
