// Asks for something that must not be seen.
#pragma once

#include <optional>
#include <string>

#include "api/cli/session.hpp"

namespace viaduct::api::cli {

// A line, without its end: from the terminal without echo, behind `prompt` (on standard error), or as it comes from standard input
// when that is none. Nothing: the input has ended. A signal that would end the process does so with the echo restored.
std::optional<std::string> ask_secret(Session& session, const std::string& prompt);
// Whether ask_secret() asks somebody.
bool somebody_types(Session& session);

}  // namespace viaduct::api::cli
