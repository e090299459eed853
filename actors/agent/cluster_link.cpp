#include "actors/agent/cluster_link.hpp"

#include <algorithm>
#include <memory>
#include <random>

#include "actors/agent/session_sink.hpp"
#include "actors/identity/handshake.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "topology/codec.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::EventKind;

namespace {

constexpr std::chrono::seconds kDialTimeout{5};
constexpr std::chrono::seconds kHelloTimeout{5};
constexpr std::chrono::seconds kJoinTimeout{30};
constexpr std::chrono::seconds kMirrorTimeout{60};  // a batch may be under way
constexpr int kMissedBeats = 2;                     // until the node counts as dead
constexpr size_t kEventsAtOnce = 200;               // told with a beat, so that a flood of them costs little
constexpr size_t kEventsOfOld = 1'000;              // told to a node that is new

struct LinkState {
  const char* name = "cluster_link";
  Status status{"cluster_link", "cluster_link"};
  std::unique_ptr<ClusterLinkLinks> links;
  size_t next_node = 0;
  uint64_t attempt = 0;  // answers of earlier ones are nobody's
  std::chrono::milliseconds pause{0};
  std::mt19937 chance{std::random_device{}()};
  ClusterReport report;
  NodeAddress node;                          // that is dialled, or has been joined
  std::shared_ptr<const Identity> identity;  // of the handshake
  std::unique_ptr<AgentHandshake> handshake;
  SessionSinkActor sink;
  AgentSessionActor session;
  bool relays = false;  // the node takes questions
  AdminActor admin;     // answers those of other hosts' operators; none until everything has been started
  Secret secret;
  std::chrono::milliseconds beat{1'000};
  int missed = 0;
  observability::Journal::Position told;  // of the journal: up to here the node has it
};

using Self = ClusterLinkActor::stateful_pointer<LinkState>;

void set_state(Self self, const char* state) {
  self->state.report.state = state;
  self->state.report.since = std::chrono::system_clock::now();
}

// Ends whatever was, and tries again after a pause that grows and differs from host to host.
void lose(Self self, const std::string& why) {
  auto& state = self->state;
  if (state.report.last_error != why || state.session) {
    log::event(log::Component::mirror, log::Level::warning, EventKind::cluster_lost,
               "not connected to the cluster; working on with what is known",
               {{"node", state.report.node}, {"reason", why}});
  }
  state.report.last_error = why;
  state.links->probe.lost();
  ++state.attempt;
  if (state.session) {
    self->demonitor(state.session.address());
    self->send(state.links->publisher, SessionChanged{});
  }
  state.session = nullptr;
  state.handshake.reset();
  if (state.sink) self->send_exit(state.sink, caf::exit_reason::user_shutdown);
  state.sink = nullptr;
  set_state(self, "pause");
  const auto& links = *state.links;
  state.pause = std::clamp(state.pause * 2, links.reconnect_min, links.reconnect_max);
  std::uniform_int_distribution<int64_t> jitter(state.pause.count() / 2, state.pause.count());
  auto pause = std::chrono::milliseconds(jitter(state.chance));
  self->delayed_send(self, pause, Tick{static_cast<uint32_t>(state.attempt)});
}

// For the answers of one attempt: nothing happens when it is over.
template <class Answer, class F>
auto in_this_attempt(Self self, F f) {
  return [=, attempt = self->state.attempt](const Answer& answer) {
    if (attempt == self->state.attempt) f(answer);
  };
}

auto lose_by(Self self, const char* what) {
  return in_this_attempt<caf::error>(self,
                                     [=](const caf::error& error) { lose(self, what + self->system().render(error)); });
}

// --- joined ----------------------------------------------------------------------------------------

// An older node takes them for a write of nothing.
void tell_events(Self self) {
  auto& state = self->state;
  if (state.links->journal == nullptr || state.links->local) return;
  topology::StateWrite write;
  auto position = state.told;
  write.events = state.links->journal->beyond(position, kEventsAtOnce);
  if (write.events.empty()) return;
  self->request(state.session, state.beat * kMissedBeats,
                SessionWrite{state.secret, topology::encode_state_write(write)})
      .then(in_this_attempt<SessionWrite>(self,
                                          [=](const SessionWrite&) {
                                            self->state.told = position;
                                            self->state.links->journal->told(position);
                                          }),
            [](const caf::error&) {});  // told again with the next beat, unless that finds the node gone
}

void send_beat(Self self) {
  auto& state = self->state;
  if (!state.session) return;
  tell_events(self);
  const uint64_t attempt = state.attempt;
  self->request(state.session, state.beat * kMissedBeats, SessionBeat{state.secret, 0, false})
      .then(in_this_attempt<SessionBeat>(self,
                                         [=](const SessionBeat& answer) {
                                           if (answer.ended) return lose(self, "the host's session has ended");
                                           self->delayed_send(self, self->state.beat, BeatDue{attempt});
                                         }),
            lose_by(self, "the node does not answer: "));
}

void joined(Self self, const GatewayJoined& answer, const topology::JoinAnswer& joined) {
  auto& state = self->state;
  state.session = answer.session;
  state.secret = answer.secret;
  state.relays = joined.relays;
  state.beat = std::max(joined.beat, std::chrono::milliseconds(100));
  state.pause = {};
  if (state.links->journal != nullptr && !state.links->local) {
    state.told = state.links->journal->before_newest(kEventsOfOld);
    state.links->journal->told(state.told);
  }
  state.report.node_name = joined.node;
  state.report.last_error.clear();
  set_state(self, "joined");
  self->monitor(state.session);
  state.links->probe.joined();
  log::event(log::Component::mirror, log::Level::info, EventKind::cluster_joined, "joined the cluster",
             {{"node", joined.node}, {"session", joined.fresh ? "new" : "continued"}});
  self->send(state.links->publisher, SessionChanged{state.session, state.secret});
  self->send(state.sink, SessionChanged{state.session, state.secret});
  send_beat(self);
}

// An operator asks about a port of another host: the session's sink has it asked.
caf::result<HostAnswered> ask(Self self, const AskHost& question) {
  auto& state = self->state;
  if (!state.session) {
    return unanswered("", schema::ErrorCode::UNAVAILABLE,
                      "this host is not connected to the cluster (" + state.report.last_error +
                          "): ask the port's own host, or a cluster node (viaduct --address)");
  }
  if (!state.relays) {
    return unanswered(
        "", schema::ErrorCode::UNAVAILABLE,
        "the cluster node " + state.report.node_name +
            " is too old to ask other hosts: ask the port's own host (viaduct --address), or upgrade the node");
  }
  return self->delegate(state.sink, question);
}

void answer_by(Self self, const AnswerBy& by) {
  self->state.admin = by.admin;
  if (self->state.sink) self->send(self->state.sink, by);
}

// --- on the way ------------------------------------------------------------------------------------

// Of this attempt only.
SessionSinkActor make_sink(Self self, const Secret& feed) {
  const auto& links = *self->state.links;
  auto sink = spawn_session_sink(self->system(), {links.host.name, feed, links.mirror, links.probe});
  if (self->state.admin) self->send(sink, AnswerBy{self->state.admin});
  return sink;
}

void join(Self self, const GatewayActor& gateway, const Secret& proven, const MirrorPosition& position) {
  auto& state = self->state;
  set_state(self, "joining");
  topology::JoinRequest request{state.links->host.id, state.links->host.name, state.links->instance,
                                position.revision,    position.devices,       true};
  Challenge random = make_challenge();
  Secret feed(random.begin(), random.end());
  state.sink = make_sink(self, feed);
  self->request(gateway, kJoinTimeout, GatewayJoin{proven, topology::encode_join(request), state.sink, feed})
      .then(in_this_attempt<GatewayJoined>(self,
                                           [=](const GatewayJoined& answer) {
                                             auto decoded = topology::decode_joined(answer.joined);
                                             if (!decoded)
                                               return lose(self, "the node's answer is unreadable: " + decoded.error());
                                             if (!decoded->refused.empty())
                                               return lose(self, "refused: " + decoded->refused);
                                             joined(self, answer, *decoded);
                                           }),
            lose_by(self, "the node does not answer: "));
}

void ask_mirror(Self self, const GatewayActor& gateway, const Secret& proven) {
  self->request(self->state.links->mirror, kMirrorTimeout, ReadMirror{true})
      .then(in_this_attempt<MirrorPosition>(
                self, [=](const MirrorPosition& position) { join(self, gateway, proven, position); }),
            lose_by(self, "topology mirror: "));
}

void prove(Self self, const GatewayActor& gateway, const GatewayHello& reply) {
  auto& state = self->state;
  auto proof = state.handshake->on_reply(reply.frame.bytes, std::chrono::system_clock::now());
  if (auto* refusal = std::get_if<identity::Refusal>(&proof)) return lose(self, refusal->text);
  self->request(gateway, kHelloTimeout, GatewayHello{std::get<schema::Frame>(proof), reply.exchange})
      .then(in_this_attempt<GatewayHello>(self,
                                          [=](const GatewayHello& result) {
                                            auto end = self->state.handshake->on_result(result.frame.bytes);
                                            if (auto* refusal = std::get_if<identity::Refusal>(&end)) {
                                              return lose(self, "refused: " + refusal->text);
                                            }
                                            ask_mirror(self, gateway, result.exchange);
                                          }),
            lose_by(self, "the node does not answer: "));
}

void dialled(Self self, const Dialled& dialled) {
  auto& state = self->state;
  if (!dialled.error.empty()) return lose(self, dialled.error);
  set_state(self, "proving");
  state.identity = state.links->identity;
  state.handshake = std::make_unique<AgentHandshake>(*state.identity, state.links->host.id, state.links->host.name);
  GatewayActor gateway = dialled.gateway;
  self->request(gateway, kHelloTimeout, GatewayHello{state.handshake->start(), {}})
      .then(in_this_attempt<GatewayHello>(self, [=](const GatewayHello& reply) { prove(self, gateway, reply); }),
            lose_by(self, "the node does not answer: "));
}

void begin(Self self) {
  auto& state = self->state;
  ++state.attempt;
  const auto& links = *state.links;
  set_state(self, "dialling");
  if (links.local) {
    state.report.node = "this process";
    return ask_mirror(self, links.local, links.local_secret);
  }
  state.node = links.nodes[state.next_node++ % links.nodes.size()];
  state.report.node = state.node.to_string();
  self->request(spawn_dialler(self->system(), links.connect), kDialTimeout, Dial{state.node})
      .then(in_this_attempt<Dialled>(self, [=](const Dialled& answer) { dialled(self, answer); }),
            lose_by(self, "cannot connect: "));
}

// A node that is no longer named is left; the identity is for the next hello.
void reconfigure(Self self, const ReconfigureLink& wanted) {
  auto& state = self->state;
  auto& links = *state.links;
  if (links.local) return;
  links.nodes = wanted.nodes;
  links.reconnect_min = wanted.reconnect_min;
  links.reconnect_max = wanted.reconnect_max;
  links.identity = wanted.identity;
  if (std::ranges::find(links.nodes, state.node) != links.nodes.end()) return;
  state.pause = {};
  lose(self, "agent.cluster does not name it any more");
}

ClusterLinkActor::behavior_type link_behavior(Self self, const ClusterLinkLinks& links) {
  self->state.links = std::make_unique<ClusterLinkLinks>(links);
  self->set_down_handler([=](const caf::down_msg& down) {
    if (self->state.session && down.source == self->state.session.address()) lose(self, "the node has gone");
  });
  begin(self);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        if (self->state.sink) self->send_exit(self->state.sink, caf::exit_reason::user_shutdown);
        self->quit();
      },
      [=](const AskHost& question) { return ask(self, question); },
      [=](const ReportCluster&) { return self->state.report; },
      [=](const ReconfigureLink& wanted) { reconfigure(self, wanted); },
      [=](const AnswerBy& by) { answer_by(self, by); },
      [=](const BeatDue& due) {
        if (due.attempt == self->state.attempt) send_beat(self);
      },
      [=](const Tick& tick) {
        if (tick.kind == static_cast<uint32_t>(self->state.attempt)) begin(self);
      },
  };
}

}  // namespace

ClusterLinkActor spawn_cluster_link(caf::actor_system& system, const ClusterLinkLinks& links) {
  return system.spawn(link_behavior, links);
}

}  // namespace viaduct::actors
