#include "api/midonet_cli/shell.hpp"

namespace viaduct::api::midonet_cli {
namespace {

bool ends_session(const Failure& failure) {
  return failure.exit == ExitCode::unreachable || failure.exit == ExitCode::timeout || failure.code == "unauthorized";
}

}  // namespace

ExitCode run_session(Interpreter& interpreter, const ReadLine& read, const Report& report, OnFailure on_failure) {
  ExitCode code = ExitCode::ok;
  size_t number = 0;
  while (auto line = read()) {
    auto next = interpreter.run(*line);
    ++number;
    if (next) {
      if (*next == Next::end) break;
      continue;
    }
    const Failure& failure = next.failure();
    report(failure, number);
    if (code == ExitCode::ok) code = failure.exit;
    if (on_failure == OnFailure::stop || ends_session(failure)) break;
  }
  return code;
}

}  // namespace viaduct::api::midonet_cli
