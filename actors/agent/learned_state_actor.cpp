#include "actors/agent/learned_state_actor.hpp"

#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

using Duration = std::chrono::steady_clock::duration;

constexpr Duration kInterval = std::chrono::milliseconds(100);
constexpr int kDutyCycle = 20;  // of the time between two writes, at most so small a part is writing

struct LearnedActorState {
  const char* name = "learned_state";
  Status status{"learned_state", "learned_state"};
  log::RateLimit complaints{std::chrono::seconds(10)};
};

using Self = LearnedStateActor::stateful_pointer<LearnedActorState>;

// Returns how long it took.
Duration persist(Self self, LearnedState& learned, ConnectionStore& connections, AgentState& state) {
  auto began = std::chrono::steady_clock::now();
  std::string error = learned.persist(state);
  std::string of_connections = connections.write(state, began, std::chrono::system_clock::now());
  auto ended = std::chrono::steady_clock::now();
  auto complain = [&](std::string_view what, const std::string& why) {
    if (why.empty()) return;
    log::limited(self->state.complaints, ended, log::Component::device, log::Level::warning, what, {{"error", why}});
  };
  complain("cannot keep what was learned; a restart will learn it again", error);
  complain("cannot keep connections; a restart would not know them", of_connections);
  return ended - began;
}

LearnedStateActor::behavior_type learned_behavior(Self self, LearnedState* learned, ConnectionStore* connections,
                                                  AgentState* state) {
  self->delayed_send(self, kInterval, Tick{});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        persist(self, *learned, *connections, *state);
        self->quit();
      },
      [=](const Tick&) {
        Duration took = persist(self, *learned, *connections, *state);
        self->delayed_send(self, std::max(kInterval, took * kDutyCycle), Tick{});
      },
  };
}

}  // namespace

LearnedStateActor spawn_learned_state(caf::actor_system& system, LearnedState& learned, ConnectionStore& connections,
                                      AgentState& state) {
  return system.spawn<caf::detached>(learned_behavior, &learned, &connections, &state);
}

}  // namespace viaduct::actors
