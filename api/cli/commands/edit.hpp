// Changing stored objects: read, modify, write with the stored revision, and again when somebody else was faster.
#pragma once

#include <functional>
#include <vector>

#include "api/cli/directory.hpp"
#include "api/cli/session.hpp"

namespace viaduct::api::cli {

inline constexpr int kMaxConflictRetries = 5;

// Reads what it needs and returns the records as they should be. Called again, from the start, after a conflict.
using Modify = std::function<Result<std::vector<Record>>(Directory&)>;

// Commits those records that differ from what is stored and prints what changed.
Result<ExitCode> edit(Session& session, ChangeMode mode, const Modify& modify);

// Gives a new route its source prefix: everything of the destination's family.
void complete_new(Record& record);
// The same of a rule that was changed: jump implies its action, ports their fragment policy, unless they were given.
void complete_rule(Record& record);

// The host whose agent the daemon is.
Result<Uuid> daemon_host(Session& session);

}  // namespace viaduct::api::cli
