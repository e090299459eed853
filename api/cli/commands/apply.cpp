// apply: make the topology what a file says.
#include "api/cli/commands/change.hpp"
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/plan_file.hpp"

namespace viaduct::api::cli {
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
    "  chains:\n"
    "    - name: web\n"
    "      rules:\n"
    "        - {ip-proto: tcp, l4-dst: 80}\n"
    "        - {not-ip-src: 10.0.0.0/8, drop: true}\n"
    "Keys are the options of the create commands. Objects are matched by name and parent, routes, static "
    "entries\n"
    "and hosts of tunnel zones by what they are about, rules by their position (10, 20 …, unless named). Fields "
    "that are\n"
    "not named stay as they are; \"none\" clears one. A rule is what the file says of it.\n";

struct Arguments {
  std::string file;
  bool yes = false;
  bool prune = false;
};

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
  auto plan = plan_from_file(session, arguments.file, arguments.prune ? Pruning::prune : Pruning::keep);
  if (!plan) return plan.failure();
  if (!session.wants_json()) print_plan(*plan, session.out());
  if (plan->empty()) {
    print_result(session, *plan, nullptr);
    return ExitCode::ok;
  }
  if (plan->operations.size() > kMostChanges) {
    return Failure{ExitCode::refused,
                   "too_many_changes",
                   "the plan has " + std::to_string(plan->operations.size()) + " changes, and a daemon takes " +
                       std::to_string(kMostChanges) + " at once",
                   "apply the file in parts, what others name first",
                   {}};
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

}  // namespace viaduct::api::cli
