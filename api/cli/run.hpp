// One run of the tool, from its arguments to its exit code. Everything outside comes in through the environment.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/cli/session.hpp"
#include "api/cli/tree.hpp"

namespace viaduct::api::cli {

// The whole tree of commands. `settings` receives the global options and must outlive the tree.
std::unique_ptr<Tree> make_tree(Settings& settings);

// `arguments` without the program's name.
ExitCode run(const std::vector<std::string>& arguments, Environment& environment);

}  // namespace viaduct::api::cli
