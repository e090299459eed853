// What is known of the actors from outside; as the others: probes.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observability/metrics.hpp"
#include "observability/status.hpp"

namespace viaduct::observability {

class SupervisorProbe {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit SupervisorProbe(Registry& registry);
  // There is an actor of this name, or there are actors of this kind: its restarts are shown from 0 on.
  void known(std::string_view actor);
  void restarted(std::string_view actor);
  void entered(std::string_view actor, ActorState state);
  // The question how it is was put into its mailbox, and was answered: so long does what is put there now wait.
  void asked(std::string_view actor, Time now);
  void answered(std::string_view actor, uint64_t mailbox_depth, Time now);
  void ended(std::string_view actor);  // it is no longer shown, its restarts are

 private:
  struct Actor {
    std::optional<ActorState> state;
    std::optional<uint64_t> depth;
    std::optional<Time> asked;  // and not answered yet
    std::chrono::nanoseconds waited{};
  };
  std::vector<std::vector<Sample>> read() const;

  Registry& registry_;
  mutable std::mutex mutex_;
  std::map<std::string, Actor, std::less<>> actors_;
  ExportedCallback export_;
};

}  // namespace viaduct::observability
