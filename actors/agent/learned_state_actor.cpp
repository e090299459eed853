#include "actors/agent/learned_state_actor.hpp"

#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kInterval{1};

struct LearnedActorState {
  const char* name = "learned_state";
  Status status{"learned_state", "learned_state"};
  log::RateLimit complaints{std::chrono::seconds(10)};
};

using Self = LearnedStateActor::stateful_pointer<LearnedActorState>;

void persist(Self self, LearnedState& learned, const AgentState& state) {
  std::string error = learned.persist(state);
  if (error.empty()) return;
  log::limited(self->state.complaints, std::chrono::steady_clock::now(), log::Component::device, log::Level::warning,
               "cannot keep what was learned; a restart will learn it again", {{"error", error}});
}

LearnedStateActor::behavior_type learned_behavior(Self self, LearnedState* learned, const AgentState* state) {
  self->delayed_send(self, kInterval, Tick{});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        persist(self, *learned, *state);
        self->quit();
      },
      [=](const Tick&) {
        self->delayed_send(self, kInterval, Tick{});
        persist(self, *learned, *state);
      },
  };
}

}  // namespace

LearnedStateActor spawn_learned_state(caf::actor_system& system, LearnedState& learned, const AgentState& state) {
  return system.spawn<caf::detached>(learned_behavior, &learned, &state);
}

}  // namespace viaduct::actors
