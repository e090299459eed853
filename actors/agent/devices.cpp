#include "actors/agent/devices.hpp"

#include <map>
#include <memory>

#include "actors/runtime/backoff.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::ActorState;
using observability::ActorStatus;

namespace {

constexpr size_t kMaxReported = 100;           // devices that a report names
constexpr size_t kMaxWaiting = 4096;           // news of one device
constexpr std::chrono::seconds kPatience{10};  // with a device that does not answer, before it gets the next batch

struct Device {
  caf::actor running;  // a BridgeDeviceActor or RouterDeviceActor
  bool router = false;
  bool busy = false;     // has not answered its last batch yet
  DeviceEvents waiting;  // the next one
  Backoff backoff;
  ActorStatus status;

  bool troubled() const { return status.state != ActorState::running || status.restarts > 0; }
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

void set_state(Device& device, ActorState state) {
  device.status.state = state;
  device.status.since = std::chrono::system_clock::now();
}

void start(Self self, const Uuid& id, Device& device) {
  auto& links = *self->state.links;
  device.running = device.router
                       ? caf::actor_cast<caf::actor>(spawn_router_device(self->system(), RouterId(id), links))
                       : caf::actor_cast<caf::actor>(spawn_bridge_device(self->system(), BridgeId(id), links));
  self->monitor(device.running);
  device.status.name = id.to_string();
  device.status.kind = device.router ? "router" : "bridge";
  set_state(device, ActorState::running);
}

void stop(Self self, const Uuid& id) {
  auto it = self->state.devices.find(id);
  if (it == self->state.devices.end()) return;
  if (it->second.running) {
    caf::anon_send(it->second.running, FlushState{id});
    caf::anon_send(it->second.running, Shutdown{});
  }
  self->state.links->state.icmp_limiter.forget(id);
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
  for (RouterId router : news.routers) ensure(router.uuid(), true);
  for (const auto& [router, ports] : news.void_ports) {
    auto it = state.devices.find(router.uuid());
    if (it != state.devices.end()) tell(it->second, VoidPorts{ports});
  }
}

void deliver(Self self, const Uuid& id, Device& device) {
  if (device.busy || !device.running || count(device.waiting) == 0) return;
  device.busy = true;
  auto answered = [self, id, to = device.running.address()] {
    auto it = self->state.devices.find(id);
    if (it == self->state.devices.end() || it->second.running.address() != to) return;
    it->second.busy = false;
    deliver(self, id, it->second);
  };
  self->request(device.running, kPatience, std::exchange(device.waiting, {}))
      .then(answered, [answered](const caf::error&) { answered(); });
}

// Sorts the workers' news by device.
void distribute(Self self) {
  std::map<Uuid, DeviceEvents> sorted;
  const DeviceEvents events = self->state.links->state.device_news.take();
  for (const auto& wanted : events.wanted) sorted[wanted.router.uuid()].wanted.push_back(wanted);
  for (const auto& stale : events.refresh) sorted[stale.router.uuid()].refresh.push_back(stale);
  for (const auto& mac : events.macs) sorted[mac.key.bridge.uuid()].macs.push_back(mac);
  for (const auto& neighbour : events.neighbours) sorted[neighbour.key.device].neighbours.push_back(neighbour);
  for (auto& [id, part] : sorted) {
    auto it = self->state.devices.find(id);
    if (it == self->state.devices.end()) continue;
    size_t lost = append(it->second.waiting, std::move(part), kMaxWaiting);
    self->state.links->state.device_news.count_lost(lost);
    deliver(self, id, it->second);
  }
}

void device_down(Self self, const caf::down_msg& down) {
  auto& state = self->state;
  for (auto& [id, device] : state.devices) {
    if (!device.running || device.running.address() != down.source) continue;
    log::event(log::Component::device, log::Level::error, observability::EventKind::actor_died, "device actor died",
               {{"device", id.to_string()}, {"reason", self->system().render(down.reason)}});
    device.running = nullptr;
    device.busy = false;
    device.status.last_error = self->system().render(down.reason);
    set_state(device, ActorState::backing_off);
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
  if (it == self->state.devices.end() || it->second.running) return;
  ++it->second.status.restarts;
  start(self, it->first, it->second);
  deliver(self, it->first, it->second);
}

// Those in trouble first, then others as far as there is room. A device's mailbox holds no more than one batch; what
// waits for it is here.
NodeReport report(const DevicesState& state) {
  NodeReport out;
  for (bool troubled : {true, false}) {
    for (const auto& [id, device] : state.devices) {
      if (device.troubled() != troubled) continue;
      if (out.actors.size() >= kMaxReported) {
        ++out.unlisted;
        continue;
      }
      out.actors.push_back(device.status);
      out.actors.back().mailbox_depth = count(device.waiting) + (device.busy ? 1 : 0);
    }
  }
  return out;
}

// Answered when all have answered; with an error when one has not, or is not there at the moment.
caf::result<StateFlushed> flush(Self self, const FlushState& request) {
  auto promise = self->make_response_promise<StateFlushed>();
  auto left = std::make_shared<size_t>(1);
  auto failure = std::make_shared<caf::error>();
  auto one_done = [=]() mutable {
    if (--*left > 0) return;
    *failure ? promise.deliver(*failure) : promise.deliver(StateFlushed{});
  };
  for (const auto& [id, device] : self->state.devices) {
    if (!request.device.is_nil() && request.device != id) continue;
    if (!device.running) {  // its successor will adopt what there is
      *failure = caf::make_error(caf::sec::request_receiver_down);
      continue;
    }
    ++*left;
    self->request(device.running, kPatience, request)
        .then([=](const StateFlushed&) mutable { one_done(); },
              [=](const caf::error& error) mutable {
                *failure = error;
                one_done();
              });
  }
  one_done();
  return promise;
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
      [=](const NewsWaits&) { distribute(self); },
      [=](const ReportNode&) { return report(self->state); },
      [=](const FlushState& request) { return flush(self, request); },
      [=](const Tick& timer) { respawn(self, timer.kind); },
  };
}

}  // namespace

DevicesActor spawn_devices(caf::actor_system& system, const DeviceLinks& links) {
  return system.spawn(devices_behavior, links);
}

}  // namespace viaduct::actors
