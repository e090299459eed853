#include "actors/cluster/agent_session.hpp"

#include <map>
#include <memory>
#include <random>
#include <utility>

#include "actors/cluster/open_questions.hpp"
#include "observability/log.hpp"
#include "topology/codec.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kTablesTimeout{12};
constexpr std::chrono::milliseconds kSlack{10};  // of a timer behind the deadline that it is for
constexpr size_t kMostAsked = 8;                 // of one agent's operators at a time

using WritePromise = caf::typed_response_promise<SessionWrite>;
using BeatPromise = caf::typed_response_promise<SessionBeat>;
using UpPromise = caf::typed_response_promise<SessionAnswer>;
using DownPromise = caf::typed_response_promise<HostAnswered>;

struct SessionState {
  const char* name = "agent_session";
  std::unique_ptr<SessionLinks> links;
  OpenQuestions questions{{.patience = kHostPatience}};
  std::map<uint64_t, DownPromise> waiting;  // for the agent's answers: those of `questions` that are not late
  size_t asked = 0;                         // by the agent, and not answered yet
};

using Self = SessionRunning::stateful_pointer<SessionState>;

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

// --- what operators ask about this host's ports ----------------------------------------------------

void refuse(Self self, DownPromise promise, std::string_view outcome, std::string why) {
  self->state.links->probe.question(outcome);
  promise.deliver(unanswered(self->state.links->name, schema::ErrorCode::UNAVAILABLE, std::move(why)));
}

DownPromise ask(Self self, const AskHost& message) {
  auto& state = self->state;
  const auto& links = *state.links;
  DownPromise promise = self->make_response_promise<HostAnswered>();
  const std::string host = "host " + links.name;
  if (!links.answers) {
    refuse(self, promise, "old",
           host + " has an agent that is too old to be asked from elsewhere: ask its own daemon (viaduct --address)");
    return promise;
  }
  topology::Question question = *message.question;
  question.number = std::random_device{}() | uint64_t{std::random_device{}()} << 32;
  const auto refusal = state.questions.ask(question.number, question.asked, std::chrono::steady_clock::now());
  if (refusal == OpenQuestions::Refusal::host_busy) {
    refuse(self, promise, to_string(*refusal),
           host + " has " + std::to_string(state.questions.size()) +
               " questions to answer already, and takes no more: `viaduct status` on it says whether it is well");
    return promise;
  }
  if (refusal) {
    refuse(self, promise, to_string(*refusal),
           "the operators of " + question.asked + " have asked " + host +
               " too much at a time: ask its own daemon (viaduct --address), or again in a moment");
    return promise;
  }
  log::info(log::Component::admin, "a question is relayed",
            {{"host", links.name},
             {"port", question.port.to_string()},
             {"asked", question.asked},
             {"by", question.by},
             {"request", question.name}});
  state.waiting.emplace(question.number, promise);
  self->send(links.sink, SessionQuestion{links.feed, topology::encode_question(question)});
  self->delayed_send(self, state.questions.limits().patience + kSlack, Tick{});
  return promise;
}

// Nothing comes back to an agent that answers what it was not asked, but it is counted and logged.
void answered(Self self, const SessionAnswer& message) {
  auto& state = self->state;
  const auto& links = *state.links;
  if (!admitted(self, message.to)) return links.probe.question("forged");
  auto answer = topology::decode_answer(message.frame);
  if (!answer) {
    links.probe.question("unreadable");
    return log::warning(log::Component::store, "a host's answer cannot be read",
                        {{"host", links.name}, {"reason", answer.error()}});
  }
  switch (state.questions.answer(answer->number)) {
    case OpenQuestions::Fit::unasked:
      links.probe.question("unasked");
      return log::warning(log::Component::store, "a host answers what it was not asked", {{"host", links.name}});
    case OpenQuestions::Fit::late:
      return links.probe.question("late");
    case OpenQuestions::Fit::open:
      break;
  }
  auto node = state.waiting.extract(answer->number);
  links.probe.question("answered");
  answer->host = links.name;
  node.mapped().deliver(HostAnswered{std::make_shared<const topology::Answer>(std::move(*answer))});
}

void expire(Self self) {
  auto& state = self->state;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(state.questions.limits().patience).count();
  for (const uint64_t number : state.questions.expire(std::chrono::steady_clock::now())) {
    auto node = state.waiting.extract(number);
    refuse(self, node.mapped(), "timeout",
           "host " + state.links->name + " has not answered within " + std::to_string(seconds) +
               " s: `viaduct status` on it says whether its daemon works, systemctl status viaductd whether it runs");
  }
}

void end(Self self) {
  for (auto& [number, promise] : std::exchange(self->state.waiting, {})) {
    refuse(self, promise, "ended",
           "the session of host " + self->state.links->name +
               " has ended before it answered: `viaduct status` on it says whether its daemon works; ask again when it "
               "is served");
  }
  self->quit();
}

// --- what its operators ask about others' ----------------------------------------------------------

SessionAnswer answer_of(uint64_t number, const topology::Answer& from) {
  topology::Answer answer = from;
  answer.number = number;
  return {{}, topology::encode_answer(answer)};
}

SessionAnswer no_answer(Self self, uint64_t number, schema::ErrorCode code, std::string why) {
  return answer_of(number, {0, self->state.links->name, std::move(why), code, {}});
}

UpPromise ask_others(Self self, const SessionQuestion& message) {
  auto& state = self->state;
  const auto& links = *state.links;
  UpPromise promise = self->make_response_promise<SessionAnswer>();
  if (!admitted(self, message.to)) {
    links.probe.question("forged");
    promise.deliver(caf::make_error(caf::sec::invalid_argument));
    return promise;
  }
  auto question = topology::decode_question(message.frame);
  if (!question) {
    links.probe.question("unreadable");
    promise.deliver(no_answer(self, 0, schema::ErrorCode::MALFORMED, "unreadable: " + question.error()));
    return promise;
  }
  const uint64_t number = question->number;
  if (state.asked >= kMostAsked) {
    links.probe.question("asker_busy");
    promise.deliver(no_answer(self, number, schema::ErrorCode::UNAVAILABLE,
                              "the operators of host " + links.name +
                                  " ask too much at a time: ask the port's own host (viaduct --address), or again in a "
                                  "moment"));
    return promise;
  }
  question->asked = links.name;
  ++state.asked;
  self->request(links.relay, kNodePatience, AskHost{std::make_shared<const topology::Question>(std::move(*question))})
      .then(
          [=](const HostAnswered& from) mutable {
            --self->state.asked;
            promise.deliver(answer_of(number, *from.answer));
          },
          [=](const caf::error& error) mutable {
            --self->state.asked;
            promise.deliver(no_answer(self, number, schema::ErrorCode::UNAVAILABLE,
                                      "the cluster node could not ask the port's host (" +
                                          self->system().render(error) + "): `viaduct status` on the node says more"));
          });
  return promise;
}

SessionRunning::behavior_type session_behavior(Self self, const SessionLinks& links) {
  self->state.links = std::make_unique<SessionLinks>(links);
  self->monitor(links.sink);
  self->set_down_handler([=](const caf::down_msg&) { end(self); });
  return {
      [=](const SessionWrite& request) { return write(self, request); },
      [=](const SessionBeat& request) { return beat(self, request); },
      [=](const SessionQuestion& question) { return ask_others(self, question); },
      [=](const SessionAnswer& answer) { answered(self, answer); },
      [=](const AskHost& question) { return ask(self, question); },
      [=](const Shutdown&) { end(self); },
      [=](const Tick&) { expire(self); },
  };
}

}  // namespace

SessionRunning spawn_agent_session(caf::actor_system& system, const SessionLinks& links) {
  return system.spawn(session_behavior, links);
}

}  // namespace viaduct::actors
