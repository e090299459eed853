#include "actors/cluster/gateway.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "actors/cluster/agent_session.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using topology::JoinAnswer;
using topology::JoinRequest;

namespace {

constexpr std::chrono::seconds kStoreTimeout{15};
constexpr std::chrono::seconds kHelloPatience{15};  // from the first message to the join
constexpr size_t kMaxHellos = 4'096;                // at a time
constexpr int kBeatsPerLease = 4;

struct Expected {
  std::shared_ptr<const Identity> identity;  // of the handshake
  std::unique_ptr<ClusterHandshake> handshake;
  bool proven = false;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

struct GatewayState {
  const char* name = "gateway";
  Status status{"gateway", "gateway"};
  std::unique_ptr<GatewayLinks> links;
  std::map<Secret, Expected> hellos;
  std::map<HostId, SessionRunning> sessions;
};

using Self = GatewayRunning::stateful_pointer<GatewayState>;
using Promise = caf::typed_response_promise<GatewayJoined>;

// --- hello -----------------------------------------------------------------------------------------

void forget_the_impatient(GatewayState& state) {
  const auto late = std::chrono::steady_clock::now() - kHelloPatience;
  std::erase_if(state.hellos, [&](const auto& hello) { return hello.second.since < late; });
}

GatewayHello refused(Self self, const schema::Frame& frame, const identity::Refusal& refusal) {
  self->state.links->probe.refused(identity::to_string(refusal.reason));
  log::warning(log::Component::store, "an agent is refused", {{"reason", refusal.text}});
  return {frame, {}};
}

GatewayHello begin_hello(Self self, const GatewayHello& message) {
  auto& state = self->state;
  forget_the_impatient(state);
  if (state.hellos.size() >= kMaxHellos) {
    identity::Refusal full{identity::Reason::too_many, "too many agents connect at a time; try again"};
    return refused(self, encode(HelloReply{own_version(), full}), full);
  }
  auto handshake = std::make_unique<ClusterHandshake>(*state.links->identity);
  HandshakeStep step = handshake->on_hello(message.frame.bytes);
  if (step.refusal) return refused(self, step.frame, *step.refusal);
  Secret exchange = random_secret();
  Expected& expected = state.hellos[exchange];
  expected.identity = state.links->identity;
  expected.handshake = std::move(handshake);
  return {step.frame, exchange};
}

GatewayHello hello(Self self, const GatewayHello& message) {
  auto& state = self->state;
  if (state.links->identity == nullptr) {
    identity::Refusal none{identity::Reason::wrong_purpose, "this node takes no agents of other hosts"};
    return refused(self, encode(HelloReply{own_version(), none}), none);
  }
  if (message.exchange.empty()) return begin_hello(self, message);
  auto node = state.hellos.extract(message.exchange);
  if (node.empty()) {
    identity::Refusal unknown{identity::Reason::replayed, "no hello is going on; begin again"};
    return refused(self, ClusterHandshake::refuse(unknown), unknown);
  }
  if (auto refusal = node.mapped().handshake->on_proof(message.frame.bytes, std::chrono::system_clock::now())) {
    return refused(self, ClusterHandshake::refuse(*refusal), *refusal);
  }
  node.mapped().proven = true;
  node.key() = random_secret();
  Secret proven = node.key();
  state.hellos.insert(std::move(node));
  return {ClusterHandshake::accept(std::chrono::milliseconds(0)), proven};
}

// --- join ------------------------------------------------------------------------------------------

struct Joining {
  Promise promise;
  JoinRequest request;
  FeedSinkActor sink;
  Secret feed;
  topology::Host host;
  bool owns_id = false;  // its certificate, or being in this process, shows that the id is this host's
  SessionBegun session;
};
using JoiningPtr = std::shared_ptr<Joining>;

void refuse(Self self, const JoiningPtr& joining, const std::string& why) {
  self->state.links->probe.refused("join");
  log::warning(log::Component::store, "a host is refused", {{"host", joining->request.name}, {"reason", why}});
  JoinAnswer answer;
  answer.refused = why;
  answer.node = self->state.links->node;
  joining->promise.deliver(GatewayJoined{topology::encode_joined(answer), {}, {}});
}

auto on_error(Self self, const JoiningPtr& joining, const char* what) {
  return [=](const caf::error& error) { refuse(self, joining, what + self->system().render(error)); };
}

// The host's own session ends with the next join; an actor of an earlier one would only refuse.
void joined(Self self, const JoiningPtr& joining, uint64_t revision) {
  auto& state = self->state;
  SessionLinks links{joining->host.id,         joining->host.name,  joining->session.epoch,
                     random_secret(),          joining->sink,       joining->feed,
                     joining->request.answers, state.links->tables, QuestionRelayActor(self),
                     state.links->probe,       state.links->journal};
  SessionRunning session = spawn_agent_session(self->system(), links);
  SessionRunning& known = state.sessions[joining->host.id];
  if (known) caf::anon_send(known, Shutdown{});
  known = session;
  self->monitor(session);
  state.links->probe.sessions(state.sessions.size());
  state.links->probe.joined(joining->session.fresh);
  JoinAnswer answer{"",  joining->session.fresh, state.links->node, joining->session.lease / kBeatsPerLease, revision,
                    true};
  joining->promise.deliver(GatewayJoined{topology::encode_joined(answer), links.secret, AgentSessionActor(session)});
}

void subscribe(Self self, const JoiningPtr& joining) {
  const auto& request = joining->request;
  self->request(self->state.links->store, kStoreTimeout,
                Subscribe{request.host, joining->sink, request.revision, request.devices, joining->feed})
      .then([=](const SubscriptionActor&) { joined(self, joining, request.revision); },
            on_error(self, joining, "topology store: "));
}

void begin_session(Self self, const JoiningPtr& joining) {
  const auto& request = joining->request;
  self->request(self->state.links->tables, kStoreTimeout, BeginSession{request.host, request.name, request.instance})
      .then(
          [=](const SessionBegun& begun) {
            if (!begun.refused.empty()) return refuse(self, joining, begun.refused);
            joining->session = begun;
            subscribe(self, joining);
          },
          on_error(self, joining, "state tables: "));
}

void registered(Self self, const JoiningPtr& joining, const CommitReply& reply) {
  if (reply.status == CommitReply::Status::committed) return begin_session(self, joining);
  refuse(self, joining,
         "the host " + joining->request.name + " cannot be registered: " +
             (reply.violations.empty() ? reply.error : topology::to_string(reply.violations.front())));
}

void register_host(Self self, const JoiningPtr& joining, const SnapshotPtr& snapshot) {
  const topology::Host* known = snapshot->find(joining->host.id);
  if (known != nullptr && known->name == joining->host.name) return begin_session(self, joining);
  if (known != nullptr && !joining->owns_id) {
    return refuse(self, joining,
                  "the id " + known->id.to_string() + " is registered as " + known->name +
                      ", and the certificate does not say that it is " + joining->host.name +
                      "'s. After a renaming: viaduct host update, or a certificate with the id; else remove host-id");
  }
  CommitTransaction change;
  change.cause = {Uuid::random().to_string(), joining->host.name, self->state.links->node};
  if (known == nullptr) {
    change.operations.push_back(topology::Create{joining->host});
  } else {
    topology::Host renamed = *known;
    renamed.name = joining->host.name;
    change.operations.push_back(topology::Update{renamed});
  }
  self->request(self->state.links->store, kStoreTimeout, change)
      .then([=](const CommitReply& reply) { registered(self, joining, reply); },
            on_error(self, joining, "topology store: "));
}

// Nothing: it is who it says.
std::string check_identity(GatewayState& state, const Secret& proven, Joining& joining) {
  const JoinRequest& request = joining.request;
  if (!state.links->local.empty() && proven == state.links->local) {
    joining.owns_id = true;
    return {};
  }
  auto node = state.hellos.extract(proven);
  if (node.empty() || !node.mapped().proven) return "it has not proven who it is";
  const auto& agent = node.mapped().handshake->agent();
  if (agent.identity.host != request.name || agent.host_id != request.host) {
    return "its certificate is that of " + agent.identity.host + ", and it wants to join as " + request.name;
  }
  joining.owns_id = agent.identity.host_id.has_value();
  return {};
}

Promise join(Self self, const GatewayJoin& message) {
  auto joining = std::make_shared<Joining>();
  joining->promise = self->make_response_promise<GatewayJoined>();
  auto request = topology::decode_join(message.join);
  if (!request) {
    refuse(self, joining, "unreadable: " + request.error());
    return joining->promise;
  }
  joining->request = std::move(*request);
  joining->sink = message.sink;
  joining->feed = message.feed;
  joining->host.id = joining->request.host;
  joining->host.name = joining->request.name;
  if (std::string why = check_identity(self->state, message.proven, *joining); !why.empty()) {
    refuse(self, joining, why);
    return joining->promise;
  }
  self->request(self->state.links->store, kStoreTimeout, ReadTopology{})
      .then([=](const SnapshotPtr& snapshot) { register_host(self, joining, snapshot); },
            on_error(self, joining, "topology store: "));
  return joining->promise;
}

// --- questions -------------------------------------------------------------------------------------

using QuestionPtr = std::shared_ptr<const topology::Question>;
using HostPromise = caf::typed_response_promise<HostAnswered>;

void not_asked(Self self, HostPromise promise, std::string_view outcome, HostAnswered why) {
  self->state.links->probe.question(outcome);
  promise.deliver(std::move(why));
}

auto store_failed(Self self, const HostPromise& promise) {
  return [=](const caf::error& error) {
    not_asked(self, promise, "store",
              unanswered("", schema::ErrorCode::UNAVAILABLE,
                         "topology store: " + self->system().render(error) + "; `viaduct status` says more"));
  };
}

// The port's host has no session here. Where it has one the database knows.
void name_who_serves(Self self, HostPromise promise, const topology::Host& host, const AgentsReport& report) {
  const auto at = std::ranges::find(report.agents, host.id, &AgentsReport::Line::host);
  std::string_view outcome = "away";
  std::string why = "is away: start viaductd on it, or look at its connection to the cluster (`viaduct status` there)";
  if (at != report.agents.end() && at->state == "elsewhere") {
    const bool lost = at->node == self->state.links->node;
    outcome = lost ? "ended" : "elsewhere";
    why = lost ? "has lost its session with this node and not begun another one: ask again in a moment, or see what "
                 "`viaduct status` on it says"
               : "is served by the cluster node " + at->node + ", and nodes do not ask each other: ask " + at->node +
                     " or the host's own daemon (viaduct --address)";
  }
  not_asked(self, promise, outcome,
            unanswered(host.name, schema::ErrorCode::UNAVAILABLE,
                       "host " + host.name + ", to which the port is bound, " + why));
}

void ask_host(Self self, HostPromise promise, const QuestionPtr& question, const topology::Snapshot& snapshot) {
  const topology::Port* port = snapshot.find(question->port);
  const topology::Host* host = port == nullptr ? nullptr : snapshot.find(port->host);
  if (host == nullptr) {
    const std::string id = question->port.to_string();
    return not_asked(self, promise, "unknown",
                     unanswered("", schema::ErrorCode::NOT_FOUND,
                                port == nullptr ? "no port " + id + " exists"
                                                : "port " + id + " is bound to no host: bind it first"));
  }
  const auto session = self->state.sessions.find(host->id);
  if (session != self->state.sessions.end()) {
    promise.delegate(session->second, AskHost{question});
    return;
  }
  self->request(self->state.links->store, kNodePatience, ReadAgents{})
      .then([=, host = *host](const AgentsReport& report) { name_who_serves(self, promise, host, report); },
            store_failed(self, promise));
}

HostPromise ask(Self self, const QuestionPtr& question) {
  HostPromise promise = self->make_response_promise<HostAnswered>();
  self->request(self->state.links->store, kNodePatience, ReadTopology{})
      .then([=](const SnapshotPtr& snapshot) { ask_host(self, promise, question, *snapshot); },
            store_failed(self, promise));
  return promise;
}

void session_ended(Self self, const caf::actor_addr& who) {
  auto& state = self->state;
  std::erase_if(state.sessions, [&](const auto& session) { return session.second.address() == who; });
  state.links->probe.sessions(state.sessions.size());
}

GatewayRunning::behavior_type gateway_behavior(Self self, const GatewayLinks& links) {
  self->state.links = std::make_unique<GatewayLinks>(links);
  self->set_down_handler([=](const caf::down_msg& down) { session_ended(self, down.source); });
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        for (const auto& [host, session] : self->state.sessions) caf::anon_send(session, Shutdown{});
        self->quit();
      },
      [=](const NewIdentity& fresh) { self->state.links->identity = fresh.identity; },
      [=](const GatewayHello& message) { return hello(self, message); },
      [=](const GatewayJoin& message) { return join(self, message); },
      [=](const AskHost& message) { return ask(self, message.question); },
  };
}

}  // namespace

GatewayRunning spawn_gateway(caf::actor_system& system, const GatewayLinks& links) {
  return system.spawn(gateway_behavior, links);
}

Secret random_secret() {
  Challenge bytes = make_challenge();
  return {bytes.begin(), bytes.end()};
}

}  // namespace viaduct::actors
