#include "actors/agent/datapath_actor.hpp"

#include <atomic>
#include <map>
#include <memory>

#include "actors/agent/port_bindings.hpp"
#include "actors/runtime/status.hpp"

namespace viaduct::actors {

namespace {

enum Timer : uint32_t { kHint, kCount };
constexpr std::chrono::seconds kCountInterval{2};

struct DatapathState {
  const char* name = "datapath";
  Status status{"datapath", "datapath"};
  const DatapathLinks* links = nullptr;
  std::unique_ptr<DatapathLinks> held;
  std::unique_ptr<PortBindings> bindings;
  TopologyMirrorActor mirror;  // whoever asked last
  std::shared_ptr<std::atomic<bool>> hinted = std::make_shared<std::atomic<bool>>(false);
  std::map<std::string, uint64_t> errors_seen;

  void start(const DatapathLinks& given) {
    held = std::make_unique<DatapathLinks>(given);
    links = held.get();
    bindings = std::make_unique<PortBindings>(links->datapath);
  }
  ~DatapathState() {
    if (links != nullptr) links->datapath.on_interface_change({});
  }

  BindingsChanged reconcile(const ReconcileBindings& wish) {
    auto rebound = bindings->reconcile(wish);
    return {bindings->active(), std::move(rebound)};
  }
  DatapathReport report() {
    count_errors();
    return {std::string(links->datapath.kind()), links->datapath.stats(), bindings->report()};
  }
  // The datapath counts errors itself; the probe wants differences.
  void count_errors() {
    for (const auto& [name, count] : links->datapath.error_counts()) {
      uint64_t& seen = errors_seen[name];
      if (count > seen) links->probe.error(name, count - seen);
      seen = count;
    }
  }
  // Which ports there are; whoever scrapes reads their counters.
  void name_ports() {
    const auto network = links->network.load();
    std::vector<observability::PortProbe::Port> ports;
    bindings->for_each([&](PortId id, const std::string& interface, flows::PortNumber number, bool active) {
      const auto* view = network->port(id);
      const std::string device = view != nullptr ? view->device_id.to_string() : "";
      ports.push_back({{id.to_string(), interface, device}, number.value, active});
    });
    links->ports.observed(std::move(ports));
  }
};

using Self = DatapathActor::stateful_pointer<DatapathState>;

void interface_hint(Self self) {
  auto& state = self->state;
  state.hinted->store(false);
  auto rebound = state.bindings->refresh();
  if (!rebound.empty() && state.mirror) {
    self->send(state.mirror, BindingsChanged{state.bindings->active(), std::move(rebound)});
  }
}

void tick(Self self, uint32_t timer) {
  if (timer == kHint) return interface_hint(self);
  self->state.count_errors();
  self->state.name_ports();
  self->delayed_send(self, kCountInterval, Tick{kCount});
}

DatapathActor::behavior_type datapath_behavior(Self self, const DatapathLinks& links) {
  self->state.start(links);
  self->delayed_send(self, kCountInterval, Tick{kCount});
  // The datapath's thread only leaves a note, once until it is read.
  links.datapath.on_interface_change(
      [hinted = self->state.hinted, me = caf::actor_cast<caf::weak_actor_ptr>(self->address())] {
        if (hinted->exchange(true)) return;
        if (auto strong = me.lock()) caf::anon_send(caf::actor_cast<DatapathActor>(strong), Tick{kHint});
      });
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) {
        self->state.links->workers.stop();
        self->quit();
      },
      [=](const ReconcileBindings& wish) {
        self->state.mirror = caf::actor_cast<TopologyMirrorActor>(self->current_sender());
        return self->state.reconcile(wish);
      },
      [=](const ReportDatapath&) { return self->state.report(); },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

DatapathActor spawn_datapath(caf::actor_system& system, const DatapathLinks& links) {
  return system.spawn<caf::detached>(datapath_behavior, links);
}

}  // namespace viaduct::actors
