#include "api/cli/commands/edit.hpp"

#include <algorithm>

#include "api/cli/commands/change.hpp"

namespace viaduct::api::cli {
namespace {

std::vector<Operation> updates(const std::vector<Record>& records) {
  std::vector<Operation> operations;
  for (const Record& record : records)
    if (record.changed()) operations.push_back({Operation::Action::update, record});
  return operations;
}

bool is_conflict(const Failure& failure) {
  return failure.code == "conflict" || std::ranges::any_of(failure.violations, [](const Violation& violation) {
           return violation.rule == "revision_conflict";
         });
}

}  // namespace

Result<ExitCode> edit(Session& session, ChangeMode mode, const Modify& modify) {
  auto client = session.client();
  if (!client) return client.failure();
  for (int attempt = 0;; ++attempt) {
    Directory directory(**client);
    auto records = modify(directory);
    if (!records) return records.failure();
    // Also without operations: the daemon answers with the revision that holds, and --wait means something.
    auto committed = (*client)->transact(updates(*records), mode);
    if (committed) return show_committed(session, *committed, mode);
    if (!is_conflict(committed.failure()) || attempt == kMaxConflictRetries) return committed.failure();
  }
}

}  // namespace viaduct::api::cli
