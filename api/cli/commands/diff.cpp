// diff: what apply would change.
#include "api/cli/commands/commands.hpp"
#include "api/cli/commands/plan_file.hpp"

namespace viaduct::api::cli {
namespace {

struct DiffWords {
  std::string file;
  bool prune = false;
};

Result<ExitCode> diff(Session& session, const DiffWords& words) {
  auto plan = plan_from_file(session, words.file, words.prune ? Pruning::prune : Pruning::keep);
  if (!plan) return plan.failure();
  if (session.wants_json()) {
    session.print({{"differs", !plan->empty()}, {"plan", plan_json(*plan)}});
  } else {
    print_plan(*plan, session.out());
  }
  return plan->empty() ? ExitCode::ok : ExitCode::differs;
}

}  // namespace

void add_diff_command(Tree& tree) {
  auto words = std::make_shared<DiffWords>();
  auto& command =
      tree.leaf(tree.root(), "diff", "What apply would change, and nothing else; exits with 5 when that is something",
                "  viaduct diff -f topology.yaml\n"
                "  viaduct diff -f topology.yaml --prune || mail -s 'the topology drifts' netops\n"
                "  viaduct diff -f - --json < topology.yaml | jq '.plan[].label'\n",
                [=](Session& session) { return diff(session, *words); });
  tree.hint(command.add_option("-f,--file", words->file, "File, as of apply; - for standard input")->required(),
            Hint::file());
  command.add_flag("--prune", words->prune, "Also what the file does not mention, as apply --prune would delete it");
}

}  // namespace viaduct::api::cli
