#include "actors/agent/health_checker.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "actors/agent/health_duty.hpp"
#include "actors/runtime/status.hpp"
#include "flows/simulation/health_check.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using flows::health::Answer;
using flows::health::HealthActions;
using flows::health::HealthChecker;
using flows::health::Probe;
using observability::EventKind;

namespace {

struct CheckerState {
  const char* name = "health_checker";
  Status status{"health_checker", "health_checker"};
  std::unique_ptr<HealthCheckerLinks> links;
  std::unique_ptr<HealthDuty> duty;
  std::unique_ptr<HealthChecker> checker;
  TopologyMirrorActor mirror;
  SnapshotPtr topology;  // none before the mirror's first
  // Of the message that is being handled.
  HealthDutyActions duties;
  HealthActions actions;
  std::vector<PoolId> found;         // reports that have changed
  std::set<PoolId> told;             // that they are checked here
  std::optional<flows::Time> armed;  // the earliest timer under way

  ~CheckerState() {
    if (links) links->state.health_answers.on_ring({});
  }
};

using Self = HealthCheckerActor::stateful_pointer<CheckerState>;

flows::Time clock_now() { return std::chrono::steady_clock::now(); }

uint64_t unix_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

// By the routes as they now are. Without any, the check hears so as it would hear of a missing neighbour.
void send_probe(Self self, const Probe& probe) {
  auto& state = self->state;
  const auto network = state.links->state.network.load();
  const auto way = flows::simulation::way_to_member(*network, probe.router, probe.to);
  if (!way) {
    Answer none{probe.router, Answer::Kind::no_neighbour, probe.kind, probe.to, {}, probe.to_port, probe.from_port};
    state.checker->answer(none, clock_now(), state.actions);
    return;
  }
  Probe whole = probe;
  if (!whole.from) whole.from = way->source;
  state.links->workers.emit({way->port, flows::health::make_frame(whole, way->mac),
                             flows::simulation::EmittedPacket::Limit::none, probe.router.uuid()});
}

void announce(Self self, const flows::health::MemberTurned& turned) {
  auto& state = self->state;
  const auto* pool = state.topology->find(turned.pool);
  const auto* member = state.topology->find(turned.health.member);
  if (!turned.turned || pool == nullptr || member == nullptr) return;
  state.links->probe.turned(turned.health.up);
  const std::string where =
      member->address.is_v6() ? "[" + member->address.to_string() + "]" : member->address.to_string();
  log::event(log::Component::device, turned.health.up ? log::Level::info : log::Level::warning,
             turned.health.up ? EventKind::member_up : EventKind::member_down,
             turned.health.up ? "a pool's member is up" : "a pool's member is down",
             {{"pool", pool->name.empty() ? pool->id.to_string() : pool->name},
              {"member", where + ":" + std::to_string(member->port)},
              {"reason", topology::describe(turned.health.result, turned.health.detail)}});
}

void tell(Self self, EventKind kind, PoolId id, std::string_view message) {
  const auto* pool = self->state.topology == nullptr ? nullptr : self->state.topology->find(id);
  log::event(log::Component::device, log::Level::info, kind, message,
             {{"pool", pool == nullptr || pool->name.empty() ? id.to_string() : pool->name}});
}

// A duty may begin anew, by another plan.
void perform_duties(Self self) {
  auto& state = self->state;
  for (const PoolId pool : state.duties.end) {
    state.checker->stop(pool);
    if (state.told.erase(pool) != 0)
      tell(self, EventKind::pool_released, pool, "a pool's members are not checked here any more");
  }
  for (const PoolId pool : state.duties.begin) {
    if (state.told.insert(pool).second) tell(self, EventKind::pool_taken, pool, "a pool's members are checked here");
    state.checker->check(state.duty->plan(pool), state.duty->report(pool).members, clock_now());
  }
}

// Probes that cannot be sent end checks, which may begin others.
void perform_checks(Self self) {
  auto& state = self->state;
  while (!state.actions.send.empty() || !state.actions.turned.empty()) {
    const HealthActions now = std::exchange(state.actions, {});
    for (const auto& turned : now.turned) {
      announce(self, turned);
      if (state.duty->found(turned, unix_now())) state.found.push_back(turned.pool);
    }
    for (const Probe& probe : now.send) send_probe(self, probe);
  }
}

void tell_others(Self self) {
  auto& state = self->state;
  const bool own_changed = state.duties.own_changed() || !state.found.empty();
  HealthClaims claims{{}, self};
  for (const PoolId pool : state.duties.release) claims.claims.push_back({{pool}, false});
  auto& claimed = state.duties.claim;
  claimed.insert(claimed.end(), state.found.begin(), state.found.end());
  std::sort(claimed.begin(), claimed.end());
  claimed.erase(std::unique(claimed.begin(), claimed.end()), claimed.end());
  for (const PoolId pool : claimed) claims.claims.push_back({state.duty->report(pool), true});
  if (!claims.claims.empty()) self->send(state.links->publisher, std::move(claims));
  state.duties = {};
  state.found.clear();
  if (!own_changed || !state.mirror) return;
  OwnHealth own;
  for (const PoolId pool : state.duty->checking()) own.reports.emplace(pool, state.duty->report(pool));
  self->send(state.mirror, std::move(own));
}

void show(Self self) {
  auto& state = self->state;
  size_t down = 0;
  const auto checking = state.duty->checking();
  for (const PoolId pool : checking) {
    const auto& members = state.duty->report(pool).members;
    down += static_cast<size_t>(std::count_if(members.begin(), members.end(), [](const auto& one) { return !one.up; }));
  }
  state.links->probe.checking(checking.size(), state.checker->members(), down, state.checker->results());
}

// What the message has led to: one write for all of it, one timer.
void settle(Self self) {
  auto& state = self->state;
  perform_duties(self);
  perform_checks(self);
  tell_others(self);
  show(self);
  auto next = state.duty->next_deadline();
  if (const auto check = state.checker->next_deadline(); check && (!next || *check < *next)) next = check;
  if (!next || (state.armed && *state.armed <= *next)) return;
  state.armed = next;
  const auto pause = std::max(flows::Time::duration::zero(), *next - clock_now());
  self->delayed_send(self, std::chrono::ceil<std::chrono::milliseconds>(pause), Tick{});
}

void follow(Self self, const PoolsChanged& news) {
  auto& state = self->state;
  state.mirror = caf::actor_cast<TopologyMirrorActor>(self->current_sender());
  state.topology = news.topology;
  // The topology may have brought what the state tables speak of, and the tables say who checks it already.
  for (const auto& change : news.changes) state.duty->follow(change, clock_now(), state.duties);
  state.duty->follow(*news.topology, clock_now(), state.duties);
  settle(self);
}

void hear(Self self) {
  auto& state = self->state;
  uint64_t late = 0;
  for (const Answer& answer : state.links->state.health_answers.take()) {
    if (!state.checker->answer(answer, clock_now(), state.actions)) ++late;
  }
  state.links->probe.unexpected(late);
  settle(self);
}

void answered(Self self, const HealthClaimsAnswered& answer) {
  auto& state = self->state;
  for (const PoolId pool : answer.won) state.duty->won(pool, state.duties);
  for (const PoolId pool : answer.lost) state.duty->lost(pool, clock_now(), state.duties);
  settle(self);
}

void session_changed(Self self, bool joined) {
  auto& state = self->state;
  if (joined) {
    state.duty->joined(clock_now(), state.duties);
  } else {
    state.duty->cut(clock_now());
  }
  settle(self);
}

void tick(Self self) {
  auto& state = self->state;
  // One that an earlier deadline has overtaken comes for nothing, and must not start a timer of its own.
  if (state.armed && *state.armed <= clock_now()) state.armed.reset();
  state.duty->tick(clock_now(), state.duties);
  state.checker->tick(clock_now(), state.actions);
  settle(self);
}

HealthCheckerActor::behavior_type checker_behavior(Self self, const HealthCheckerLinks& links) {
  auto& state = self->state;
  std::random_device seed;
  state.links = std::make_unique<HealthCheckerLinks>(links);
  state.duty = std::make_unique<HealthDuty>(links.host, seed());
  state.checker = std::make_unique<HealthChecker>(uint64_t{seed()} << 32 | seed());
  state.duty->cut(clock_now());
  links.state.health_answers.on_ring([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())] {
    if (auto checker = caf::actor_cast<caf::actor>(to)) caf::anon_send(checker, NewsWaits{});
  });
  self->send(links.publisher, HealthClaims{{}, self});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const NewsWaits&) { hear(self); },
      [=](const PoolsChanged& news) { follow(self, news); },
      [=](const HealthClaimsAnswered& answer) { answered(self, answer); },
      [=](const HealthSession& session) { session_changed(self, session.joined); },
      [=](const Tick&) { tick(self); },
  };
}

}  // namespace

HealthCheckerActor spawn_health_checker(caf::actor_system& system, const HealthCheckerLinks& links) {
  return system.spawn(checker_behavior, links);
}

}  // namespace viaduct::actors
