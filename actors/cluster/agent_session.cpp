#include "actors/cluster/agent_session.hpp"

#include <memory>

#include "observability/log.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kTablesTimeout{12};

struct SessionState {
  const char* name = "agent_session";
  std::unique_ptr<SessionLinks> links;
};

using SessionActor = AgentSessionActor::extend<reacts_to<Shutdown>>;
using Self = SessionActor::stateful_pointer<SessionState>;
using WritePromise = caf::typed_response_promise<SessionWrite>;
using BeatPromise = caf::typed_response_promise<SessionBeat>;

bool admitted(Self self, const Secret& secret) {
  if (secret == self->state.links->secret) return true;
  log::warning(log::Component::store, "a message for a host's session does not carry its secret",
               {{"host", self->state.links->host.to_string()}});
  return false;
}

SessionWrite answer_of(const topology::StateWritten& written) { return {{}, topology::encode_state_written(written)}; }

WritePromise write(Self self, const SessionWrite& request) {
  WritePromise promise = self->make_response_promise<SessionWrite>();
  if (!admitted(self, request.session)) {
    promise.deliver(caf::make_error(caf::sec::invalid_argument));
    return promise;
  }
  auto write = topology::decode_state_write(request.frame);
  if (!write) {
    promise.deliver(answer_of({false, {}, "unreadable: " + write.error()}));
    return promise;
  }
  const auto& links = *self->state.links;
  if (links.journal != nullptr) links.journal->take(links.name, std::move(write->events));
  write->events.clear();
  if (write->says_nothing_of_state()) {
    promise.deliver(answer_of({false, {}, {}}));
    return promise;
  }
  self->request(links.tables, kTablesTimeout,
                WriteStates{links.host, links.epoch, std::make_shared<const topology::StateWrite>(std::move(*write))})
      .then([=](const topology::StateWritten& written) mutable { promise.deliver(answer_of(written)); },
            [=](const caf::error& error) mutable {
              promise.deliver(answer_of({false, {}, "state tables: " + self->system().render(error)}));
            });
  return promise;
}

BeatPromise beat(Self self, const SessionBeat& request) {
  BeatPromise promise = self->make_response_promise<SessionBeat>();
  if (!admitted(self, request.session)) {
    promise.deliver(caf::make_error(caf::sec::invalid_argument));
    return promise;
  }
  const auto& links = *self->state.links;
  self->request(links.tables, kTablesTimeout, KeepSession{links.host, links.epoch})
      .then(
          [=](const SessionKept& kept) mutable {
            promise.deliver(SessionBeat{{}, 0, kept.ended});
          },
          [=](const caf::error& error) mutable { promise.deliver(error); });
  return promise;
}

SessionActor::behavior_type session_behavior(Self self, const SessionLinks& links) {
  self->state.links = std::make_unique<SessionLinks>(links);
  self->monitor(links.sink);
  self->set_down_handler([=](const caf::down_msg&) { self->quit(); });
  return {
      [=](const SessionWrite& request) { return write(self, request); },
      [=](const SessionBeat& request) { return beat(self, request); },
      [=](const Shutdown&) { self->quit(); },
  };
}

}  // namespace

caf::actor spawn_agent_session(caf::actor_system& system, const SessionLinks& links) {
  return caf::actor_cast<caf::actor>(system.spawn(session_behavior, links));
}

}  // namespace viaduct::actors
