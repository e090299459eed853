#include "actors/agent/topology_mirror.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "actors/agent/mirror_state.hpp"
#include "actors/agent/remote_state.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "topology/closure.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kDatapathTimeout{60};  // thousands of interfaces may be new
constexpr std::chrono::seconds kFlowsTimeout{30};
constexpr std::chrono::seconds kTunnelsTimeout{30};
constexpr std::chrono::seconds kHandOverTimeout{5};  // the replicator gives up much sooner

using Promise = caf::typed_response_promise<FeedApplied>;

// A batch that has come, and whoever waits for its answer.
struct Received {
  Promise promise;
  std::variant<FeedFrame, CachedFeed> feed;
};

struct MirrorActorState {
  const char* name = "topology_mirror";
  Status status{"topology_mirror", "topology_mirror"};
  std::unique_ptr<MirrorLinks> links;
  std::unique_ptr<MirrorState> mirror;
  bool adopted = false;
  bool cache_gap = false;  // a batch is missing in it: only a complete one may follow
  bool busy = false;       // with a batch
  // Of another session than the one that is applied: a session sends one at a time. The newest session's is enough.
  std::optional<Received> waiting;
  std::vector<caf::typed_response_promise<MirrorPosition>> readers;  // who wait until it is not

  void start(const MirrorLinks& given) {
    links = std::make_unique<MirrorLinks>(given);
    mirror = std::make_unique<MirrorState>(given.host);
  }
};

using Self = TopologyMirrorActor::stateful_pointer<MirrorActorState>;

template <class Fact>
std::vector<topology::StateChange> changes_of(const MirrorState::Published& published) {
  std::vector<topology::StateChange> out;
  std::copy_if(published.states.begin(), published.states.end(), std::back_inserter(out), [](const auto& change) {
    return std::holds_alternative<Fact>((change.after != nullptr ? change.after : change.before)->fact);
  });
  return out;
}

void tell_nat_leaser(Self self, const MirrorState::Published& published) {
  const MirrorState& mirror = *self->state.mirror;
  NatBlocksChanged news;
  news.changes = changes_of<topology::NatBlockClaim>(published);
  if (news.changes.empty() && !published.topology) return;
  for (const auto& change : news.changes) {
    if (change.before == nullptr) continue;
    bool left = false;
    mirror.states().for_each_of_host(change.before->host, [&](const auto&, const auto&) { left = true; });
    if (!left) news.dead.insert(change.before->host);
  }
  news.topology = std::make_shared<const topology::Snapshot>(mirror.snapshot());
  self->send(self->state.links->replicator, news);
  self->send(self->state.links->nat_leaser, std::move(news));
}

void tell_health_checker(Self self, const MirrorState::Published& published) {
  auto& state = self->state;
  if (!state.links->health_checker) return;
  PoolsChanged news{nullptr, changes_of<topology::HealthReport>(published)};
  if (news.changes.empty() && !published.topology) return;
  news.topology = std::make_shared<const topology::Snapshot>(state.mirror->snapshot());
  self->send(state.links->health_checker, std::move(news));
}

void tell_speakers(Self self, const MirrorState::Published& published) {
  auto& state = self->state;
  if (!state.links->speakers || (!published.topology && !published.restored)) return;
  UplinksChanged news{std::make_shared<const topology::Snapshot>(state.mirror->snapshot()), {}};
  if (published.restored) news.restored = published.restored->said;
  self->send(state.links->speakers, std::move(news));
}

// Readers first, then epochs, then the flows: a simulation that began before is refused at install time.
void publish(Self self, const MirrorState::Published& published) {
  auto& links = *self->state.links;
  links.state.network.publish(published.network);
  links.state.epochs.bump(published.invalidation.tags);
  links.state.epochs.bump(published.invalidation.epochs);
  self->send(links.devices, published.devices);
  take_in(published.states, links.host, links.state, std::chrono::steady_clock::now(),
          [&](const auto& neighbour) { links.workers.neighbour_ready(neighbour); });
  // Before the leaser hears: its first word lets the publisher write, and what is not named then is given up.
  if (published.restored) self->send(links.publisher, *published.restored);
  tell_nat_leaser(self, published);
  tell_health_checker(self, published);
  tell_speakers(self, published);
  self->send(links.replicator, EndsMoved{published.network, published.moved_ends});
  if (published.own_moved) self->send(links.publisher, OwnLocations{self->state.mirror->own_locations()});
}

// A change that no batch has brought.
void publish_alone(Self self, const MirrorState::Published& published) {
  publish(self, published);
  self->state.links->state.flow_news.changed(published.invalidation);
}

void keep(Self self, const topology::FeedBatch& batch, const FeedEffect& effect) {
  auto* cache = self->state.links->cache;
  if (cache == nullptr || (self->state.cache_gap && !batch.complete)) return;
  self->state.cache_gap = false;
  if (auto error = cache->store(batch, effect.gone)) {
    self->state.cache_gap = true;
    self->state.links->probe.cache_failed();
    log::error(log::Component::mirror, "the cache of the topology cannot be written", {{"error", error->text}});
  }
}

void apply_next(Self self);

// What this batch was to this host, and of it what was asked for.
struct Applied {
  WallTime committed_at;
  std::vector<topology::CausedRevision> requests;
};

void applied(Self self, Promise promise, const Applied& what) {
  auto& state = self->state;
  const WallTime committed_at = what.committed_at;
  if (!state.adopted) {
    state.adopted = true;
    self->send(state.links->flows, AdoptFlows{});
    state.links->on_first_network();
  }
  state.links->probe.applied(state.mirror->revision());
  if (committed_at.time_since_epoch().count() != 0) {
    state.links->probe.enforced_after(std::chrono::system_clock::now() - committed_at);
  }
  for (const auto& [revision, request] : what.requests) {
    log::event(log::Component::mirror, log::Level::debug, observability::EventKind::topology_applied,
               "a change is applied", {{"revision", revision}, {"request", request}});
  }
  promise.deliver(FeedApplied{state.mirror->revision(), false});
  state.busy = false;
  apply_next(self);
}

void fail(Self self, Promise promise, const std::string& why) {
  log::warning(log::Component::mirror, "cannot apply a batch, asking for a snapshot", {{"reason", why}});
  self->state.links->probe.resynchronised();
  promise.deliver(FeedApplied{self->state.mirror->revision(), true});
  self->state.busy = false;
  apply_next(self);
}

using PendingPtr = std::shared_ptr<MirrorState::Pending>;

void finish(Self self, Promise promise, const PendingPtr& pending, const std::optional<HostPaths>& paths) {
  const Applied what{pending->committed_at, pending->batch.requests};
  if (!pending->from_cache) keep(self, pending->batch, pending->effect);
  auto published = self->state.mirror->finish(std::move(*pending), paths);
  publish(self, published);
  self->request(self->state.links->flows, kFlowsTimeout, InvalidateFlows{std::move(published.invalidation)})
      .then([=](const FlowsInvalidated&) { applied(self, promise, what); },
            [=](const caf::error& error) { fail(self, promise, self->system().render(error)); });
}

void find_paths(Self self, Promise promise, const PendingPtr& pending) {
  if (!pending->underlay) return finish(self, promise, pending, std::nullopt);
  self->request(self->state.links->tunnels, kTunnelsTimeout, *pending->underlay)
      .then([=](const HostPaths& paths) { finish(self, promise, pending, paths); },
            [=](const caf::error& error) { fail(self, promise, self->system().render(error)); });
}

void reconcile(Self self, Promise promise, const PendingPtr& pending) {
  if (!pending->needs_reconcile()) return find_paths(self, promise, pending);
  self->request(self->state.links->datapath, kDatapathTimeout, self->state.mirror->wish(*pending))
      .then(
          [=](const BindingsChanged& bindings) {
            self->state.mirror->bound(*pending, bindings);
            find_paths(self, promise, pending);
          },
          [=](const caf::error& problem) { fail(self, promise, self->system().render(problem)); });
}

// Ports that were another host's are active here only when their connections are.
void apply(Self self, Promise promise, std::optional<MirrorState::Pending> prepared, const std::string& error) {
  if (!prepared) return fail(self, promise, error);
  auto pending = std::make_shared<MirrorState::Pending>(std::move(*prepared));
  if (pending->arrivals.empty()) return reconcile(self, promise, pending);
  self->request(self->state.links->replicator, kHandOverTimeout, AwaitHandOver{pending->arrivals})
      .then([=](const HandedOver&) { reconcile(self, promise, pending); },
            [=](const caf::error&) { reconcile(self, promise, pending); });
}

std::optional<MirrorState::Pending> prepare(MirrorState& mirror, const FeedFrame& feed, std::string& error) {
  return mirror.prepare(*feed.frame, error);
}

std::optional<MirrorState::Pending> prepare(MirrorState& mirror, const CachedFeed& cached, std::string& error) {
  auto prepared = mirror.prepare(*cached.batch, error);
  if (prepared) prepared->from_cache = true;
  return prepared;
}

MirrorPosition position(const MirrorState& mirror) {
  return {mirror.revision(), topology::owners_in(mirror.snapshot())};
}

// Before the first network there is nothing to learn behind, and nobody to speak for.
bool heard_in_time(Self self) {
  if (self->state.mirror->ready()) return true;
  log::warning(log::Component::mirror, "a speaker of a routing protocol is not heard before the first network", {});
  return false;
}

// Their interfaces are ports of the datapath; what they say is told from what others say by these ports' numbers.
void speak(Self self, const SpeakersChanged& news) {
  ReconcileBindings wish;
  publish_alone(self, self->state.mirror->speak(news, wish));
  if (wish.bind.empty() && wish.unbind.empty()) return;
  self->request(self->state.links->datapath, kDatapathTimeout, std::move(wish))
      .then([=](const BindingsChanged& bindings) { publish_alone(self, self->state.mirror->rebind(bindings)); },
            [=](const caf::error& problem) {
              log::error(log::Component::mirror, "speakers of routing protocols are not in the datapath",
                         {{"error", self->system().render(problem)}});
            });
}

// A batch builds on what the one before it has left.
void apply_next(Self self) {
  auto& state = self->state;
  if (state.busy) return;
  if (!state.waiting) {
    for (auto& reader : std::exchange(state.readers, {})) reader.deliver(position(*state.mirror));
    return;
  }
  state.busy = true;
  Received next = std::move(*std::exchange(state.waiting, std::nullopt));
  std::string error;
  auto prepared = std::visit([&](const auto& feed) { return prepare(*state.mirror, feed, error); }, next.feed);
  apply(self, next.promise, std::move(prepared), error);
}

template <class Feed>
Promise receive(Self self, const Feed& feed) {
  auto& state = self->state;
  Promise promise = self->make_response_promise<FeedApplied>();
  if (state.waiting) state.waiting->promise.deliver(FeedApplied{state.mirror->revision(), true});
  state.waiting = Received{promise, feed};
  apply_next(self);
  return promise;
}

// A session that began from before a batch that is under way, the cache's say, would be told again what is known.
caf::result<MirrorPosition> read(Self self, const ReadMirror& question) {
  auto& state = self->state;
  if (!state.busy || !question.settled) return position(*state.mirror);
  return state.readers.emplace_back(self->make_response_promise<MirrorPosition>());
}

TopologyMirrorActor::behavior_type mirror_behavior(Self self, const MirrorLinks& links) {
  self->state.start(links);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const FeedFrame& feed) { return receive(self, feed); },
      [=](const CachedFeed& cached) { return receive(self, cached); },
      [=](const ReadMirror& question) { return read(self, question); },
      [=](const ReadTopology&) { return std::make_shared<const topology::Snapshot>(self->state.mirror->snapshot()); },
      [=](const BindingsChanged& bindings) { publish_alone(self, self->state.mirror->rebind(bindings)); },
      [=](const HostPaths& paths) {
        if (self->state.mirror->ready()) publish_alone(self, self->state.mirror->reach(paths));
      },
      [=](const OwnHealth& own) { publish_alone(self, self->state.mirror->judge(own)); },
      [=](const SpeakersChanged& news) {
        if (heard_in_time(self)) speak(self, news);
      },
      [=](const RoutesLearned& news) {
        if (heard_in_time(self)) publish_alone(self, self->state.mirror->learn(news));
      },
  };
}

}  // namespace

TopologyMirrorActor spawn_topology_mirror(caf::actor_system& system, const MirrorLinks& links) {
  return system.spawn(mirror_behavior, links);
}

}  // namespace viaduct::actors
