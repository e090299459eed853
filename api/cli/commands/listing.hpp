// Objects as tables and one by one, with what belongs to them.
#pragma once

#include <string_view>
#include <vector>

#include "api/cli/directory.hpp"
#include "api/cli/session.hpp"

namespace viaduct::api::cli {

// In the order of their names, then ids, so that two listings compare.
void sort_records(std::vector<Record>& records);

// A table of records of one kind, a column a field; the field that refers to `of`, which all have in common, is left
// out.
void print_records(Session& session, Directory& directory, const std::vector<Record>& records, const Uuid& of = {});

// Every field of one object, and tables (in JSON: lists under the kinds' plurals) of what the table of kinds shows with
// it.
Result<ExitCode> show(Session& session, Directory& directory, const Record& record);

}  // namespace viaduct::api::cli
