// apply: make the topology what a file says.
#include <fstream>
#include <iterator>

#include "api/cli/apply_plan.hpp"
#include "api/cli/commands/change.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/edit.hpp"

namespace viaduct::cli {
namespace {

constexpr const char* kApplyExamples =
    "  viaduct apply -f topology.yaml --dry-run\n"
    "  viaduct apply -f topology.yaml --yes --wait\n"
    "  viaduct apply -f topology.yaml --prune\n"
    "  generate | viaduct apply -f - --yes\n"
    "\n"
    "The file, in short:\n"
    "  bridges:\n"
    "    - name: blue\n"
    "      ports:\n"
    "        - {name: vm1, interface: tap1}\n"
    "        - {name: blue-r1, peer: r1-blue}\n"
    "  routers:\n"
    "    - name: r1\n"
    "      ports:\n"
    "        - {name: r1-blue, addresses: [10.0.1.1/24], mtu: 1500}\n"
    "      routes:\n"
    "        - {to: 0.0.0.0/0, via: 10.0.1.254, port: r1-blue}\n"
    "  tunnel-zones:\n"
    "    - name: underlay\n"
    "      tunnel-zone-hosts:\n"
    "        - {host: node-1, ip: 192.0.2.1}\n"
    "Keys are the options of the create commands. Objects are matched by name and parent, routes, static "
    "entries\n"
    "and hosts of tunnel zones by what they are about. Fields that are not named stay as they are; \"none\" clears "
    "one.\n";

struct Arguments {
  std::string file;
  bool yes = false;
  bool prune = false;
};

Result<std::string> read_file(Session& session, const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(session.in()), {});
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file.good() && !file.eof()) return usage_error("cannot read the file " + path);
  return text;
}

Result<Plan> plan_for(Session& session, const Arguments& arguments) {
  auto text = read_file(session, arguments.file);
  if (!text) return text.failure();
  auto document = parse_document(*text, arguments.file == "-" ? "(standard input)" : arguments.file);
  if (!document) return document.failure();
  auto client = session.client();
  if (!client) return client.failure();
  auto live = (*client)->list({}, "");
  if (!live) return live.failure();
  return make_plan(
      *document, *live, [&] { return daemon_host(session); }, arguments.prune ? Pruning::prune : Pruning::keep);
}

enum class Consent : uint8_t { given, refused };

Result<Consent> ask(Session& session, const Plan& plan, const Arguments& arguments) {
  if (arguments.yes) return Consent::given;
  if (session.terminal() == Terminal::interactive && arguments.file != "-") {
    session.out() << "apply? [y/N] " << std::flush;
    session.disconnect();
    std::string answer;
    std::getline(session.in(), answer);
    return answer == "y" || answer == "Y" || answer == "yes" ? Consent::given : Consent::refused;
  }
  if (plan.count(Operation::Action::remove) == 0) return Consent::given;
  return usage_error("the plan deletes objects, and there is nobody to ask",
                     "look at it with --dry-run, then pass --yes");
}

void print_result(Session& session, const Plan& plan, const Json& committed) {
  if (session.wants_json()) session.print({{"plan", plan_json(plan)}, {"committed", committed}});
}

Result<ExitCode> commit_plan(Session& session, const Plan& plan, ChangeMode mode) {
  auto client = session.client();
  if (!client) return client.failure();
  auto committed = (*client)->transact(plan.operations, mode);
  if (!committed) return committed.failure();
  print_result(session, plan, *committed);
  std::string revision = (*committed)["revision"].dump();
  bool applied = (*committed)["applied"].get<bool>();
  if (!session.wants_json()) {
    session.out() << (mode.dry_run ? std::string("dry run: the daemon would accept this; nothing was committed")
                                   : "revision " + revision + (applied ? ", applied" : ""))
                  << '\n';
  }
  if (!mode.wait_applied || applied) return ExitCode::ok;
  return not_applied(revision);
}

Result<ExitCode> apply(Session& session, const Arguments& arguments, ChangeMode mode) {
  auto plan = plan_for(session, arguments);
  if (!plan) return plan.failure();
  if (!session.wants_json()) print_plan(*plan, session.out());
  if (plan->empty()) {
    print_result(session, *plan, nullptr);
    return ExitCode::ok;
  }
  if (!mode.dry_run) {
    auto consent = ask(session, *plan, arguments);
    if (!consent) return consent.failure();
    if (*consent == Consent::refused)
      return Failure{ExitCode::refused, "not_confirmed", "not applied", "answer y, or pass --yes", {}};
  }
  return commit_plan(session, *plan, mode);
}

}  // namespace

void add_apply_command(Tree& tree) {
  auto arguments = std::make_shared<Arguments>();
  auto mode = std::make_shared<std::shared_ptr<ChangeMode>>();
  auto& command =
      tree.leaf(tree.root(), "apply", "Make the topology what a YAML file says, in one transaction; shows a plan first",
                kApplyExamples, [=](Session& session) { return apply(session, *arguments, **mode); });
  tree.hint(command.add_option("-f,--file", arguments->file, "File; - for standard input")->required(), Hint::file());
  command.add_flag("-y,--yes", arguments->yes, "Do not ask");
  command.add_flag("--prune", arguments->prune, "Delete what the file does not mention (hosts are kept)");
  *mode = add_change_options(command);
}

}  // namespace viaduct::cli
