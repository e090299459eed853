#include "actors/agent/session_sink.hpp"

#include <map>
#include <memory>
#include <random>
#include <utility>

#include "observability/log.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using schema::ErrorCode;
using topology::Answer;
using topology::Question;

namespace {

constexpr size_t kMostAnswered = 16;  // at a time: of all other hosts' operators
constexpr size_t kMostAsked = 8;      // likewise: of this one's

struct SinkState {
  const char* name = "session_sink";
  std::unique_ptr<SessionSinkLinks> links;
  AgentSessionActor session;  // none until the node has answered
  Secret secret;
  AdminActor admin;  // none until everything has been started
  size_t answering = 0;
  std::map<uint64_t, caf::typed_response_promise<HostAnswered>> asking;  // by the questions' numbers
};

using Self = SessionSinkActor::stateful_pointer<SinkState>;
using Promise = caf::typed_response_promise<HostAnswered>;

// --- asked by the node -----------------------------------------------------------------------------

void send_answer(Self self, Answer answer, uint64_t number, std::string_view outcome) {
  auto& state = self->state;
  answer.number = number;
  answer.host = state.links->host;
  schema::Frame frame = topology::encode_answer(answer);
  if (frame.bytes.size() > topology::kMaxAnswerBytes) {
    return send_answer(self, {0, {}, "the answer is too big to be sent: ask for less", ErrorCode::INVALID, {}}, number,
                       "too_big");
  }
  state.links->probe.asked_from_afar(outcome);
  self->send(state.session, SessionAnswer{state.secret, std::move(frame)});
}

void refuse(Self self, uint64_t number, std::string_view outcome, const std::string& why) {
  send_answer(self, {0, {}, "host " + self->state.links->host + " " + why, ErrorCode::UNAVAILABLE, {}}, number,
              outcome);
}

void have_answered(Self self, std::shared_ptr<const Question> question) {
  auto& state = self->state;
  const uint64_t number = question->number;
  if (!state.admin) {
    return refuse(self, number, "not_ready", "is starting: ask again when `viaduct status` on it answers");
  }
  if (state.answering >= kMostAnswered) {
    return refuse(self, number, "busy",
                  "answers as many questions as it can: ask again in a moment; ask it less often");
  }
  ++state.answering;
  self->request(state.admin, kHostPatience, RelayedCall{std::move(question)})
      .then(
          [=](const AdminAnswer& answer) {
            --self->state.answering;
            send_answer(self, {0, {}, {}, ErrorCode::MALFORMED, *answer.reply}, number, "answered");
          },
          [=](const caf::error& error) {
            --self->state.answering;
            refuse(self, number, "not_ready",
                   "does not answer (" + self->system().render(error) + "): `viaduct status` on it shows its actors");
          });
}

void question(Self self, const SessionQuestion& message) {
  auto& state = self->state;
  if (message.to != state.links->feed) {
    state.links->probe.asked_from_afar("forged");
    return log::warning(log::Component::mirror, "a question does not carry the secret of this host's session", {});
  }
  auto question = topology::decode_question(message.frame);
  if (!question) {
    state.links->probe.asked_from_afar("unreadable");
    return log::warning(log::Component::mirror, "a question cannot be read", {{"reason", question.error()}});
  }
  // The node gives up by its own clock: without the session there is nobody to answer.
  if (!state.session) return state.links->probe.asked_from_afar("not_ready");
  have_answered(self, std::make_shared<const Question>(std::move(*question)));
}

// --- asked of the node -----------------------------------------------------------------------------

void not_asked(Promise promise, ErrorCode code, std::string why) {
  promise.deliver(unanswered("", code, std::move(why)));
}

void not_asked(Self self, uint64_t number, std::string why) {
  auto node = self->state.asking.extract(number);
  if (!node.empty()) not_asked(node.mapped(), ErrorCode::UNAVAILABLE, std::move(why));
}

void deliver(Self self, uint64_t number, const SessionAnswer& message) {
  auto answer = topology::decode_answer(message.frame);
  if (!answer || answer->number != number) {
    return not_asked(self, number,
                     "the cluster node's answer makes no sense: " +
                         (answer ? std::string("it is that of another question") : answer.error()) +
                         "; ask the port's own host (viaduct --address)");
  }
  auto node = self->state.asking.extract(number);
  if (!node.empty()) node.mapped().deliver(HostAnswered{std::make_shared<const Answer>(std::move(*answer))});
}

Promise ask(Self self, const AskHost& what) {
  auto& state = self->state;
  Promise promise = self->make_response_promise<HostAnswered>();
  Question question = *what.question;
  question.number = std::random_device{}() | uint64_t{std::random_device{}()} << 32;
  schema::Frame frame = topology::encode_question(question);
  if (frame.bytes.size() > topology::kMaxQuestionBytes) {
    not_asked(promise, ErrorCode::INVALID, "the question is too big to be relayed; ask the port's own host");
    return promise;
  }
  if (!state.session || state.asking.size() >= kMostAsked) {
    not_asked(promise, ErrorCode::UNAVAILABLE,
              state.session ? "this host's operators ask too much of others at a time: ask again in a moment; ask the "
                              "port's own host (viaduct --address)"
                            : "this host joins the cluster just now: ask again in a moment; ask a cluster node");
    return promise;
  }
  const uint64_t number = question.number;
  state.asking.emplace(number, promise);
  self->request(state.session, kNodePatience, SessionQuestion{state.secret, std::move(frame)})
      .then([=](const SessionAnswer& answer) { deliver(self, number, answer); },
            [=](const caf::error& error) {
              not_asked(self, number,
                        "the cluster node does not answer (" + self->system().render(error) +
                            "): ask another one, or the port's own host (viaduct --address)");
            });
  return promise;
}

// Who waits is told at once.
void end(Self self, const caf::error& reason) {
  for (auto& [number, promise] : std::exchange(self->state.asking, {})) {
    not_asked(promise, ErrorCode::UNAVAILABLE,
              "the connection to the cluster node has ended: ask another one, or the port's own host "
              "(viaduct --address)");
  }
  self->quit(reason);
}

SessionSinkActor::behavior_type sink_behavior(Self self, const SessionSinkLinks& links) {
  self->state.links = std::make_unique<SessionSinkLinks>(links);
  self->set_exit_handler([=](const caf::exit_msg& exit) { end(self, exit.reason); });
  return {
      [=](const FeedFrame& frame) -> caf::result<FeedApplied> {
        if (frame.sink != self->state.links->feed) return caf::make_error(caf::sec::invalid_argument);
        return self->delegate(self->state.links->mirror, frame);
      },
      [=](const SessionQuestion& message) { question(self, message); },
      [=](const AskHost& message) { return ask(self, message); },
      [=](const SessionChanged& begun) {
        self->state.session = begun.session;
        self->state.secret = begun.secret;
      },
      [=](const AnswerBy& by) { self->state.admin = by.admin; },
  };
}

}  // namespace

SessionSinkActor spawn_session_sink(caf::actor_system& system, const SessionSinkLinks& links) {
  return system.spawn(sink_behavior, links);
}

}  // namespace viaduct::actors
