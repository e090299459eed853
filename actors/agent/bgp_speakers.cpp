#include "actors/agent/bgp_speakers.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "actors/agent/speaker_leftovers.hpp"
#include "actors/agent/speaker_report.hpp"
#include "actors/agent/speaker_runner.hpp"
#include "actors/runtime/backoff.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace bgp = routing::bgp;
using observability::ActorState;
using observability::ActorStatus;

namespace {

struct Kept {
  SpeakerPlan plan;
  std::unique_ptr<SpeakerRunner> runner;  // none: it died, and begins again after a pause
  uint64_t life = 0;
  std::shared_ptr<const SpeakerStatus> status = std::make_shared<const SpeakerStatus>();
  Backoff backoff;
  ActorStatus actor;
};

// One that is to end: peers hear of it by its interface, and FRR may take seconds.
struct Ending {
  std::unique_ptr<SpeakerRunner> runner;
  SpeakersChanged::Wish wish;
};

constexpr std::chrono::milliseconds kEndingInterval{20};
constexpr uint32_t kLookAtEnding = UINT32_MAX;  // Tick::kind; others are tickets

struct SpeakersState {
  const char* name = "bgp_speakers";
  Status status{"bgp_speakers", "bgp_speakers"};
  std::unique_ptr<BgpSpeakersLinks> links;
  TopologyMirrorActor mirror;
  bool cleaned = false;
  std::map<PortId, Kept> speakers;
  std::map<PortId, Ending> ending;                 // a port that is to speak again waits until it has
  std::vector<std::string> problems;               // of the plan
  std::map<PortId, SpeakersChanged::Wish> wishes;  // as the mirror was told
  uint64_t lives = 0;
  std::map<uint32_t, PortId> respawns;  // Tick::kind -> port
  uint32_t next_respawn = 0;
};

using Self = BgpSpeakersActor::stateful_pointer<SpeakersState>;

void tell_routes(Self self, const RoutesLearned& routes) {
  if (routes.said.empty() && routes.ended.empty()) return;
  self->send(self->state.mirror, routes);
  self->send(self->state.links->publisher, routes);
}

// Of earlier lives, of ports that have no speaker any more; those that have clean up for themselves.
void remove_leftovers(Self self, const SpeakerPlans& plans) {
  const auto& links = *self->state.links;
  std::set<std::string> wanted;
  for (const auto& [port, plan] : plans.speakers) {
    wanted.insert(speaker_namespace(links.host, port));
    wanted.insert(speaker_link(links.host, port));
  }
  for (const std::string& problem : remove_speaker_leftovers(links.host, links.run_directory, wanted).problems)
    log::warning(log::Component::routing, "an earlier life's BGP speaker is left", {{"reason", problem}});
}

void set_state(Kept& kept, ActorState state) {
  kept.actor.state = state;
  kept.actor.since = std::chrono::system_clock::now();
}

void start(Self self, PortId port, Kept& kept, std::vector<topology::HostFact> adopted) {
  auto& state = self->state;
  kept.life = ++state.lives;
  SpeakerSetup setup{.port = port,
                     .life = kept.life,
                     .name = speaker_namespace(state.links->host, port),
                     .run_directory = {},
                     .plan = kept.plan,
                     .frr_directory = state.links->frr_directory,
                     .adopted = std::move(adopted)};
  setup.run_directory = speakers_directory(state.links->run_directory) + "/" + speaker_link(state.links->host, port);
  auto tell = [to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())](SpeakerSaid said) {
    if (auto keeper = caf::actor_cast<caf::actor>(to)) caf::anon_send(keeper, std::move(said));
  };
  kept.runner = std::make_unique<SpeakerRunner>(std::move(setup), std::move(tell));
  kept.actor.name = kept.plan.router_name + "/" + kept.plan.port_name;
  kept.actor.kind = "bgp_speaker";
  set_state(kept, ActorState::running);
}

// What their speakers have said, of ports that have none now.
RoutesLearned orphans(const std::vector<topology::HostFact>& restored, const SpeakerPlans& plans) {
  RoutesLearned out;
  std::ranges::copy_if(restored, std::back_inserter(out.ended), [&](const topology::HostFact& fact) {
    const auto* routes = std::get_if<topology::LearnedRoutes>(&fact);
    const auto* lost = std::get_if<topology::GatewayLost>(&fact);
    if (routes == nullptr && lost == nullptr) return false;
    return !plans.speakers.contains(routes != nullptr ? routes->port : lost->port);
  });
  return out;
}

SpeakersChanged::Wish wish_of(const SpeakerPlan& plan) {
  SpeakersChanged::Wish out{plan.uplink.outer, {}};
  for (const auto& peer : plan.config.peers) out.peers.push_back(peer.address);
  return out;
}

void end_unwanted(Self self, const SpeakerPlans& plans) {
  auto& state = self->state;
  const bool idle = state.ending.empty();
  for (auto at = state.speakers.begin(); at != state.speakers.end();) {
    auto& [port, kept] = *at;
    if (plans.speakers.contains(port)) {
      ++at;
      continue;
    }
    log::info(log::Component::routing, "a router's port speaks BGP no longer",
              {{"router", kept.plan.router_name}, {"port", kept.plan.port_name}});
    tell_changes(kept.plan, *kept.status, {}, state.links->probe);
    if (kept.runner) {
      kept.runner->end(SpeakerRunner::End::withdraw);
      state.ending[port] = {std::move(kept.runner), wish_of(kept.plan)};
    }
    at = state.speakers.erase(at);
  }
  if (idle && !state.ending.empty()) self->delayed_send(self, kEndingInterval, Tick{kLookAtEnding});
}

void wish(Self self) {
  auto& state = self->state;
  SpeakersChanged news;
  for (const auto& [port, kept] : state.speakers) news.speakers[port] = wish_of(kept.plan);
  for (const auto& [port, ending] : state.ending) news.speakers.try_emplace(port, ending.wish);
  if (news.speakers == state.wishes) return;
  state.wishes = news.speakers;
  self->send(state.mirror, std::move(news));
}

// New ones begin where an old one has ended.
void look_at_ending(Self self) {
  auto& state = self->state;
  std::erase_if(state.ending, [](const auto& one) { return one.second.runner->has_ended(); });
  for (auto& [port, kept] : state.speakers) {
    if (kept.life == 0 && !state.ending.contains(port)) start(self, port, kept, {});
  }
  wish(self);
  if (!state.ending.empty()) self->delayed_send(self, kEndingInterval, Tick{kLookAtEnding});
}

BgpReport report(const SpeakersState& state) {
  BgpReport out;
  out.problems = state.problems;
  for (const auto& [port, kept] : state.speakers) describe(kept.plan, *kept.status, out);
  return out;
}

void show(Self self) {
  auto& state = self->state;
  BgpNumbers numbers;
  for (const auto& [port, kept] : state.speakers) add_numbers(port, kept.plan, *kept.status, numbers);
  state.links->probe.observed(std::move(numbers.speakers), std::move(numbers.peers));
  state.links->probe.problems(report(state).problems.size());
}

void follow(Self self, const UplinksChanged& news) {
  auto& state = self->state;
  state.mirror = caf::actor_cast<TopologyMirrorActor>(self->current_sender());
  SpeakerPlans plans = plan_speakers(*news.topology, state.links->host);
  for (const std::string& problem : plans.problems) {
    if (std::find(state.problems.begin(), state.problems.end(), problem) == state.problems.end())
      log::warning(log::Component::routing, "BGP is not spoken as asked", {{"reason", problem}});
  }
  state.problems = std::move(plans.problems);
  if (!std::exchange(state.cleaned, true)) remove_leftovers(self, plans);
  tell_routes(self, orphans(news.restored, plans));
  end_unwanted(self, plans);
  for (auto& [port, plan] : plans.speakers) {
    Kept& kept = state.speakers[port];
    if (kept.plan == plan) continue;
    kept.plan = std::move(plan);
    if (kept.runner) {
      kept.runner->follow(kept.plan);
    } else if (kept.life == 0 && !state.ending.contains(port)) {
      start(self, port, kept, news.restored);
    }
  }
  wish(self);
  show(self);
}

void died(Self self, PortId port, Kept& kept, const std::string& why) {
  auto& state = self->state;
  log::event(log::Component::routing, log::Level::error, observability::EventKind::actor_died, "a BGP speaker died",
             {{"router", kept.plan.router_name}, {"port", kept.plan.port_name}, {"reason", why}});
  kept.runner.reset();
  const auto dead = std::make_shared<const SpeakerStatus>(SpeakerStatus{.problem = "it died: " + why});
  tell_changes(kept.plan, *std::exchange(kept.status, dead), *dead, state.links->probe);
  kept.actor.last_error = why;
  set_state(kept, ActorState::backing_off);
  state.links->restarted("bgp_speaker");
  const uint32_t ticket = state.next_respawn++;
  state.respawns[ticket] = port;
  self->delayed_send(self, kept.backoff.next(std::chrono::steady_clock::now()), Tick{ticket});
}

void respawn(Self self, uint32_t ticket) {
  auto& state = self->state;
  const auto found = state.respawns.extract(ticket);
  if (found.empty()) return;
  const auto at = state.speakers.find(found.mapped());
  if (at == state.speakers.end() || at->second.runner) return;
  ++at->second.actor.restarts;
  start(self, at->first, at->second, {});
}

// Routes count also of one that has been ended: its last word is what it takes back.
void hear(Self self, const SpeakerSaid& said) {
  tell_routes(self, said.routes);
  const auto at = self->state.speakers.find(said.port);
  if (at == self->state.speakers.end() || at->second.life != said.life) return;
  Kept& kept = at->second;
  if (said.status) {
    tell_changes(kept.plan, *kept.status, *said.status, self->state.links->probe);
    kept.status = said.status;
  }
  if (!said.died.empty()) died(self, said.port, kept, said.died);
  if (said.status || !said.died.empty()) show(self);
}

NodeReport actors(const SpeakersState& state) {
  NodeReport out;
  for (const auto& [port, kept] : state.speakers) out.actors.push_back(kept.actor);
  return out;
}

void shut_down(Self self) {
  for (auto& [port, kept] : self->state.speakers) {
    if (kept.runner) kept.runner->end(SpeakerRunner::End::keep);
  }
  self->state.speakers.clear();
  self->state.ending.clear();
  self->quit();
}

BgpSpeakersActor::behavior_type speakers_behavior(Self self, const BgpSpeakersLinks& links) {
  self->state.links = std::make_unique<BgpSpeakersLinks>(links);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { shut_down(self); },
      [=](const UplinksChanged& news) { follow(self, news); },
      [=](const SpeakerSaid& said) { hear(self, said); },
      [=](const ReportNode&) { return actors(self->state); },
      [=](const ReportBgp&) { return report(self->state); },
      [=](const Tick& timer) { timer.kind == kLookAtEnding ? look_at_ending(self) : respawn(self, timer.kind); },
  };
}

}  // namespace

BgpSpeakersActor spawn_bgp_speakers(caf::actor_system& system, const BgpSpeakersLinks& links) {
  return system.spawn<caf::detached>(speakers_behavior, links);
}

}  // namespace viaduct::actors
