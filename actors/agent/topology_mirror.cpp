#include "actors/agent/topology_mirror.hpp"

#include <memory>

#include "actors/agent/mirror_state.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kDatapathTimeout{60};  // thousands of interfaces may be new
constexpr std::chrono::seconds kFlowsTimeout{30};

struct MirrorActorState {
  const char* name = "topology_mirror";
  Status status{"topology_mirror", "topology_mirror"};
  std::unique_ptr<MirrorLinks> links;
  std::unique_ptr<MirrorState> mirror;
  bool adopted = false;

  void start(const MirrorLinks& given) {
    links = std::make_unique<MirrorLinks>(given);
    mirror = std::make_unique<MirrorState>(given.host);
  }
};

using Self = TopologyMirrorActor::stateful_pointer<MirrorActorState>;
using Promise = caf::typed_response_promise<FeedApplied>;

// Readers first, then epochs, then the flows: a simulation that began before is refused at install time.
void publish(Self self, const MirrorState::Published& published) {
  auto& links = *self->state.links;
  links.state.network.publish(published.network);
  links.state.epochs.bump(published.invalidation.tags);
  links.state.epochs.bump(published.invalidation.epochs);
  self->send(links.devices, published.devices);
}

void applied(Self self, Promise promise, WallTime committed_at) {
  auto& state = self->state;
  if (!state.adopted) {
    state.adopted = true;
    self->send(state.links->flows, AdoptFlows{});
    state.links->on_first_network();
  }
  if (committed_at.time_since_epoch().count() != 0) {
    state.links->probe.applied(state.mirror->revision(), std::chrono::system_clock::now() - committed_at);
  }
  promise.deliver(FeedApplied{state.mirror->revision(), false});
}

void fail(Self self, Promise promise, const std::string& why) {
  log::warning(log::Component::mirror, "cannot apply a batch, asking for a snapshot", {{"reason", why}});
  self->state.links->probe.resynchronised();
  promise.deliver(FeedApplied{self->state.mirror->revision(), true});
}

void finish(Self self, Promise promise, MirrorState::Pending pending, const BindingsChanged& bindings) {
  auto committed_at = pending.committed_at;
  auto published = self->state.mirror->finish(std::move(pending), bindings);
  publish(self, published);
  self->request(self->state.links->flows, kFlowsTimeout, InvalidateFlows{std::move(published.invalidation)})
      .then([=](const FlowsInvalidated&) { applied(self, promise, committed_at); },
            [=](const caf::error& error) { fail(self, promise, self->system().render(error)); });
}

void apply_frame(Self self, Promise promise, const FeedFrame& feed) {
  std::string error;
  auto prepared = self->state.mirror->prepare(*feed.frame, error);
  if (!prepared) return fail(self, promise, error);
  auto pending = std::make_shared<MirrorState::Pending>(std::move(*prepared));
  if (!pending->needs_reconcile()) {
    return finish(self, promise, std::move(*pending), self->state.mirror->current_bindings());
  }
  self->request(self->state.links->datapath, kDatapathTimeout, pending->bindings)
      .then([=](const BindingsChanged& bindings) { finish(self, promise, std::move(*pending), bindings); },
            [=](const caf::error& problem) { fail(self, promise, self->system().render(problem)); });
}

TopologyMirrorActor::behavior_type mirror_behavior(Self self, const MirrorLinks& links) {
  self->state.start(links);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const FeedFrame& feed) -> Promise {
        Promise promise = self->make_response_promise<FeedApplied>();
        apply_frame(self, promise, feed);
        return promise;
      },
      [=](const BindingsChanged& bindings) {
        auto published = self->state.mirror->rebind(bindings);
        publish(self, published);
        self->state.links->state.flow_news.changed(published.invalidation);
      },
  };
}

}  // namespace

TopologyMirrorActor spawn_topology_mirror(caf::actor_system& system, const MirrorLinks& links) {
  return system.spawn(mirror_behavior, links);
}

}  // namespace viaduct::actors
