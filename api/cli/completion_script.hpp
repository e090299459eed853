// Completion scripts for shells, written from the tree of commands.
//
// A script knows commands and options by itself; names of objects it asks `viaduct __complete KIND` for, so it never
// waits long and never fails loudly: no daemon, no suggestions.
#pragma once

#include <string>

#include "api/cli/tree.hpp"

namespace viaduct::api::cli {

enum class Shell : uint8_t { bash, zsh, fish };

std::string completion_script(Shell shell, Tree& tree);

}  // namespace viaduct::api::cli
