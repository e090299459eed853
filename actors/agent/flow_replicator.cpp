#include "actors/agent/flow_replicator.hpp"

#include <map>
#include <memory>
#include <unordered_map>

#include "actors/agent/state_claims.hpp"
#include "actors/runtime/status.hpp"
#include "flows/simulation/state_peers.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace {

namespace log = observability::log;
using observability::EventKind;

using flows::ConnectionKey;
using flows::ReplicationTicket;

constexpr std::chrono::seconds kShowInterval{1};
constexpr std::chrono::seconds kComplaintInterval{10};

enum Timer : uint32_t { kDue, kShow };

// Whoever waits for ports' connections: until all questions are over.
struct HandOver {
  caf::typed_response_promise<HandedOver> promise;
  size_t open = 0;
};

struct ReplicatorState {
  const char* name = "flow_replicator";
  Status status{"flow_replicator", "flow_replicator"};
  std::unique_ptr<FlowReplicatorLinks> links;
  NetworkSlot::Ptr network;
  StateClaims claims;
  std::unique_ptr<flows::Replicator> replicator;
  std::map<HostId, bool> answering;                           // hosts that there is a tunnel to
  std::unordered_map<ReplicationTicket, flows::Time> waited;  // packets that wait, since when
  std::map<uint64_t, std::shared_ptr<HandOver>> hand_overs;   // by question
  log::RateLimit complaints{kComplaintInterval};
  std::optional<flows::Time> armed;  // when the next Tick{kDue} comes

  ~ReplicatorState() {
    if (!links) return;
    links->state.replication_news.on_ring({});
    links->state.state_frames.on_ring({});
  }
};

using Self = FlowReplicatorActor::stateful_pointer<ReplicatorState>;

flows::Time clock_now() { return std::chrono::steady_clock::now(); }

void send(const ReplicatorState& state, const flows::StateFrame& frame, flows::Time now) {
  const auto* path = state.network->locations().paths.find(frame.receiver);
  if (path == nullptr || !path->port) return;  // it is sent again, or the host is forgotten
  state.links->workers.send(
      {flows::encode(frame, now), {path->port, {flows::kStateKey, path->src, path->dst}, flows::kStateTos}});
}

void release(ReplicatorState& state, const std::vector<ReplicationTicket>& tickets, flows::Time now) {
  for (ReplicationTicket ticket : tickets) {
    state.links->workers.state_ready(ticket);
    const auto since = state.waited.find(ticket);
    if (since == state.waited.end()) continue;
    state.links->probe.waited(now - since->second);
    state.waited.erase(since);
  }
}

void ended(ReplicatorState& state, std::string_view why, size_t connections, flows::Time now) {
  log::limited(state.complaints, now, log::Component::device, log::Level::warning, "connections have ended",
               {{"why", why}, {"connections", connections}});
}

void hear(ReplicatorState& state, flows::Time now) {
  std::vector<ConnectionKey> changed;
  size_t refused = 0;
  for (const auto& received : state.links->state.state_frames.take()) {
    const auto frame = flows::decode_state_frame(received.frame, now);
    if (const auto* error = std::get_if<flows::StateFrameError>(&frame)) {
      state.links->probe.frame_refused(flows::to_string(*error));
      continue;
    }
    const HostId* by = state.network->peer_at(received.tunnel.src);
    if (by == nullptr) {
      state.links->probe.frame_refused("unknown_tunnel_peer");
      continue;
    }
    auto out = state.replicator->receive(std::get<flows::StateFrame>(frame), *by, now);
    changed.insert(changed.end(), out.changed.begin(), out.changed.end());
    refused += out.refused;
    if (out.answer) send(state, *out.answer, now);
    release(state, out.released, now);
  }
  state.links->state.connections_changed(changed);
  if (refused > 0) ended(state, "their NAT ports are another host's, which has given them out again", refused, now);
}

void share(ReplicatorState& state, const SharedState& what, flows::Time now) {
  const bool waits = state.replicator->share({{what.keys.begin(), what.keys.end()},
                                              {what.ends.begin(), what.ends.end()},
                                              {what.peers.begin(), what.peers.end()},
                                              what.ticket,
                                              false,
                                              what.opened},
                                             now);
  if (what.ticket == 0) return;
  if (waits) {
    state.waited.emplace(what.ticket, now);
  } else {
    state.links->workers.state_ready(what.ticket);
  }
}

void end(ReplicatorState& state, const EndedState& what, flows::Time now) {
  if (what.where == EndedWhere::copies && !state.replicator->made_here(what.key)) return;
  state.replicator->ended({&what.key, 1}, now);
}

// The disk has it from the news; flows stay as they are.
void yield(ReplicatorState& state, const YieldedState& what, flows::Time now) {
  state.claims.lost(what.keys, state.links->host);
  const auto copies = state.replicator->yield(what.keys, now);
  if (copies.empty()) return;
  state.links->state.connection_news.changed(copies);
  log::info(log::Component::device, "connections with another host's NAT ports go on here as copies",
            {{"entries", copies.size()}});
}

void follow_news(ReplicatorState& state, flows::Time now) {
  for (const auto& news : state.links->state.replication_news.take()) {
    if (const auto* what = std::get_if<SharedState>(&news)) {
      share(state, *what, now);
    } else if (const auto* yielded = std::get_if<YieldedState>(&news)) {
      yield(state, *yielded, now);
    } else {
      end(state, std::get<EndedState>(news), now);
    }
  }
}

void answered(ReplicatorState& state, uint64_t question) {
  const auto at = state.hand_overs.find(question);
  if (at == state.hand_overs.end()) return;
  const auto hand_over = at->second;
  state.hand_overs.erase(at);
  if (--hand_over->open == 0) hand_over->promise.deliver(HandedOver{});
}

// Sends what waits, and wakes up when something is due.
void pump(Self self) {
  auto& state = self->state;
  const flows::Time now = clock_now();
  for (;;) {
    const auto work = state.replicator->poll(now);
    for (const auto& frame : work.frames) send(state, frame, now);
    release(state, work.released, now);
    for (const uint64_t question : work.handed) answered(state, question);
    state.links->state.connections_changed(work.ended);
    if (!work.ended.empty()) {
      ended(state, "their NAT ports are another host's, which cannot be reached", work.ended.size() / 2, now);
    }
    if (work.frames.empty()) break;
  }
  const auto next = state.replicator->next_deadline();
  if (!next || (state.armed && *state.armed <= *next)) return;
  state.armed = next;
  const auto pause = std::max(flows::Time::duration::zero(), *next - now);
  self->delayed_send(self, std::chrono::ceil<std::chrono::milliseconds>(pause), Tick{kDue});
}

void woken(Self self) {
  const flows::Time now = clock_now();
  hear(self->state, now);
  follow_news(self->state, now);
  pump(self);
}

// What this host knew before there were others, or before it was started anew: of its packets' ends one is known.
void share_what_is_there(ReplicatorState& state, flows::Time now) {
  std::unordered_map<uint64_t, PortId> ports;
  state.network->for_each_port([&](const flows::simulation::PortView& port) {
    if (port.exterior) ports.emplace(std::hash<PortId>{}(port.id), port.id);
  });
  std::map<PortId, std::vector<ConnectionKey>> found;
  state.links->state.connections.for_each([&](const ConnectionKey& key, const flows::ConnectionEntry& entry) {
    const auto port = ports.find(entry.port_account);
    if (port == ports.end() || key.kind == flows::ConnectionKind::fragment || state.replicator->knows(key)) return;
    found[port->second].push_back(key);
  });
  for (const auto& [port, keys] : found) {
    flows::simulation::StatePeers peers;
    flows::simulation::add_state_peers(*state.network, {&port, 1}, peers);
    state.replicator->share({keys, {&port, 1}, {peers.begin(), peers.end()}}, now);
  }
}

void tell(const ReplicatorState& state, log::Level level, EventKind kind, HostId peer, std::string_view message) {
  const auto* host = state.network->snapshot().find(peer);
  log::event(log::Component::device, level, kind, message, {{"peer", host == nullptr ? peer.to_string() : host->name}});
}

void follow_hosts(ReplicatorState& state, flows::Time now) {
  std::map<HostId, bool> answering;
  std::vector<HostId> hosts;
  state.network->locations().paths.for_each([&](HostId host, const flows::simulation::TunnelPath& path) {
    if (!path.port) return;
    answering[host] = path.alive;
    hosts.push_back(host);
  });
  const bool first = state.answering.empty() && !answering.empty();
  state.replicator->reach(hosts);
  for (const auto& [host, answers] : answering) {
    const auto before = state.answering.find(host);
    if (!answers && (before == state.answering.end() || before->second)) {
      state.replicator->lost(host, now);
      if (before != state.answering.end()) {
        tell(state, log::Level::warning, EventKind::replication_lost, host, "a host is told of connections no more");
      }
    }
    if (answers && before != state.answering.end() && !before->second) {
      state.replicator->back(host, now);
      tell(state, log::Level::info, EventKind::replication_resync, host, "a host is told all connections anew");
    }
  }
  state.answering = std::move(answering);
  if (first) share_what_is_there(state, now);
}

void follow(Self self, const EndsMoved& news) {
  auto& state = self->state;
  const flows::Time now = clock_now();
  state.network = news.network;
  state.claims.set_network(news.network);
  follow_hosts(state, now);
  state.replicator->moved(news.ends, now);
  pump(self);
}

caf::result<HandedOver> await(Self self, const AwaitHandOver& request) {
  auto& state = self->state;
  auto hand_over = std::make_shared<HandOver>();
  for (const auto& [host, ports] : request.ports) {
    for (size_t at = 0; at < ports.size(); at += flows::kMaxAsked) {
      const auto first = ports.begin() + static_cast<std::ptrdiff_t>(at);
      const auto last = ports.begin() + static_cast<std::ptrdiff_t>(std::min(ports.size(), at + flows::kMaxAsked));
      const uint64_t question = state.replicator->ask(host, {first, last}, clock_now());
      if (question == 0) continue;
      ++hand_over->open;
      state.hand_overs.emplace(question, hand_over);
    }
  }
  if (hand_over->open == 0) return HandedOver{};
  hand_over->promise = self->make_response_promise<HandedOver>();
  pump(self);
  return hand_over->promise;
}

void show(ReplicatorState& state) {
  const auto counters = state.replicator->counters();
  observability::ReplicationProbe::Numbers now;
  now.shared = state.replicator->shared();
  now.waiting = state.replicator->backlog();
  now.lag = state.replicator->lag(clock_now());
  for (const auto& [host, answers] : state.answering) now.silent_peers += state.replicator->silent(host) ? 1 : 0;
  now.sent = counters.sent;
  now.sent_again = counters.sent_again;
  now.received = counters.received;
  now.overflows = counters.overflows;
  now.resyncs = counters.resyncs;
  now.unacknowledged = counters.unacknowledged;
  now.handed_over = counters.handed_over;
  now.not_answered = counters.not_answered;
  now.yielded = counters.yielded;
  now.taken_over = counters.taken_over;
  now.yields_refused = counters.yields_refused;
  now.yields_unheard = counters.yields_unheard;
  now.refused = {{"not_for_us", counters.not_for_us},
                 {"not_theirs", counters.not_theirs},
                 {"conflict", counters.conflicts},
                 {"table_full", counters.table_full},
                 {"shared_full", counters.not_shared},
                 {"inbox_full", state.links->state.state_frames.refused()},
                 {"news_full", state.links->state.replication_news.lost()}};
  state.links->probe.observed(now);
}

void tick(Self self, uint32_t timer) {
  auto& state = self->state;
  if (timer == kShow) {
    show(state);
    return self->delayed_send(self, kShowInterval, Tick{kShow});
  }
  // One that an earlier deadline has overtaken comes for nothing, and must not start a timer of its own.
  if (state.armed && *state.armed <= clock_now()) state.armed.reset();
  pump(self);
}

FlowReplicatorActor::behavior_type replicator_behavior(Self self, const FlowReplicatorLinks& links) {
  auto& state = self->state;
  state.links = std::make_unique<FlowReplicatorLinks>(links);
  state.network = std::make_shared<const flows::simulation::Network>();
  const auto peers_of = [self](std::span<const PortId> ends) {
    flows::simulation::StatePeers peers;
    flows::simulation::add_state_peers(*self->state.network, ends, peers);
    return std::vector<HostId>(peers.begin(), peers.end());
  };
  const auto may_claim = [self](HostId by, const flows::ConnectionUpdate& update) {
    return self->state.claims.may_claim(by, self->state.links->host, update);
  };
  const auto holder_of = [self](const ConnectionKey& key) { return self->state.claims.holder_of(key); };
  flows::Replicator::Options options;
  options.link.patience = links.state.replication_patience;
  options.link.on_acknowledged = [probe = &links.probe](std::chrono::nanoseconds took) { probe->acknowledged(took); };
  state.replicator = std::make_unique<flows::Replicator>(links.host, links.life, links.state.connections, may_claim,
                                                         peers_of, holder_of, options);
  const auto weak = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl());
  const auto wake = [weak] {
    if (auto me = caf::actor_cast<caf::actor>(weak)) caf::anon_send(me, NewsWaits{});
  };
  links.state.replication_news.on_ring(wake);
  links.state.state_frames.on_ring(wake);
  self->send(self, NewsWaits{});  // what came before
  self->delayed_send(self, kShowInterval, Tick{kShow});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const NewsWaits&) { woken(self); },
      [=](const EndsMoved& news) { follow(self, news); },
      [=](const NatBlocksChanged& news) {
        self->state.claims.follow(news.changes);
        self->state.replicator->leases_changed(clock_now());
        pump(self);
      },
      [=](const AwaitHandOver& request) { return await(self, request); },
      [=](const Tick& due) { tick(self, due.kind); },
  };
}

}  // namespace

FlowReplicatorActor spawn_flow_replicator(caf::actor_system& system, const FlowReplicatorLinks& links) {
  return system.spawn<caf::detached>(replicator_behavior, links);
}

}  // namespace viaduct::actors
