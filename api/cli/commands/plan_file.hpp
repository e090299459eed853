// From a YAML file and the topology as it is to the change that makes the one the other: of apply, and of trace --if.
#pragma once

#include <string>

#include "api/cli/apply_plan.hpp"
#include "api/cli/session.hpp"

namespace viaduct::api::cli {

// `file`: "-" for standard input.
Result<Plan> plan_from_file(Session& session, const std::string& file, Pruning pruning);

}  // namespace viaduct::api::cli
