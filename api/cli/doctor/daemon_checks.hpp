// What the doctor asks of the daemon: of its status, as `viaduct status --json` prints it.
#pragma once

#include <vector>

#include "api/cli/doctor/check.hpp"
#include "api/cli/doctor/outside.hpp"
#include "api/client/outcome.hpp"
#include "api/client/value.hpp"

namespace viaduct::api::cli {

// Of a daemon that does not answer: one failure with its cure, and the rest skipped.
std::vector<Check> checks_without_daemon(const Failure& why);
// `store`: what came of asking it for something.
std::vector<Check> checks_of_daemon(const Outside& host, const Json& status, const Result<Done>& store);

Check check_version(const Json& status, const std::string& tool);
Check check_store(const Result<Done>& store);
Check check_actors(const Json& status);
Check check_problems(const Json& status);
Check check_revisions(const Json& status);
Check check_cluster(const Json& status);
Check check_agents(const Json& status);
Check check_ports(const Json& status);
Check check_tunnels(const Json& status);
Check check_tunnel_mtu(const Outside& host, const Json& status);
Check check_bgp(const Json& status);
// BGP is spoken by FRR, on hosts with a port that has peers.
Check check_frr(const Outside& host, const Json& status);

}  // namespace viaduct::api::cli
