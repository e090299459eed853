#include "actors/agent/devices.hpp"

#include <map>
#include <memory>

#include "actors/runtime/backoff.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

struct Device {
  caf::actor running;  // a BridgeDeviceActor or RouterDeviceActor
  bool router = false;
  Backoff backoff;
};

struct DevicesState {
  const char* name = "devices";
  Status status{"devices", "devices"};
  std::unique_ptr<DeviceLinks> links;
  std::map<Uuid, Device> devices;
  std::map<uint32_t, Uuid> respawns;  // Tick::kind -> device
  uint32_t next_respawn = 0;
};

using Self = DevicesActor::stateful_pointer<DevicesState>;

void start(Self self, const Uuid& id, Device& device) {
  auto& links = *self->state.links;
  device.running = device.router
                       ? caf::actor_cast<caf::actor>(spawn_router_device(self->system(), RouterId(id), links))
                       : caf::actor_cast<caf::actor>(spawn_bridge_device(self->system(), BridgeId(id), links));
  self->monitor(device.running);
}

void stop(Self self, const Uuid& id) {
  auto it = self->state.devices.find(id);
  if (it == self->state.devices.end()) return;
  if (it->second.running) {
    caf::anon_send(it->second.running, FlushState{id});
    caf::anon_send(it->second.running, Shutdown{});
  }
  self->state.links->state.icmp_limiter.forget(RouterId(id));
  self->state.devices.erase(it);
}

template <class Message>
void tell(const Device& device, const Message& message) {
  if (device.running) caf::anon_send(device.running, message);
}

void changed(Self self, const DevicesChanged& news) {
  auto& state = self->state;
  for (const Uuid& id : news.removed) stop(self, id);
  auto ensure = [&](const Uuid& id, bool router) -> Device& {
    auto [it, fresh] = state.devices.try_emplace(id);
    it->second.router = router;
    if (fresh) start(self, id, it->second);
    return it->second;
  };
  for (BridgeId bridge : news.bridges) ensure(bridge.uuid(), false);
  for (RouterId router : news.routers) {
    if (news.network->router(router) != nullptr) tell(ensure(router.uuid(), true), news);
  }
}

// Sorts a worker's news by device: one message each.
void distribute(Self self, const DeviceEvents& events) {
  std::map<Uuid, DeviceEvents> sorted;
  for (const auto& wanted : events.wanted) sorted[wanted.router.uuid()].wanted.push_back(wanted);
  for (const auto& stale : events.refresh) sorted[stale.router.uuid()].refresh.push_back(stale);
  for (const auto& mac : events.macs) sorted[mac.key.bridge.uuid()].macs.push_back(mac);
  for (const auto& neighbour : events.neighbours) sorted[neighbour.key.device].neighbours.push_back(neighbour);
  for (const auto& [id, part] : sorted) {
    auto it = self->state.devices.find(id);
    if (it != self->state.devices.end()) tell(it->second, part);
  }
}

void device_down(Self self, const caf::down_msg& down) {
  auto& state = self->state;
  for (auto& [id, device] : state.devices) {
    if (!device.running || device.running.address() != down.source) continue;
    log::error(log::Component::device, "device actor died",
               {{"device", id.to_string()}, {"reason", self->system().render(down.reason)}});
    device.running = nullptr;
    state.links->restarted(device.router ? "router" : "bridge");
    auto pause = device.backoff.next(std::chrono::steady_clock::now());
    uint32_t ticket = state.next_respawn++;
    state.respawns[ticket] = id;
    return self->delayed_send(self, pause, Tick{ticket});
  }
}

void respawn(Self self, uint32_t ticket) {
  auto found = self->state.respawns.extract(ticket);
  if (found.empty()) return;
  auto it = self->state.devices.find(found.mapped());
  if (it != self->state.devices.end() && !it->second.running) start(self, it->first, it->second);
}

void flush(Self self, const FlushState& request) {
  for (const auto& [id, device] : self->state.devices) {
    if (request.device.is_nil() || request.device == id) tell(device, request);
  }
}

void shut_down(Self self) {
  for (const auto& [id, device] : self->state.devices) tell(device, Shutdown{});
  self->quit();
}

DevicesActor::behavior_type devices_behavior(Self self, const DeviceLinks& links) {
  self->state.links = std::make_unique<DeviceLinks>(links);
  self->set_down_handler([=](const caf::down_msg& down) { device_down(self, down); });
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { shut_down(self); },
      [=](const DevicesChanged& news) { changed(self, news); },
      [=](const DeviceEvents& events) { distribute(self, events); },
      [=](const FlushState& request) { flush(self, request); },
      [=](const Tick& timer) { respawn(self, timer.kind); },
  };
}

}  // namespace

DevicesActor spawn_devices(caf::actor_system& system, const DeviceLinks& links) {
  return system.spawn(devices_behavior, links);
}

void invalidate(const DeviceLinks& links, flows::simulation::Invalidation what) {
  links.state.learned_changes.fetch_add(1, std::memory_order_relaxed);
  if (what.empty()) return;
  links.state.epochs.bump(what.tags);
  links.state.epochs.bump(what.epochs);
  caf::anon_send(links.flows, InvalidateFlows{std::move(what)});
}

}  // namespace viaduct::actors
