// One session of commands, from a script or a person, and how it ends.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/midonet_cli/interpreter.hpp"

namespace viaduct::api::midonet_cli {

// The next line; nothing: there is none.
using ReadLine = std::function<std::optional<std::string>()>;
// A command that has failed; `line` counts from 1.
using Report = std::function<void(const Failure&, size_t line)>;

enum class OnFailure : uint8_t { go_on, stop };  // as MidoNet's, which goes on

// All commands. The code is of the first that failed. What concerns the connection, or who asks, ends the session.
ExitCode run_session(Interpreter& interpreter, const ReadLine& read, const Report& report, OnFailure on_failure);

}  // namespace viaduct::api::midonet_cli
