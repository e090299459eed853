#include <memory>
#include <set>
#include <utility>

#include "actors/agent/devices.hpp"
#include "actors/agent/neighbour_resolver.hpp"
#include "actors/runtime/status.hpp"
#include "flows/packet/build.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using flows::simulation::Network;

namespace {

constexpr std::chrono::seconds kAdoptInterval{60};  // finds what a lost message did not tell
enum Timer : uint32_t { kDue, kAdopt };

struct RouterState {
  const char* name = "router";
  Status status{"router", "router"};
  RouterId id;
  std::unique_ptr<DeviceLinks> links;
  std::unique_ptr<NeighbourResolver> resolver;
  std::optional<flows::Time> armed;  // when the next Tick{kDue} comes
  uint64_t untracked = 0;            // counted already
};

using Self = RouterDeviceActor::stateful_pointer<RouterState>;

flows::Time now() { return std::chrono::steady_clock::now(); }

// After each step.
void arm(Self self) {
  auto& state = self->state;
  state.links->state.untracked += state.resolver->refused() - std::exchange(state.untracked, state.resolver->refused());
  auto next = state.resolver->next_deadline();
  if (!next || (state.armed && *state.armed <= *next)) return;
  state.armed = next;
  auto pause = std::max(flows::Time::duration::zero(), *next - now());
  self->delayed_send(self, std::chrono::ceil<std::chrono::milliseconds>(pause), Tick{kDue});
}

// The port's address that the neighbour would answer to: of its subnet, else (IPv6) the link-local one.
std::optional<IpAddress> source_for(const flows::simulation::PortView& port, const IpAddress& target) {
  for (const auto& prefix : port.addresses) {
    if (prefix.contains(target)) return prefix.address();
  }
  if (target.is_v6()) return IpAddress::link_local_of(port.mac);
  return std::nullopt;
}

void ask(const RouterState& state, const ResolverActions::Ask& question) {
  auto network = state.links->state.network.load();
  const auto* port = network->port(question.port);
  if (port == nullptr) return;
  auto source = source_for(*port, question.address);
  if (!source) return;
  auto frame = question.address.is_v4() ? flows::make_arp_request(port->mac, *source, question.address)
                                        : flows::make_neighbour_solicitation(port->mac, *source, question.address);
  if (question.unicast) std::copy_n(question.unicast->bytes().begin(), 6, frame.begin());
  state.links->workers.emit({question.port, std::move(frame), EmitPacket::Limit::none, state.id.uuid()});
}

void act(Self self, const ResolverActions& actions) {
  auto& state = self->state;
  auto& links = *state.links;
  auto& table = links.state.neighbours;
  for (const auto& question : actions.ask) ask(state, question);
  for (const auto& mark : actions.mark) {
    bool set = table.set_state_if_older(mark.key, mark.state, now(), mark.deadline);
    if (set && mark.state == flows::NeighbourState::failed) {
      links.state.changed(flows::simulation::invalidated_by_expiry(mark.key));
      links.state.state_news.changed(mark.key);
    }
  }
  for (const auto& ended : actions.expire) {
    if (table.erase_if_older(ended.key, ended.deadline)) {
      links.state.changed(flows::simulation::invalidated_by_expiry(ended.key));
      links.state.state_news.changed(ended.key);
    }
  }
  for (const auto& neighbour : actions.failed) links.workers.neighbour_failed(neighbour);
  for (const auto& neighbour : actions.ready) links.workers.neighbour_ready(neighbour);
  arm(self);
}

void heard(Self self, const DeviceEvents& events) {
  auto& resolver = *self->state.resolver;
  const auto& table = self->state.links->state.neighbours;
  ResolverActions actions;
  for (const auto& learned : events.neighbours) resolver.learned(learned.key.port, learned.key.address, now());
  for (const auto& wanted : events.wanted) resolver.wanted(wanted.port, wanted.address, now(), table, actions);
  for (const auto& stale : events.refresh) resolver.refresh(stale.port, stale.address, now(), table, actions);
  act(self, actions);
}

void forget(Self self, const VoidPorts& news) {
  ResolverActions actions;
  for (PortId port : news.ports) self->state.resolver->port_gone(port, actions);
  act(self, actions);
}

void adopt(Self self) {
  self->state.resolver->adopt(self->state.links->state.neighbours, now());
  self->delayed_send(self, kAdoptInterval, Tick{kAdopt});
  arm(self);
}

void tick(Self self, uint32_t timer) {
  if (timer == kAdopt) return adopt(self);
  self->state.armed.reset();
  ResolverActions actions;
  self->state.resolver->tick(now(), self->state.links->state.neighbours, actions);
  act(self, actions);
}

void flush(Self self) {
  ResolverActions actions;
  self->state.resolver->flush(self->state.links->state.neighbours, actions);
  act(self, actions);
}

RouterDeviceActor::behavior_type router_behavior(Self self, RouterId router, const DeviceLinks& links) {
  self->state.id = router;
  self->state.links = std::make_unique<DeviceLinks>(links);
  self->state.resolver = std::make_unique<NeighbourResolver>(router, Uuid::random().low());
  adopt(self);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const DeviceEvents& events) { heard(self, events); },
      [=](const VoidPorts& news) { forget(self, news); },
      [=](const FlushState&) {
        flush(self);
        return StateFlushed{};
      },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

RouterDeviceActor spawn_router_device(caf::actor_system& system, RouterId router, const DeviceLinks& links) {
  return system.spawn(router_behavior, router, links);
}

}  // namespace viaduct::actors
