#include "api/cli/commands/change.hpp"

#include "api/cli/output.hpp"

namespace viaduct::api::cli {
namespace {

void print_change(std::ostream& out, const Json& change, ChangeMode mode) {
  std::string id = text_at(change["object"], "id");
  std::string name = text_at(change, "name");
  std::string cause = text_at(change, "cause");
  out << (mode.dry_run ? "would be " : "") << text_at(change, "action") << ": " << text_at(change["object"], "kind")
      << ' ' << (name.empty() ? id : name + " " + id);
  if (!cause.empty()) out << " (" << cause << ')';
  out << '\n';
}

void print_committed(std::ostream& out, const Json& committed, ChangeMode mode) {
  for (const Json& change : committed["changes"]) print_change(out, change, mode);
  if (committed["changes"].empty()) out << "nothing changed\n";
  if (mode.dry_run) {
    out << "dry run: nothing was committed\n";
  } else {
    out << "revision " << committed["revision"] << (committed["applied"].get<bool>() ? ", applied" : "") << '\n';
  }
}

}  // namespace

std::shared_ptr<ChangeMode> add_change_options(CLI::App& command) {
  auto mode = std::make_shared<ChangeMode>();
  auto* wait = command.add_flag("--wait", mode->wait_applied, "Return when the change is applied (see --timeout)");
  command.add_flag("--dry-run", mode->dry_run, "Let the daemon validate and say what would change; change nothing")
      ->excludes(wait);
  return mode;
}

Result<ExitCode> commit(Session& session, const std::vector<Operation>& operations, ChangeMode mode) {
  auto client = session.client();
  if (!client) return client.failure();
  auto committed = (*client)->transact(operations, mode);
  if (!committed) return committed.failure();
  return show_committed(session, *committed, mode);
}

Result<ExitCode> show_committed(Session& session, const Json& committed, ChangeMode mode) {
  if (session.wants_json()) {
    session.print(committed);
  } else {
    print_committed(session.out(), committed, mode);
  }
  if (!mode.wait_applied || committed["applied"].get<bool>()) return ExitCode::ok;
  return not_applied(committed["revision"].dump());
}

Failure not_applied(const std::string& revision) {
  return {ExitCode::timeout,
          "timeout",
          "revision " + revision + " is committed, but was not applied in time",
          "nothing is lost: viaduct wait " + revision + " waits on; viaduct status shows what is missing",
          {}};
}

}  // namespace viaduct::api::cli
