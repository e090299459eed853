#include <memory>
#include <utility>

#include "actors/agent/devices.hpp"
#include "actors/runtime/status.hpp"

namespace viaduct::actors {

namespace {

constexpr std::chrono::seconds kAdoptInterval{60};  // finds what a lost message did not tell
enum Timer : uint32_t { kDue, kAdopt };

struct BridgeState {
  const char* name = "bridge";
  Status status{"bridge", "bridge"};
  std::unique_ptr<DeviceLinks> links;
  std::unique_ptr<MacAgeing> ageing;
  std::optional<flows::Time> armed;  // when the next Tick{kDue} comes
  uint64_t untracked = 0;            // counted already
};

using Self = BridgeDeviceActor::stateful_pointer<BridgeState>;

flows::Time now() { return std::chrono::steady_clock::now(); }

// After each step. One timer at a time, for the earliest deadline.
void arm(Self self) {
  auto& state = self->state;
  state.links->state.untracked += state.ageing->untracked() - std::exchange(state.untracked, state.ageing->untracked());
  auto next = state.ageing->next_deadline();
  if (!next || (state.armed && *state.armed <= *next)) return;
  state.armed = next;
  auto pause = std::max(flows::Time::duration::zero(), *next - now());
  self->delayed_send(self, std::chrono::ceil<std::chrono::milliseconds>(pause), Tick{kDue});
}

void forget(Self self, const Ended& ended) {
  for (const auto& mac : ended.macs) {
    self->state.links->state.changed(flows::simulation::invalidated_by_expiry(mac.key, mac.port));
    self->state.links->state.state_news.changed(mac.key);
  }
  for (const auto& binding : ended.bindings) {
    self->state.links->state.changed(flows::simulation::invalidated_by_expiry(binding));
    self->state.links->state.state_news.changed(binding);
  }
}

void learned(Self self, const DeviceEvents& events) {
  for (const auto& mac : events.macs) self->state.ageing->learned(mac.key, now());
  for (const auto& neighbour : events.neighbours) self->state.ageing->learned(neighbour.key, now());
  arm(self);
}

void adopt(Self self) {
  self->state.ageing->adopt(self->state.links->state.macs, self->state.links->state.neighbours, now());
  self->delayed_send(self, kAdoptInterval, Tick{kAdopt});
  arm(self);
}

void tick(Self self, uint32_t timer) {
  if (timer == kAdopt) return adopt(self);
  auto& state = self->state;
  state.armed.reset();
  forget(self, state.ageing->tick(now(), state.links->state.macs, state.links->state.neighbours,
                                  [&](const auto& key) { return state.links->state.remote_claims.has(key); }));
  arm(self);
}

BridgeDeviceActor::behavior_type bridge_behavior(Self self, BridgeId bridge, const DeviceLinks& links) {
  self->state.links = std::make_unique<DeviceLinks>(links);
  self->state.ageing = std::make_unique<MacAgeing>(bridge, links.ageing);
  adopt(self);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const DeviceEvents& events) { learned(self, events); },
      [=](const FlushState&) {
        forget(self, self->state.ageing->flush(self->state.links->state.macs, self->state.links->state.neighbours));
        return StateFlushed{};
      },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

BridgeDeviceActor spawn_bridge_device(caf::actor_system& system, BridgeId bridge, const DeviceLinks& links) {
  return system.spawn(bridge_behavior, bridge, links);
}

}  // namespace viaduct::actors
