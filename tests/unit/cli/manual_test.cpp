// The manual page and the help against the tree of commands: whatever exists is explained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "observability/event.hpp"
#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

// The text without roff's escapes of hyphens and fonts.
std::string manual() {
  std::ifstream file(CLI_SOURCE_DIR "/viaduct.1");
  std::string raw(std::istreambuf_iterator<char>(file), {});
  std::string text;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      text += raw[i];
    } else if (raw[i + 1] == 'f') {
      i += 2;
    } else {
      text += raw[++i];
    }
  }
  return text;
}

void each_leaf(CLI::App& command, const std::function<void(CLI::App&)>& visit) {
  auto below = visible_commands(command);
  if (command.get_parent() != nullptr && command.get_require_subcommand_min() == 0) visit(command);
  for (CLI::App* child : below) each_leaf(*child, visit);
}

struct Manual : testing::Test {
  Settings settings;
  std::unique_ptr<Tree> tree = make_tree(settings);
};

TEST(ManualOfEvents, HasEveryKind) {
  const std::string text = manual();
  for (size_t i = 0; i < observability::kEventKinds; ++i) {
    EXPECT_THAT(text, HasSubstr(std::string(to_string(static_cast<observability::EventKind>(i)))));
  }
}

TEST_F(Manual, HasEveryCommandAndOption) {
  std::string text = manual();
  ASSERT_FALSE(text.empty());
  size_t commands = 0;
  each_leaf(tree->root(), [&](CLI::App& command) {
    ++commands;
    EXPECT_THAT(text, HasSubstr("viaduct " + path_of(command))) << "not in viaduct.1";
    for (const CLI::Option* option : command.get_options())
      for (const std::string& name : option->get_lnames())
        EXPECT_THAT(text, HasSubstr("--" + name)) << "of " << path_of(command);
  });
  EXPECT_GT(commands, 40U);
  for (const CLI::Option* option : tree->root().get_options())
    for (const std::string& name : option->get_lnames()) EXPECT_THAT(text, HasSubstr("--" + name));
  for (const char* word : {"VIADUCT_ADDRESS", "VIADUCT_TOKEN_FILE", "EXIT STATUS"}) EXPECT_THAT(text, HasSubstr(word));
}

TEST_F(Manual, EveryCommandHasHelpWithExamples) {
  Tool tool;
  each_leaf(tree->root(), [&](CLI::App& command) {
    std::vector<std::string> arguments = {"help"};
    std::istringstream words(path_of(command));
    for (std::string word; words >> word;) arguments.push_back(word);
    Outcome help = tool(arguments);
    EXPECT_EQ(help.code, 0) << path_of(command);
    EXPECT_THAT(help.out, HasSubstr("Examples:\n"));
    EXPECT_THAT(help.out, HasSubstr("viaduct " + path_of(command) + " ")) << path_of(command);
    arguments.erase(arguments.begin());
    arguments.push_back("--help");
    Outcome flag = tool(arguments);
    EXPECT_EQ(flag.code, 0);
    EXPECT_THAT(flag.out, HasSubstr("Usage: viaduct " + path_of(command)));
  });
}

TEST_F(Manual, HelpOfWhatDoesNotExist) {
  Tool tool;
  EXPECT_EQ(tool({"help", "port", "crate"}).code, 2);
  EXPECT_THAT(tool({"help", "port", "crate"}).err, HasSubstr("there is no command 'crate' below 'port'"));
  EXPECT_THAT(tool({"help"}).out, HasSubstr("Exit codes"));
}

}  // namespace
}  // namespace viaduct::api::cli
