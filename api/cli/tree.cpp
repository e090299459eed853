#include "api/cli/tree.hpp"

namespace viaduct::api::cli {

Tree::Tree() : root_("Viaduct: virtual networks on this host. The tool talks to the daemon viaductd.", "viaduct") {
  root_.require_subcommand(1);
  root_.fallthrough();  // inherited: global options may stand behind a command
  root_.set_help_flag("-h,--help", "Print this help");
}

CLI::App& Tree::group(CLI::App& parent, std::string_view name, std::string_view help) {
  CLI::App* command = parent.add_subcommand(std::string(name), std::string(help));
  command->require_subcommand(1);
  command->footer("");  // the root's is inherited
  return *command;
}

CLI::App& Tree::leaf(CLI::App& parent, std::string_view name, std::string_view help, std::string_view examples,
                     Command command) {
  CLI::App* app = parent.add_subcommand(std::string(name), std::string(help));
  std::string footer = examples.empty() ? "" : "Examples:\n" + std::string(examples);
  app->footer(footer + "\nGlobal options (--json, --timeout, --daemon, …): viaduct --help");
  // A command that has commands below it (state, state flush) is called back after them.
  app->final_callback([this, app, command = std::move(command)] {
    if (app->get_subcommands().empty()) selected_ = command;
  });
  return *app;
}

const Hint* Tree::hint_of(const CLI::Option* option) const {
  auto at = hints_.find(option);
  return at == hints_.end() ? nullptr : &at->second;
}

std::string path_of(const CLI::App& command) {
  if (command.get_parent() == nullptr) return {};
  std::string above = path_of(*command.get_parent());
  return above.empty() ? command.get_name() : above + " " + command.get_name();
}

std::vector<CLI::App*> visible_commands(CLI::App& parent) {
  return parent.get_subcommands([](CLI::App* command) { return !command->get_name().starts_with("__"); });
}

}  // namespace viaduct::api::cli
