#include "observability/supervisor_probe.hpp"

#include <algorithm>
#include <array>

namespace viaduct::observability {
namespace {

constexpr std::array kStates{ActorState::starting, ActorState::running, ActorState::backing_off, ActorState::stopped};

template <class Map>
auto& at(Map& actors, std::string_view name) {
  const auto found = actors.find(name);
  return found != actors.end() ? found->second : actors[std::string(name)];
}

}  // namespace

SupervisorProbe::SupervisorProbe(Registry& registry)
    : registry_(registry),
      export_(registry.export_families(
          {{"viaduct_actor_mailbox_depth", "Messages that wait in an actor's mailbox.", MetricKind::gauge},
           {"viaduct_actor_mailbox_age_seconds",
            "How long the supervisor's last question waited in an actor's mailbox, or has been waiting there.",
            MetricKind::gauge},
           {"viaduct_actor_state", "1 for the state that an actor is in, 0 for the others.", MetricKind::gauge}},
          [this] { return read(); })) {}

void SupervisorProbe::known(std::string_view actor) {
  registry_.counter("viaduct_actor_restarts_total", "Restarts of an actor after it failed.",
                    {{"actor", std::string(actor)}});
}

void SupervisorProbe::restarted(std::string_view actor) {
  registry_
      .counter("viaduct_actor_restarts_total", "Restarts of an actor after it failed.", {{"actor", std::string(actor)}})
      .add();
}

void SupervisorProbe::entered(std::string_view actor, ActorState state) {
  std::lock_guard lock(mutex_);
  Actor& known = at(actors_, actor);
  known.state = state;
  if (state != ActorState::running) known.asked.reset();
}

void SupervisorProbe::asked(std::string_view actor, Time now) {
  std::lock_guard lock(mutex_);
  Actor& known = at(actors_, actor);
  if (!known.asked) known.asked = now;  // else the last question has not been answered
}

void SupervisorProbe::answered(std::string_view actor, uint64_t mailbox_depth, Time now) {
  std::lock_guard lock(mutex_);
  Actor& known = at(actors_, actor);
  known.depth = mailbox_depth;
  if (known.asked) known.waited = now - *known.asked;
  known.asked.reset();
}

void SupervisorProbe::ended(std::string_view actor) {
  std::lock_guard lock(mutex_);
  if (auto found = actors_.find(actor); found != actors_.end()) actors_.erase(found);
}

std::vector<std::vector<Sample>> SupervisorProbe::read() const {
  const Time now = std::chrono::steady_clock::now();
  std::lock_guard lock(mutex_);
  std::vector<std::vector<Sample>> out(3);
  for (const auto& [name, actor] : actors_) {
    const SampleLabels labels{{"actor", name}};
    if (actor.depth) {
      out[0].push_back({labels, static_cast<double>(*actor.depth)});
      const auto waiting = actor.asked ? std::max(actor.waited, now - *actor.asked) : actor.waited;
      out[1].push_back({labels, std::chrono::duration<double>(waiting).count()});
    }
    if (!actor.state) continue;
    for (const ActorState state : kStates) {
      out[2].push_back(
          {{{"actor", name}, {"state", std::string(to_string(state))}}, state == *actor.state ? 1.0 : 0.0});
    }
  }
  return out;
}

}  // namespace viaduct::observability
