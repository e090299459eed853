// doctor: is this host well, and what to do when it is not.
#include "api/cli/doctor/doctor.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/doctor/daemon_config.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kDoctorExamples =
    "  viaduct doctor\n"
    "  sudo viaduct doctor --config /etc/viaduct/viaductd.toml\n"
    "  viaduct doctor --json | jq '.checks[] | select(.result == \"failed\")'\n"
    "\n"
    "It changes nothing, and needs neither root nor a daemon: what it may not look at is skipped, and says why. It "
    "exits\n"
    "with 1 when a check has failed.\n";

Result<ExitCode> doctor(Session& session, const std::string& config) {
  const auto host = this_host();
  const auto checks = examine(session, *host, config);
  if (session.wants_json()) {
    session.print(checks_json(checks));
  } else {
    print_checks(checks, session.out());
  }
  return count(checks, Verdict::failed) == 0 ? ExitCode::ok : ExitCode::refused;
}

}  // namespace

void add_doctor_command(Tree& tree) {
  auto config = std::make_shared<std::string>(kDefaultConfig);
  auto& command = tree.leaf(tree.root(), "doctor", "Check this host and its daemon, and say what to do",
                            kDoctorExamples, [=](Session& session) { return doctor(session, *config); });
  tree.hint(command.add_option("--config", *config, "The daemon's configuration (/etc/viaduct/viaductd.toml)")
                ->type_name("FILE"),
            Hint::file());
}

}  // namespace viaduct::api::cli
