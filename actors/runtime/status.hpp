// What an actor knows of itself for `viaduct status`.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "observability/status.hpp"

namespace viaduct::actors {

class Status {
 public:
  Status(std::string name, std::string kind) {
    status_.name = std::move(name);
    status_.kind = std::move(kind);
    status_.state = observability::ActorState::running;
    status_.since = std::chrono::system_clock::now();
  }
  observability::ActorStatus report(size_t mailbox_depth) const {
    auto out = status_;
    out.mailbox_depth = mailbox_depth;
    return out;
  }

 private:
  observability::ActorStatus status_;
};

}  // namespace viaduct::actors
