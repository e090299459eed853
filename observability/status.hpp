// What `viaduct status` shows of each actor. Plain values, filled by the supervisors, printed by the tool.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace viaduct::observability {

//   starting -> running -> backing_off -> starting ...
//                  |            |
//                  +------------+--> stopped
enum class ActorState : uint8_t { starting, running, backing_off, stopped };

constexpr std::string_view to_string(ActorState state) {
  switch (state) {
    case ActorState::starting:
      return "starting";
    case ActorState::running:
      return "running";
    case ActorState::backing_off:
      return "backing_off";
    case ActorState::stopped:
      return "stopped";
  }
  return "unknown";
}

struct ActorStatus {
  std::string name;  // unique within the daemon: "topology_store", "bridge/0f3c..."
  std::string kind;  // of which there may be many: "bridge"
  ActorState state = ActorState::starting;
  uint64_t restarts = 0;
  uint64_t mailbox_depth = 0;
  std::string last_error;                       // why it died last; empty if it never did
  std::chrono::system_clock::time_point since;  // when it entered this state
  friend bool operator==(const ActorStatus&, const ActorStatus&) = default;
};

}  // namespace viaduct::observability
