#include "actors/agent/connections_actor.hpp"

#include <memory>

#include "actors/agent/connection_ageing.hpp"
#include "actors/runtime/status.hpp"

namespace viaduct::actors {

namespace {

constexpr std::chrono::milliseconds kSliceInterval{50};

struct ConnectionsState {
  const char* name = "connections";
  Status status{"connections", "connections"};
  std::unique_ptr<ConnectionsLinks> links;
  std::unique_ptr<ConnectionAgeing> ageing;
};

using Self = ConnectionsActor::stateful_pointer<ConnectionsState>;

void tell(const ConnectionsState& state, const EndedConnections& ended) {
  AgentState& shared = state.links->state;
  if (ended.flushed > 0) {
    shared.connections_ended(ended.keys, EndedWhere::everywhere);
  } else if (ended.evicting) {
    shared.connections_ended(ended.keys, EndedWhere::copies);
  } else {
    shared.connections_changed(ended.keys);
  }
  auto& probe = state.links->probe;
  for (size_t i = 0; i < kExpiries; ++i) {
    if (ended.expired[i] > 0) probe.expired(to_string(static_cast<Expiry>(i)), ended.expired[i]);
  }
  for (size_t i = 0; i < kShortages; ++i) {
    if (ended.evicted[i] > 0) probe.evicted(to_string(static_cast<Shortage>(i)), ended.evicted[i]);
  }
  if (ended.flushed > 0) probe.flushed(ended.flushed);
}

void show(const ConnectionsState& state) {
  const ConnectionCensus& census = state.ageing->census();
  auto& probe = state.links->probe;
  for (size_t kind = 0; kind < ConnectionCensus::kKinds; ++kind) {
    probe.entries(to_string(static_cast<flows::ConnectionKind>(kind)), census.kinds[kind]);
  }
  for (size_t proto = 0; proto < ConnectionCensus::kProtocols; ++proto) {
    for (size_t at = 0; at < ConnectionCensus::kStates; ++at) {
      probe.connections(ConnectionCensus::kProtocolNames[proto], to_string(static_cast<flows::ConnectionState>(at)),
                        census.connections[proto][at]);
    }
  }
}

void walk(Self self) {
  auto& state = self->state;
  tell(state, state.ageing->walk(std::chrono::steady_clock::now()));
  if (state.ageing->round_over()) show(state);
  if (state.ageing->hurries()) {
    self->send(self, Tick{});
  } else {
    self->delayed_send(self, kSliceInterval, Tick{});
  }
}

ConnectionsFlushed flush(Self self, const ConnectionFilter& filter) {
  const EndedConnections ended = self->state.ageing->flush(filter);
  tell(self->state, ended);
  return {ended.keys.size()};
}

ConnectionsActor::behavior_type connections_behavior(Self self, const ConnectionsLinks& links) {
  self->state.links = std::make_unique<ConnectionsLinks>(links);
  self->state.ageing = std::make_unique<ConnectionAgeing>(links.state.connections, links.limits, links.timeouts);
  self->delayed_send(self, kSliceInterval, Tick{});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const ReconfigureConnections& now) { self->state.ageing->set_timeouts(now.timeouts); },
      [=](const FlushConnections& request) { return flush(self, request.filter); },
      [=](const Tick&) { walk(self); },
  };
}

}  // namespace

ConnectionsActor spawn_connections(caf::actor_system& system, const ConnectionsLinks& links) {
  return system.spawn(connections_behavior, links);
}

}  // namespace viaduct::actors
