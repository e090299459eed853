#include "actors/runtime/node.hpp"

#include <memory>

#include "actors/runtime/backoff.hpp"
#include "actors/runtime/policy.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::ActorState;
using observability::ActorStatus;

namespace {

constexpr std::chrono::seconds kPollInterval{1};
constexpr std::chrono::seconds kPollTimeout{5};
constexpr std::chrono::seconds kStopTimeout{10};

struct Child {
  ChildSpec spec;
  Backoff backoff;
  ActorStatus status;
  bool asked = false;  // a ReportStatus is out
};

struct NodeState {
  const char* name = "node";
  Status status{"node", "node"};
  std::unique_ptr<NodeLinks> links;
  std::vector<Child> children;
  bool stopping = false;
  size_t stopping_at = 0;  // children from here on have ended
  int exit_code = 0;
};

using Self = NodeActor::stateful_pointer<NodeState>;
// Tick::kind: below kRespawn the poll, kRespawn + i the restart of child i, kStopLimit + i the end of its patience.
enum Timer : uint32_t { kPoll = 0, kRespawn = 1'000, kStopLimit = 1'000'000 };

void set_state(const NodeLinks& links, Child& child, ActorState state) {
  child.status.state = state;
  child.status.since = std::chrono::system_clock::now();
  links.probe.entered(child.spec.name, state);
}

void stop_next(Self self) {
  auto& state = self->state;
  while (state.stopping_at > 0) {
    Child& child = state.children[state.stopping_at - 1];
    if (child.spec.running && child.status.state != ActorState::stopped) {
      log::debug(log::Component::supervisor, "stopping", {{"actor", child.spec.name}});
      caf::anon_send(child.spec.running, Shutdown{});
      auto limit = static_cast<uint32_t>(kStopLimit + state.stopping_at - 1);
      self->delayed_send(self, kStopTimeout, Tick{limit});
      return;  // goes on in its down message
    }
    --state.stopping_at;
  }
  log::info(log::Component::supervisor, "stopped", {{"exit_code", state.exit_code}});
  state.links->stopped(state.exit_code);
  self->quit();
}

void begin_stop(Self self, int exit_code) {
  auto& state = self->state;
  if (state.stopping) return;
  state.stopping = true;
  state.exit_code = exit_code;
  state.stopping_at = state.children.size();
  stop_next(self);
}

void child_down(Self self, const caf::down_msg& down) {
  auto& state = self->state;
  for (size_t i = 0; i < state.children.size(); ++i) {
    Child& child = state.children[i];
    if (!child.spec.running || down.source != child.spec.running.address()) continue;
    child.spec.running = nullptr;
    child.asked = false;
    if (state.stopping) {
      set_state(*state.links, child, ActorState::stopped);
      return stop_next(self);
    }
    child.status.last_error = self->system().render(down.reason);
    log::event(log::Component::supervisor, log::Level::error, observability::EventKind::actor_died, "actor died",
               {{"actor", child.spec.name}, {"reason", child.status.last_error}});
    if (on_death(child.spec.kind) == OnDeath::end_daemon || !child.spec.restart) {
      set_state(*state.links, child, ActorState::stopped);
      return begin_stop(self, 1);
    }
    set_state(*state.links, child, ActorState::backing_off);
    auto pause = child.backoff.next(std::chrono::steady_clock::now());
    return self->delayed_send(self, pause, Tick{static_cast<uint32_t>(kRespawn + i)});
  }
}

void respawn(Self self, size_t index) {
  if (self->state.stopping) return;
  const NodeLinks& links = *self->state.links;
  Child& child = self->state.children[index];
  set_state(links, child, ActorState::starting);
  ++child.status.restarts;
  links.probe.restarted(child.spec.name);
  child.spec.running = child.spec.restart();
  if (!child.spec.running) {
    set_state(links, child, ActorState::backing_off);
    auto pause = child.backoff.next(std::chrono::steady_clock::now());
    return self->delayed_send(self, pause, Tick{static_cast<uint32_t>(kRespawn + index)});
  }
  self->monitor(child.spec.running);
  set_state(links, child, ActorState::running);
}

void poll(Self self) {
  auto& state = self->state;
  if (state.stopping) return;
  for (size_t i = 0; i < state.children.size(); ++i) {
    Child& child = state.children[i];
    if (!child.spec.running || child.asked) continue;
    child.asked = true;
    state.links->probe.asked(child.spec.name, std::chrono::steady_clock::now());
    auto handle = caf::actor_cast<SupervisedActor>(child.spec.running);
    self->request(handle, kPollTimeout, ReportStatus{})
        .then(
            [=](const ActorStatus& report) {
              Child& asked = self->state.children[i];
              asked.asked = false;
              asked.status.mailbox_depth = report.mailbox_depth;
              self->state.links->probe.answered(asked.spec.name, report.mailbox_depth,
                                                std::chrono::steady_clock::now());
            },
            [=](const caf::error& error) {
              Child& asked = self->state.children[i];
              if (asked.spec.running != handle) return;  // it died, and that is why
              asked.asked = false;
              asked.status.last_error = "does not answer: " + self->system().render(error);
            });
  }
  self->delayed_send(self, kPollInterval, Tick{kPoll});
}

void tick(Self self, uint32_t kind) {
  if (kind == kPoll) return poll(self);
  if (kind < kStopLimit) return respawn(self, kind - kRespawn);
  Child& child = self->state.children[kind - kStopLimit];
  if (!child.spec.running) return;
  log::warning(log::Component::supervisor, "did not stop in time", {{"actor", child.spec.name}});
  self->send_exit(child.spec.running, caf::exit_reason::kill);
}

NodeReport report(Self self) {
  NodeReport out;
  out.actors.push_back(self->state.status.report(self->mailbox().size()));
  for (const Child& child : self->state.children) out.actors.push_back(child.status);
  return out;
}

NodeActor::behavior_type node_behavior(Self self, std::vector<ChildSpec> children, const NodeLinks& links) {
  self->state.links = std::make_unique<NodeLinks>(links);
  for (ChildSpec& spec : children) {
    Child child{std::move(spec), Backoff{}, {}, false};
    child.status.name = child.spec.name;
    child.status.kind = child.spec.kind;
    self->state.links->probe.known(child.spec.name);
    set_state(*self->state.links, child, ActorState::running);
    self->monitor(child.spec.running);
    self->state.children.push_back(std::move(child));
  }
  self->set_down_handler([=](const caf::down_msg& down) { child_down(self, down); });
  self->send(self, Tick{kPoll});
  return {
      [=](const ReportNode&) { return report(self); },
      [=](const Shutdown&) { begin_stop(self, 0); },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

NodeActor spawn_node(caf::actor_system& system, std::vector<ChildSpec> children, const NodeLinks& links) {
  return system.spawn<caf::detached>(node_behavior, std::move(children), links);
}

}  // namespace viaduct::actors
