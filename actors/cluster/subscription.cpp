#include "actors/cluster/subscription.hpp"

#include <memory>
#include <utility>

#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kApplyTimeout{120};
constexpr std::chrono::seconds kRetry{1};

struct SubscriptionState {
  const char* name = "subscription";
  Status status{"subscription", "subscription"};
  std::unique_ptr<SubscriptionLinks> links;
  SnapshotPtr newest;
  topology::Delta pending;  // since the batch that is out
  WallTime pending_since;   // of its oldest revision
  bool needs_snapshot = true;
  bool in_flight = false;
  bool snapshot_out = false;  // the batch in flight
};

using Self = SubscriptionActor::stateful_pointer<SubscriptionState>;

void send_next(Self self);

void acknowledged(Self self, const FeedApplied& applied) {
  auto& state = self->state;
  state.in_flight = false;
  state.needs_snapshot |= applied.resync;
  // Not even a snapshot could be applied: sending it again at once would go round in circles.
  if (applied.resync && state.snapshot_out) return self->delayed_send(self, kRetry, Tick{});
  if (!applied.resync) self->send(state.links->store, AgentApplied{state.links->subscriber.host, applied.revision});
  if (state.needs_snapshot || !state.pending.empty()) send_next(self);
}

void failed(Self self, const caf::error& error) {
  log::warning(log::Component::store, "an agent does not apply its feed",
               {{"host", self->state.links->subscriber.host.to_string()}, {"error", self->system().render(error)}});
  self->state.in_flight = false;
  self->state.needs_snapshot = true;
  self->delayed_send(self, kRetry, Tick{});
}

uint64_t nanoseconds(WallTime time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

void send_next(Self self) {
  auto& state = self->state;
  if (state.in_flight || (!state.needs_snapshot && state.pending.empty())) return;
  auto frame = std::make_shared<const schema::Frame>(
      state.needs_snapshot ? topology::encode_feed_snapshot(*state.newest)
                           : topology::encode_feed(state.pending, nanoseconds(state.pending_since)));
  state.in_flight = true;
  state.snapshot_out = std::exchange(state.needs_snapshot, false);
  state.pending = {};
  self->request(state.links->subscriber.mirror, kApplyTimeout, FeedFrame{frame})
      .then([=](const FeedApplied& applied) { acknowledged(self, applied); },
            [=](const caf::error& error) { failed(self, error); });
}

void committed(Self self, const Committed& news) {
  auto& state = self->state;
  state.newest = news.snapshot;
  if (state.pending.empty()) {
    state.pending = *news.delta;
    state.pending_since = news.at;
  } else {
    state.pending.merge(*news.delta);
  }
  send_next(self);
}

SubscriptionActor::behavior_type subscription_behavior(Self self, const SubscriptionLinks& links) {
  self->state.links = std::make_unique<SubscriptionLinks>(links);
  self->state.status = Status(links.subscriber.host.to_string(), "subscription");
  self->state.newest = links.snapshot;
  self->monitor(links.subscriber.mirror);
  self->set_down_handler([=](const caf::down_msg&) { self->quit(); });
  send_next(self);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const Committed& news) { committed(self, news); },
      [=](const Tick&) { send_next(self); },
  };
}

}  // namespace

SubscriptionActor spawn_subscription(caf::actor_system& system, const SubscriptionLinks& links) {
  return system.spawn(subscription_behavior, links);
}

}  // namespace viaduct::actors
