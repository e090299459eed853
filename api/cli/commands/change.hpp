// What all changing commands share: --wait, --dry-run, the commit and how its outcome is shown.
#pragma once

#include <memory>
#include <vector>

#include "api/cli/tree.hpp"
#include "api/client/client.hpp"

namespace viaduct::api::cli {

std::shared_ptr<ChangeMode> add_change_options(CLI::App& command);

// Commits and prints what changed. ExitCode::timeout when it was committed but not applied in time.
Result<ExitCode> commit(Session& session, const std::vector<Operation>& operations, ChangeMode mode);
// The second half alone, for a commit made elsewhere.
Result<ExitCode> show_committed(Session& session, const Json& committed, ChangeMode mode);
// Committed, but --wait ran out of time.
Failure not_applied(const std::string& revision);

}  // namespace viaduct::api::cli
