// The tree of commands: what CLI11 parses, plus what it cannot know for completion.
//
// Command groups (commands/*.cpp) hang their commands in here; help, completion and the test of the manual page walk
// the same tree.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

#include "api/cli/session.hpp"
#include "api/client/kinds.hpp"

namespace viaduct::api::cli {

// What completes the value of an option or a positional argument.
struct Hint {
  std::vector<Kind> objects;       // names of these kinds
  std::vector<std::string> words;  // fixed words
  enum class Source : uint8_t { objects, words, file, nothing } source = Source::nothing;

  static Hint object(Kind kind) { return {{kind}, {}, Source::objects}; }
  static Hint any_of(std::vector<Kind> kinds) { return {std::move(kinds), {}, Source::objects}; }
  static Hint choice(std::vector<std::string> words) { return {{}, std::move(words), Source::words}; }
  static Hint file() { return {{}, {}, Source::file}; }
};

class Tree {
 public:
  Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  CLI::App& root() { return root_; }
  // A command that only holds others.
  CLI::App& group(CLI::App& parent, std::string_view name, std::string_view help);
  // A command. `examples`: whole lines, shown below its help.
  CLI::App& leaf(CLI::App& parent, std::string_view name, std::string_view help, std::string_view examples,
                 Command command);
  void hint(const CLI::Option* option, Hint hint) { hints_[option] = std::move(hint); }
  const Hint* hint_of(const CLI::Option* option) const;

  // After parsing: the command that was named.
  const Command& selected() const { return selected_; }

 private:
  CLI::App root_;
  Command selected_;
  std::map<const CLI::Option*, Hint> hints_;
};

// "port create"; empty for the root.
std::string path_of(const CLI::App& command);
// Commands that people see: not those whose name starts with two underscores.
std::vector<CLI::App*> visible_commands(CLI::App& parent);

}  // namespace viaduct::api::cli
