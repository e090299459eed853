#include "actors/agent/tunnel_manager.hpp"

#include "actors/agent/tunnel_paths.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "routing/underlay/flap_damping.hpp"
#include "routing/underlay/liveness_table.hpp"
#include "routing/underlay/tunnel_keys.hpp"

namespace viaduct::actors {

namespace log = observability::log;
namespace underlay = routing::underlay;

namespace {

constexpr std::chrono::milliseconds kQuiet{100};  // hints of the kernel come in bursts
constexpr std::chrono::seconds kShowInterval{1};
constexpr std::chrono::seconds kAskAgain{30};  // for what the kernel gives no hint of: learned path MTUs

enum Timer : uint32_t { kProbes, kRefresh, kAsk, kHint };

struct TunnelState {
  const char* name = "tunnel_manager";
  Status status{"tunnel_manager", "tunnel_manager"};
  std::unique_ptr<TunnelLinks> links;
  TopologyMirrorActor mirror;  // whoever sent the topology
  std::unique_ptr<TunnelPaths> paths;
  std::unique_ptr<underlay::LivenessTable> liveness;
  HostPaths told;                    // the mirror
  std::optional<flows::Time> armed;  // when the next Tick{kProbes} comes
  flows::Time shown;                 // when the metrics were
  uint64_t late = 0;                 // of the liveness, as the metrics have it
  bool refresh_armed = false;
  std::set<std::string> problems;  // logged
  std::set<HostId> silent;         // since they were up, or for too short a time up again
  underlay::FlapDamping damping;   // which of them are up again

  ~TunnelState() {
    if (!links) return;
    links->addresses.on_change({});
    links->state.probes.on_ring({});
  }
};

using Self = TunnelManagerActor::stateful_pointer<TunnelState>;

flows::Time now() { return std::chrono::steady_clock::now(); }

// After each step. One timer at a time, for the earliest deadline.
void arm(Self self) {
  auto& state = self->state;
  auto next = state.liveness->next_deadline();
  if (const auto release = state.damping.next_release()) next = next ? std::min(*next, *release) : *release;
  if (!next || (state.armed && *state.armed <= *next)) return;
  state.armed = next;
  auto pause = std::max(flows::Time::duration::zero(), *next - now());
  self->delayed_send(self, std::chrono::ceil<std::chrono::milliseconds>(pause), Tick{kProbes});
}

HostPaths current(const TunnelState& state) {
  HostPaths out;
  out.copy_dscp = state.links->copy_dscp;
  for (const auto& [host, peer] : state.paths->peers().paths) {
    auto path = state.paths->path_to(peer);
    path.alive = !state.silent.contains(host);
    out.paths.emplace(host, path);
  }
  return out;
}

// A host that has answered and does not any more. One that never has may only not be there yet, and nothing goes by it.
void note(TunnelState& state, const underlay::StateChange& change) {
  if (change.to == underlay::LivenessState::up) {
    if (state.damping.came_back(change.peer, now())) {
      state.silent.erase(change.peer);
    } else {
      log::info(log::Component::datapath, "a host answers that was silent again and again: its routes stay doubtful",
                {{"peer", state.paths->name_of(change.peer)}});
    }
  }
  if (change.from == underlay::LivenessState::up) {
    state.silent.insert(change.peer);
    state.damping.fell_silent(change.peer, now());
  }
}

void tell_mirror(Self self) {
  auto& state = self->state;
  HostPaths now = current(state);
  if (now.paths == state.told.paths || !state.mirror) return;
  state.told = now;
  self->send(state.mirror, std::move(now));
}

void show(Self self) {
  auto& state = self->state;
  state.shown = now();
  std::vector<observability::TunnelNumbers> all;
  state.liveness->for_each([&](HostId host, const underlay::LivenessStats& stats) {
    auto peer = state.paths->peers().paths.find(host);
    if (peer == state.paths->peers().paths.end()) return;
    observability::TunnelNumbers line;
    line.peer = state.paths->name_of(host);
    line.kind = peer->second.kind == topology::TunnelType::gre ? "gre" : "vxlan";
    line.up = stats.state == underlay::LivenessState::up;
    line.round_trip = stats.round_trip;
    line.loss_to_us = stats.loss_to_us;
    line.loss_to_peer = stats.loss_to_peer;
    line.mtu_bytes = peer->second.mtu;
    all.push_back(std::move(line));
  });
  state.links->probe.observed(std::move(all));
  state.links->probe.late(state.liveness->late() - state.late);
  state.late = state.liveness->late();
  state.links->probe.held(state.damping.held());
}

void act(Self self, const underlay::LivenessActions& actions) {
  auto& state = self->state;
  for (const auto& probe : actions.send) {
    auto peer = state.paths->peers().paths.find(probe.receiver);
    if (peer == state.paths->peers().paths.end()) continue;
    auto path = state.paths->path_to(peer->second);
    auto frame = underlay::encode(probe);
    state.links->workers.send(
        {{frame.begin(), frame.end()}, {path.port, {underlay::kProbeKey, path.src, path.dst}, underlay::kProbeTos}});
  }
  for (const auto& change : actions.changes) {
    note(state, change);
    const std::string peer = state.paths->name_of(change.peer);
    state.links->probe.state_changed(peer, underlay::to_string(change.to));
    const bool up = change.to == underlay::LivenessState::up;
    log::event(
        log::Component::datapath, up ? log::Level::info : log::Level::warning,
        up ? observability::EventKind::tunnel_up : observability::EventKind::tunnel_down, "tunnel",
        {{"peer", peer}, {"state", underlay::to_string(change.to)}, {"reason", underlay::to_string(change.reason)}});
  }
  if (!actions.changes.empty()) tell_mirror(self);
  if (!actions.changes.empty() || now() - state.shown >= kShowInterval) show(self);
  arm(self);
}

HostPaths refresh(Self self) {
  auto& state = self->state;
  state.paths->refresh();
  const auto& peers = state.paths->peers();
  std::map<HostId, std::set<IpAddress>> sources;
  for (const auto& [host, path] : peers.paths) {
    auto found = peers.sources.find(host);
    sources.emplace(host, found == peers.sources.end() ? std::set<IpAddress>{path.dst} : found->second);
  }
  state.liveness->set_peers(sources, now());
  std::erase_if(state.silent, [&](HostId host) { return !sources.contains(host); });
  state.damping.forget([&](HostId host) { return !sources.contains(host); }, now());
  std::set<std::string> problems;
  for (const auto& problem : peers.problems) {
    problems.insert(problem.text);
    if (!state.problems.contains(problem.text)) log::warning(log::Component::datapath, problem.text);
  }
  state.problems = std::move(problems);
  state.links->probe.problems(state.problems.size());
  show(self);
  arm(self);
  state.told = current(state);
  return state.told;
}

TunnelReport report(const TunnelState& state) {
  TunnelReport out;
  state.liveness->for_each([&](HostId host, const underlay::LivenessStats& stats) {
    auto peer = state.paths->peers().paths.find(host);
    if (peer == state.paths->peers().paths.end()) return;
    out.tunnels.push_back({host, state.paths->name_of(host), peer->second.kind, peer->second.src, peer->second.dst,
                           peer->second.mtu, underlay::to_string(stats.state),
                           stats.round_trip.value_or(std::chrono::microseconds{0}), stats.loss_to_us.value_or(0)});
  });
  out.problems.assign(state.problems.begin(), state.problems.end());
  return out;
}

void take_probes(TunnelState& state, underlay::LivenessActions& actions) {
  for (const auto& received : state.links->state.probes.take()) {
    auto probe = underlay::decode_probe(received.frame);
    if (const auto* error = std::get_if<underlay::ProbeError>(&probe)) {
      state.links->probe.probe_refused(underlay::to_string(*error));
      continue;
    }
    auto fate = state.liveness->receive(std::get<underlay::Probe>(probe), received.tunnel.src, now(), actions);
    if (fate != underlay::ProbeFate::accepted && fate != underlay::ProbeFate::overtaken) {
      state.links->probe.probe_refused(underlay::to_string(fate));
    }
  }
}

void heard(Self self) {
  underlay::LivenessActions actions;
  take_probes(self->state, actions);
  act(self, actions);
}

// The interfaces that operators see. Said again now and then: the publisher may have begun anew.
void tell_interfaces(Self self) {
  constexpr size_t kMost = 4'096;
  auto& state = self->state;
  auto found = state.links->addresses.interfaces();
  auto* interfaces = std::get_if<std::vector<underlay::LocalInterface>>(&found);
  if (interfaces == nullptr) {
    log::warning(log::Component::datapath, "cannot list this host's interfaces",
                 {{"error", std::get<std::error_code>(found).message()}});
    return;
  }
  if (interfaces->size() > kMost) interfaces->resize(kMost);
  OwnInterfaces out;
  for (auto& each : *interfaces) {
    topology::HostInterface fact{std::move(each.name),     each.mac, each.mtu,
                                 std::move(each.kind),     each.up,  each.carrier,
                                 std::move(each.addresses)};
    out.entries.push_back({state.links->host, state.links->host.uuid(), 0, std::move(fact)});
  }
  if (state.links->publisher) self->send(state.links->publisher, std::move(out));
}

void ask_soon(Self self) {
  if (std::exchange(self->state.refresh_armed, true)) return;
  self->delayed_send(self, kQuiet, Tick{kRefresh});
}

void tick(Self self, uint32_t timer) {
  auto& state = self->state;
  if (timer == kProbes) {
    // One that an earlier deadline has overtaken comes for nothing, and must not start a timer of its own.
    if (state.armed && *state.armed <= now()) state.armed.reset();
    const auto released = state.damping.released(now());
    for (const HostId& host : released) state.silent.erase(host);
    underlay::LivenessActions actions;
    take_probes(state, actions);  // that wait, before anybody is said to be silent
    state.liveness->tick(now(), actions);
    act(self, actions);
    if (!released.empty()) tell_mirror(self);
    return;
  }
  if (timer == kAsk) self->delayed_send(self, kAskAgain, Tick{kAsk});
  state.refresh_armed = false;
  tell_interfaces(self);
  HostPaths before = state.told;
  if (refresh(self).paths != before.paths && state.mirror) self->send(state.mirror, state.told);
}

void reconfigure(Self self, const ReconfigureTunnels& wanted) {
  auto& state = self->state;
  state.liveness->configure(wanted.liveness, now());
  arm(self);
  if (std::exchange(state.links->copy_dscp, wanted.copy_dscp) == wanted.copy_dscp) return;
  state.told.copy_dscp = wanted.copy_dscp;
  if (state.mirror) self->send(state.mirror, state.told);
}

TunnelManagerActor::behavior_type tunnel_behavior(Self self, const TunnelLinks& links) {
  auto& state = self->state;
  state.links = std::make_unique<TunnelLinks>(links);
  state.paths = std::make_unique<TunnelPaths>(TunnelPaths::Options{links.host, links.vxlan_port, links.mtu},
                                              links.datapath, links.addresses);
  state.liveness = std::make_unique<underlay::LivenessTable>(links.host, underlay::kernel_random(), links.liveness);
  auto weak = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl());
  links.state.probes.on_ring([weak] {
    if (auto me = caf::actor_cast<caf::actor>(weak)) caf::anon_send(me, NewsWaits{});
  });
  links.addresses.on_change([weak] {
    if (auto me = caf::actor_cast<caf::actor>(weak)) caf::anon_send(me, Tick{kHint});
  });
  self->send(self, NewsWaits{});  // what an earlier life of this actor has not taken
  self->send(self, Tick{kAsk});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        underlay::LivenessActions actions;
        self->state.liveness->leave(now(), actions);
        act(self, actions);
        self->quit();
      },
      [=](const UnderlayTopology& topology) {
        self->state.mirror = caf::actor_cast<TopologyMirrorActor>(self->current_sender());
        self->state.paths->set_topology(topology);
        return refresh(self);
      },
      [=](const ReportTunnels&) { return report(self->state); },
      [=](const ReconfigureTunnels& wanted) { reconfigure(self, wanted); },
      [=](const NewsWaits&) { heard(self); },
      [=](const Tick& timer) {
        if (timer.kind == kHint) return ask_soon(self);
        tick(self, timer.kind);
      },
  };
}

}  // namespace

TunnelManagerActor spawn_tunnel_manager(caf::actor_system& system, const TunnelLinks& links) {
  return system.spawn<caf::detached>(tunnel_behavior, links);
}

}  // namespace viaduct::actors
