// completion, help, and the __complete that completion scripts call.
#include <algorithm>
#include <sstream>

#include "api/cli/commands/commands.hpp"
#include "api/cli/completion_script.hpp"

namespace viaduct::api::cli {
namespace {

constexpr const char* kCompletionExamples =
    "  source <(viaduct completion bash)\n"
    "  viaduct completion bash | sudo tee /usr/share/bash-completion/completions/viaduct >/dev/null\n"
    "  viaduct completion zsh > \"${fpath[1]}/_viaduct\"\n"
    "  viaduct completion fish > ~/.config/fish/completions/viaduct.fish\n";

Result<ExitCode> print_script(Session& session, Tree& tree, const std::string& shell) {
  Shell which = shell == "bash" ? Shell::bash : shell == "zsh" ? Shell::zsh : Shell::fish;
  session.out() << completion_script(which, tree);
  return ExitCode::ok;
}

CLI::App* child_of(CLI::App& parent, const std::string& name) {
  auto children = visible_commands(parent);
  auto at = std::ranges::find_if(children, [&](const CLI::App* child) { return child->get_name() == name; });
  return at == children.end() ? nullptr : *at;
}

Result<ExitCode> print_help(Session& session, Tree& tree, const std::vector<std::string>& path) {
  CLI::App* at = &tree.root();
  std::string above = "viaduct";
  for (size_t i = 0; i < path.size(); ++i) {
    CLI::App* next = child_of(*at, path[i]);
    if (next == nullptr)
      return usage_error("there is no command '" + path[i] + "'" + (i == 0 ? "" : " below '" + path_of(*at) + "'"),
                         "viaduct help lists all");
    if (i > 0) above += " " + path[i - 1];
    at = next;
  }
  // Not App::help of the root: that would describe the command that is running, which is this one.
  session.out() << at->get_formatter()->make_help(at, path.empty() ? "viaduct" : above + " " + path.back(),
                                                  CLI::AppFormatMode::Normal);
  return ExitCode::ok;
}

// Names of the objects of these kinds, sorted, once each; ids where there are no names. Silent when there is no daemon.
Result<ExitCode> print_names(Session& session, const std::string& kind_names) {
  std::vector<Kind> wanted;
  std::istringstream list(kind_names);
  for (std::string name; std::getline(list, name, ',');)
    if (const KindInfo* kind = find_kind(name)) wanted.push_back(kind->kind);
  auto client = session.client();
  if (wanted.empty() || !client) return ExitCode::ok;
  auto records = (*client)->list(wanted, "");
  if (!records) return ExitCode::ok;
  std::set<std::string> names;
  for (const Record& record : *records) names.insert(record.name().empty() ? record.id().to_string() : record.name());
  for (const std::string& name : names) session.out() << name << '\n';
  return ExitCode::ok;
}

}  // namespace

void add_completion_commands(Tree& tree) {
  auto shell = std::make_shared<std::string>();
  auto& completion = tree.leaf(tree.root(), "completion", "Print a completion script for a shell", kCompletionExamples,
                               [=, &tree](Session& session) { return print_script(session, tree, *shell); });
  tree.hint(completion.add_option("shell", *shell, "bash, zsh or fish")
                ->required()
                ->check(CLI::IsMember(std::vector<std::string>{"bash", "zsh", "fish"})),
            Hint::choice({"bash", "zsh", "fish"}));

  auto path = std::make_shared<std::vector<std::string>>();
  auto& help = tree.leaf(tree.root(), "help", "Explain a command", "  viaduct help\n  viaduct help port create\n",
                         [=, &tree](Session& session) { return print_help(session, tree, *path); });
  std::vector<std::string> names;
  for (const CLI::App* command : visible_commands(tree.root())) names.push_back(command->get_name());
  tree.hint(help.add_option("command", *path, "Command"), Hint::choice(names));

  auto kind = std::make_shared<std::string>();
  auto& complete = tree.leaf(tree.root(), "__complete", "Names of objects, for completion scripts", "",
                             [=](Session& session) { return print_names(session, *kind); });
  complete.add_option("kinds", *kind, "Kinds, separated by commas")->required();
  complete.group("");  // not in the help
}

}  // namespace viaduct::api::cli
