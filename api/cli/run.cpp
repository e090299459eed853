#include "api/cli/run.hpp"

#include <algorithm>

#include "api/cli/commands/commands.hpp"
#include "api/cli/output.hpp"
#include "api/cli/version.hpp"

namespace viaduct::api::cli {
namespace {

constexpr double kMaxTimeoutSeconds = 86'400;

constexpr const char* kFooter =
    "Environment:\n"
    "  VIADUCT_ADDRESS     the daemon, as --daemon\n"
    "  VIADUCT_TOKEN_FILE  the token, as --token-file\n"
    "\n"
    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 daemon unreachable; 4 timeout;\n"
    "            5 the topology differs from the file (diff); 6 nothing was found to be wrong (why)\n"
    "\n"
    "Examples:\n"
    "  viaduct bridge create blue\n"
    "  viaduct port create vm1 --bridge blue\n"
    "  viaduct bind vm1 tap1 --wait\n"
    "  viaduct trace vm1 icmp to 10.0.1.2\n"
    "  viaduct apply -f topology.yaml --dry-run\n"
    "  viaduct help port create";

void add_global_options(Tree& tree, Settings& settings) {
  CLI::App& root = tree.root();
  root.add_option("--daemon,--address", settings.address, "Admin socket of the daemon (127.0.0.1:6677)")
      ->type_name("HOST:PORT");
  tree.hint(root.add_option("--token-file", settings.token_file, "File with the token (/run/viaduct/admin.token)")
                ->type_name("FILE"),
            Hint::file());
  root.add_option("--timeout", settings.timeout_seconds, "Seconds to wait for an answer, or for --wait (10)")
      ->type_name("SECONDS")
      ->check(CLI::Validator(CLI::Range(0.001, kMaxTimeoutSeconds)).description(""));
  root.add_flag_callback(
      "--json", [&settings] { settings.form = Form::json; }, "Print JSON; failures too, on standard error");
  root.set_version_flag("--version", "viaduct " + std::string(kVersion), "Print the version of this tool");
  root.footer(kFooter);
}

ExitCode explain(const CLI::ParseError& error, Tree& tree, Form form, Environment& environment) {
  if (error.get_exit_code() == 0) {  // --help, --version
    tree.root().exit(error, environment.out, environment.err);
    return ExitCode::ok;
  }
  CLI::App* at = &tree.root();
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::string path = path_of(*at);
  std::string message = error.what();
  // CLI11 would only say that a command is missing.
  auto below = visible_commands(*at);
  auto rest = tree.root().remaining(true);  // falls through to the root
  if (!below.empty() && !rest.empty() && at->get_require_subcommand_min() > 0) {
    message = "there is no command '" + (path.empty() ? "" : path + " ") + rest.front() + "': choose one of";
    for (const CLI::App* command : below) message += " " + command->get_name();
  }
  print_failure(usage_error(message, "see viaduct " + (path.empty() ? "" : path + " ") + "--help"), form,
                environment.err);
  return ExitCode::usage;
}

}  // namespace

std::unique_ptr<Tree> make_tree(Settings& settings) {
  auto tree = std::make_unique<Tree>();
  add_global_options(*tree, settings);
  add_object_commands(*tree);
  add_binding_commands(*tree);
  add_tunnel_zone_commands(*tree);
  add_interface_command(*tree);
  add_status_commands(*tree);
  add_bgp_command(*tree);
  add_flow_commands(*tree);
  add_conntrack_commands(*tree);
  add_trace_command(*tree);
  add_why_command(*tree);
  add_top_command(*tree);
  add_event_command(*tree);
  add_apply_command(*tree);
  add_export_command(*tree);
  add_diff_command(*tree);
  add_doctor_command(*tree);
  add_support_bundle_command(*tree);
  add_certs_commands(*tree);
  add_rest_commands(*tree);
  add_midonet_cli_command(*tree);
  add_completion_commands(*tree);
  return tree;
}

ExitCode run(const std::vector<std::string>& arguments, Environment& environment) {
  Session session(environment);
  auto tree = make_tree(session.settings());
  try {
    // CLI11 takes them from the back.
    tree->root().parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return explain(error, *tree, session.settings().form, environment);
  }
  auto outcome = tree->selected()(session);
  environment.out.flush();
  if (outcome) return *outcome;
  print_failure(outcome.failure(), session.settings().form, environment.err);
  return outcome.failure().exit;
}

}  // namespace viaduct::api::cli
