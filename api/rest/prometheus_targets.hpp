// GET prometheus/targets: what a Prometheus is to scrape, in the form of its HTTP service discovery.
//
// Every registered host, also one that is away, so that its absence is seen; and every node of the cluster that lives. Daemons
// give their metrics on loopback only, and say nowhere how they are reached: the address is that of what stands in front of
// them, under the host's name (or its address in a tunnel zone) and a port that the asker knows.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "api/client/record.hpp"
#include "api/rest/call.hpp"

namespace viaduct::api::rest {

struct TargetsWanted {
  std::string job;  // "viaduct-agent", "viaduct-cluster"; empty: both
  // Of what stands in front of agents, and of cluster nodes. One and the same: a node with the name of a host is the same
  // daemon, with both roles, and only an agent. Two: it is a daemon of its own.
  uint16_t agent_port = 9464;
  uint16_t cluster_port = 9464;
  bool by_tunnel_address = false;  // else by name
};

// Nothing was asked for that there is not; else why.
Result<TargetsWanted> targets_wanted(const Request& request);

// `status`: the daemon's. `addresses`: hosts' in tunnel zones, by id; who has none goes by name. A list of groups, one for each
// target: {"targets": ["h1:9464"], "labels": {"__meta_viaduct_job": …}}.
Json prometheus_targets(const Json& status, const std::map<std::string, std::string>& addresses,
                        const TargetsWanted& wanted);

Answer answer_prometheus_targets(Call& call);

}  // namespace viaduct::api::rest
