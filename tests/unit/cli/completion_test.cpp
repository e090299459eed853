// Completion: the names that __complete prints, and the scripts as the shells that are installed run them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "api/cli/completion_script.hpp"
#include "tests/unit/cli/fake_daemon.hpp"

namespace viaduct::api::cli {
namespace {

using testing::HasSubstr;

std::string script(Shell shell) {
  Settings settings;
  return completion_script(shell, *make_tree(settings));
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  while (size_t got = ::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  ::pclose(pipe);
  return out;
}

// What bash suggests behind these words; `viaduct` itself is a function that answers __complete.
std::string suggestions(const std::string& words) {
  std::string path = testing::TempDir() + "viaduct-completion-" + std::to_string(::getpid()) + ".bash";
  std::ofstream(path) << script(Shell::bash) << "viaduct() { [ \"$3\" = __complete ] && echo \"names-of-$4\"; }\n"
                      << "COMP_WORDS=(" << words << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                      << "_viaduct\necho \"${COMPREPLY[*]}\"\n";
  std::string out = output_of("bash " + path + " 2>&1");
  ::unlink(path.c_str());
  return out;
}

TEST(Completion, NamesOfObjects) {
  FakeDaemon daemon;
  Tool tool(daemon);
  for (const char* name : {"green", "blue"}) ASSERT_EQ(tool({"bridge", "create", name}).code, 0);
  ASSERT_EQ(tool({"router", "create", "r1"}).code, 0);
  EXPECT_EQ(tool({"__complete", "bridge"}).out, "blue\ngreen\n");
  EXPECT_EQ(tool({"__complete", "bridge,router"}).out, "blue\ngreen\nr1\n");
  EXPECT_EQ(tool({"__complete", "nonsense"}).out, "");
}

TEST(Completion, IsSilentWithoutADaemon) {
  Tool tool;
  tool.address = "127.0.0.1:1";
  tool.token_file = "/no/such/token";
  Outcome names = tool({"__complete", "bridge"});
  EXPECT_EQ(names.code, 0);
  EXPECT_EQ(names.out + names.err, "");
}

TEST(Completion, BashSuggestsCommands) {
  EXPECT_EQ(suggestions("viaduct br"), "bridge\n");
  EXPECT_EQ(suggestions("viaduct bridge ''"), "create show list set delete\n");
  EXPECT_EQ(suggestions("viaduct --json port l"), "list link\n");
  EXPECT_EQ(suggestions("viaduct completion ''"), "bash zsh fish\n");
}

TEST(Completion, BashSuggestsOptions) {
  EXPECT_THAT(suggestions("viaduct route create --bl"), HasSubstr("--blackhole"));
  EXPECT_EQ(suggestions("viaduct port create p --mt"), "--mtu\n");
  EXPECT_EQ(suggestions("viaduct port list --js"), "--json\n");
}

TEST(Completion, BashSuggestsObjects) {
  EXPECT_EQ(suggestions("viaduct port create p --bridge ''"), "names-of-bridge\n");
  EXPECT_EQ(suggestions("viaduct bridge delete one ''"), "names-of-bridge\n");
  EXPECT_EQ(suggestions("viaduct port link a ''"), "names-of-port\n");
  EXPECT_EQ(suggestions("viaduct tunnel-zone add-host ''"), "names-of-tunnel-zone\n");
  EXPECT_EQ(suggestions("viaduct tunnel-zone remove-host z ''"), "names-of-host\n");
  EXPECT_THAT(suggestions("viaduct state ''"), HasSubstr("names-of-bridge\\,router\\,pool"));
  EXPECT_EQ(suggestions("viaduct --timeout 3 bind ''"), "names-of-port\n");
  EXPECT_THAT(suggestions("viaduct trace vm1 ic"), HasSubstr("icmp"));
  EXPECT_EQ(suggestions("viaduct export --router ''"), "names-of-router\n");
  EXPECT_EQ(suggestions("viaduct export tunnel"), "tunnel-zone tunnel-zone-host\n");
}

TEST(Completion, ScriptsAreValidShell) {
  for (auto [shell, checker] : {std::pair(Shell::bash, "bash -n"), std::pair(Shell::zsh, "zsh -n"),
                                std::pair(Shell::fish, "fish --no-execute")}) {
    std::string program = std::string(checker).substr(0, std::string(checker).find(' '));
    if (std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) != 0) continue;
    std::string path = testing::TempDir() + "viaduct-script-" + program + std::to_string(::getpid());
    std::ofstream(path) << script(shell);
    EXPECT_EQ(std::system((std::string(checker) + " " + path).c_str()), 0) << program;
    ::unlink(path.c_str());
  }
}

TEST(Completion, EveryScriptKnowsEveryCommand) {
  Settings settings;
  auto tree = make_tree(settings);
  for (Shell shell : {Shell::bash, Shell::zsh, Shell::fish}) {
    std::string text = completion_script(shell, *tree);
    for (const CLI::App* command : visible_commands(tree->root())) EXPECT_THAT(text, HasSubstr(command->get_name()));
    EXPECT_THAT(text, testing::Not(HasSubstr("'__complete'")));
  }
  FakeDaemon daemon;
  EXPECT_EQ(Tool(daemon)({"completion", "fish"}).out, completion_script(Shell::fish, *tree));
  EXPECT_EQ(Tool(daemon)({"completion", "tcsh"}).code, 2);
}

}  // namespace
}  // namespace viaduct::api::cli
