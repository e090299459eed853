// A change of one port that another path than its own asks for. Internal.
#pragma once

#include <string>
#include <utility>

#include "api/rest/call.hpp"

namespace viaduct::api::rest {

// Changes a port as read, modify, write; again when somebody else has changed it meanwhile. `change` is given the Record, and
// says whether there is anything to write, or why not (Result<bool>).
template <class Change>
Answer change_port(Call& call, const Uuid& id, int status, Change change) {
  constexpr int kAttempts = 3;
  for (int attempt = 1;; ++attempt) {
    auto port = call.context.find(Kind::PORT, id);
    if (!port) return port.failure();
    Result<bool> wanted = change(*port);
    if (!wanted) return wanted.failure();
    if (!*wanted) return Response{.status = status};
    auto outcome = commit(call, *find_resource("ports"), {{Operation::Action::update, *port}});
    if (outcome) return committed(call, *outcome, status);
    if (!met_another(outcome.failure()) || attempt == kAttempts) return outcome.failure();
  }
}

inline Failure conflict(std::string message, std::string cure) {
  return {ExitCode::refused, "conflict", std::move(message), std::move(cure), {}};
}

}  // namespace viaduct::api::rest
