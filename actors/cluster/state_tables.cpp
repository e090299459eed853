#include "actors/cluster/state_tables.hpp"

#include <memory>

#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

struct StateTablesState {
  const char* name = "state_tables";
  Status status{"state_tables", "state_tables"};
  std::unique_ptr<StateTablesLinks> links;
  std::unique_ptr<HostStates> states;
  log::RateLimit complaints{std::chrono::seconds(10)};
};

using Self = StateTablesActor::stateful_pointer<StateTablesState>;

SessionBegun begin(Self self, const BeginSession& request) {
  auto begun = self->state.states->begin(request, std::chrono::system_clock::now());
  if (begun.refused.empty()) {
    log::event(log::Component::store, log::Level::info, observability::EventKind::host_joined,
               begun.fresh ? "a host's session begins" : "a host's session goes on",
               {{"host", request.name}, {"epoch", begun.epoch}});
  } else {
    log::warning(log::Component::store, "a host is refused", {{"host", request.name}, {"reason", begun.refused}});
  }
  return begun;
}

topology::StateWritten write(Self self, const WriteStates& request) {
  auto& state = self->state;
  const uint64_t before = state.states->unneeded();
  auto written = state.states->write(request);
  const uint64_t refused = state.states->unneeded() - before;
  if (refused == 0) return written;
  state.links->probe.claims_refused(refused);
  log::limited(state.complaints, std::chrono::steady_clock::now(), log::Component::store, log::Level::warning,
               "a host claims NAT ports of a device, or checks a pool, that it does not need",
               {{"host", request.host.to_string()}, {"claims", refused}});
  return written;
}

Facts facts(Self self, const ReadFacts& request) {
  Facts out;
  auto take = [&](const std::string& key, const topology::StatePtr& entry) {
    if (!request.tables.empty() && !request.tables.contains(topology::state_table(key))) return;
    if (out.total++ < request.limit) out.entries.push_back(entry);
  };
  const topology::StateIndex& states = self->state.states->states();
  if (request.device.is_nil()) {
    states.for_each(take);
  } else {
    states.for_each_of_device(request.device, take);
  }
  return out;
}

StateTablesActor::behavior_type tables_behavior(Self self, const StateTablesLinks& links) {
  self->state.links = std::make_unique<StateTablesLinks>(links);
  self->state.states = std::make_unique<HostStates>(links.store, links.node, links.lease);
  self->send(links.topology, FollowStates{self});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const BeginSession& request) { return begin(self, request); },
      [=](const KeepSession& request) { return self->state.states->keep(request.host, request.epoch); },
      [=](const WriteStates& request) { return write(self, request); },
      [=](const ReadFacts& request) { return facts(self, request); },
      [=](const StatesChanged& changed) { self->state.states->follow(changed); },
  };
}

}  // namespace

StateTablesActor spawn_state_tables(caf::actor_system& system, const StateTablesLinks& links) {
  return system.spawn<caf::detached>(tables_behavior, links);
}

}  // namespace viaduct::actors
