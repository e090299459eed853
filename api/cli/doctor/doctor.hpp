// All checks, in the order in which they are told.
#pragma once

#include <vector>

#include "api/cli/doctor/check.hpp"
#include "api/cli/doctor/outside.hpp"
#include "api/cli/session.hpp"

namespace viaduct::api::cli {

// `config`: viaductd.toml. Never fails: what cannot be looked at is a check that says so.
std::vector<Check> examine(Session& session, const Outside& host, const std::string& config);

void print_checks(const std::vector<Check>& checks, std::ostream& out);
Json checks_json(const std::vector<Check>& checks);
size_t count(const std::vector<Check>& checks, Verdict verdict);

}  // namespace viaduct::api::cli
