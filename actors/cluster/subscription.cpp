#include "actors/cluster/subscription.hpp"

#include <memory>
#include <utility>

#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kApplyTimeout{120};
constexpr std::chrono::seconds kRetry{1};

struct SubscriptionState {
  const char* name = "subscription";
  Status status{"subscription", "subscription"};
  std::unique_ptr<SubscriptionLinks> links;
  FeedBacklog backlog;
  bool in_flight = false;
  bool waits_for_whole = false;  // what comes before it is of no use
};

using Self = SubscriptionActor::stateful_pointer<SubscriptionState>;

void send_next(Self self);

void ask_for_whole(Self self) {
  self->state.backlog.clear();
  self->state.waits_for_whole = true;
  self->send(self->state.links->store, SendWhole{self->state.links->subscriber.host});
}

void acknowledged(Self self, const FeedApplied& applied, bool was_complete) {
  auto& state = self->state;
  state.in_flight = false;
  if (applied.resync) {
    // Not even everything could be applied: sending it again at once would go round in circles.
    if (was_complete) return self->delayed_send(self, kRetry, Tick{});
    return ask_for_whole(self);
  }
  self->send(state.links->store, AgentApplied{state.links->subscriber.host, applied.revision});
  send_next(self);
}

void failed(Self self, const caf::error& error) {
  log::event(log::Component::store, log::Level::warning, observability::EventKind::agent_stuck,
             "an agent does not apply its feed",
             {{"host", self->state.links->subscriber.host.to_string()}, {"error", self->system().render(error)}});
  self->state.in_flight = false;
  self->delayed_send(self, kRetry, Tick{});
}

void send_next(Self self) {
  auto& state = self->state;
  if (state.in_flight || state.waits_for_whole) return;
  FeedBatchPtr batch = state.backlog.take();
  if (batch == nullptr) return;
  state.in_flight = true;
  self->request(state.links->subscriber.sink, kApplyTimeout,
                FeedFrame{state.links->subscriber.feed, state.links->encoder->frame_of(batch)})
      .then([=, complete = batch->complete](const FeedApplied& applied) { acknowledged(self, applied, complete); },
            [=](const caf::error& error) { failed(self, error); });
}

void changed(Self self, const FeedChange& news) {
  auto& state = self->state;
  if (news.batch->complete) state.waits_for_whole = false;
  if (state.waits_for_whole) return;
  if (!state.backlog.add(news.batch)) return ask_for_whole(self);
  send_next(self);
}

SubscriptionActor::behavior_type subscription_behavior(Self self, const SubscriptionLinks& links) {
  self->state.links = std::make_unique<SubscriptionLinks>(links);
  self->state.status = Status(links.subscriber.host.to_string(), "subscription");
  self->monitor(links.subscriber.sink);
  self->set_down_handler([=](const caf::down_msg&) { self->quit(); });
  changed(self, {links.first});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const FeedChange& news) { changed(self, news); },
      [=](const Tick&) { ask_for_whole(self); },
  };
}

}  // namespace

SubscriptionActor spawn_subscription(caf::actor_system& system, const SubscriptionLinks& links) {
  return system.spawn(subscription_behavior, links);
}

}  // namespace viaduct::actors
