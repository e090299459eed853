#include "actors/agent/state_publisher.hpp"

#include <memory>

#include "actors/agent/state_outbox.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"
#include "topology/codec.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::milliseconds kGather{5};  // what is learned together goes together
constexpr std::chrono::milliseconds kRetry{100};
constexpr std::chrono::seconds kWriteTimeout{15};

struct PublisherState {
  const char* name = "state_publisher";
  Status status{"state_publisher", "state_publisher"};
  std::unique_ptr<PublisherLinks> links;
  std::unique_ptr<StateOutbox> outbox;
  AgentSessionActor session;
  Secret secret;
  NatLeaserActor leaser;
  HealthCheckerActor checker;
  uint64_t sessions = 0;  // an answer of an earlier one is nobody's
  bool armed = false;

  ~PublisherState() {
    if (links) links->state.state_news.on_ring({});
  }
};

using Self = StatePublisherActor::stateful_pointer<PublisherState>;

void arm(Self self, std::chrono::milliseconds pause) {
  auto& state = self->state;
  if (state.armed || !state.session || !state.outbox->primed() || state.outbox->out() || !state.outbox->waiting())
    return;
  state.armed = true;
  self->delayed_send(self, pause, Tick{});
}

void answered(Self self, uint64_t session, const topology::StateWritten* written) {
  auto& state = self->state;
  if (session != state.sessions) return;
  uint64_t lost = state.outbox->lost();
  state.outbox->written(written);
  state.links->probe.lost(state.outbox->lost() - lost);
  state.links->probe.published(state.outbox->published());
  auto answers = state.outbox->take_answered();
  if (!answers.won.empty() || !answers.lost.empty()) {
    self->send(state.leaser, NatBlocksAnswered{std::move(answers.won), std::move(answers.lost)});
  }
  if (!answers.pools_won.empty() || !answers.pools_lost.empty()) {
    self->send(state.checker, HealthClaimsAnswered{std::move(answers.pools_won), std::move(answers.pools_lost)});
  }
  if (written != nullptr && written->ended) return;  // the link joins again
  bool failed = written == nullptr || !written->error.empty();
  if (failed) {
    state.links->probe.failed();
    log::warning(log::Component::mirror, "the cluster does not take this host's state",
                 {{"error", written == nullptr ? "no answer" : written->error}});
  }
  arm(self, failed ? kRetry : kGather);
}

void write(Self self) {
  auto& state = self->state;
  state.armed = false;
  if (!state.session) return;
  auto batch = state.outbox->next(state.links->state, std::chrono::system_clock::now());
  if (!batch) return;
  state.links->probe.write(batch->puts.size() + batch->deletes.size());
  self->request(state.session, kWriteTimeout, SessionWrite{state.secret, topology::encode_state_write(*batch)})
      .then(
          [=, session = state.sessions](const SessionWrite& answer) {
            auto written = topology::decode_state_written(answer.frame);
            answered(self, session, written ? &*written : nullptr);
          },
          [=, session = state.sessions](const caf::error&) { answered(self, session, nullptr); });
}

void session_changed(Self self, const SessionChanged& news) {
  auto& state = self->state;
  ++state.sessions;
  state.session = news.session;
  state.secret = news.secret;
  state.outbox->written(nullptr);  // whatever was out: the next write says all
  if (state.leaser) self->send(state.leaser, NatSession{state.session != nullptr});
  if (state.checker) self->send(state.checker, HealthSession{state.session != nullptr});
  if (!state.session) return;
  state.outbox->joined();
  arm(self, {});
}

void lease(Self self, const NatLeases& news) {
  auto& state = self->state;
  const bool is_new = state.leaser != news.leaser;
  state.leaser = news.leaser;
  state.outbox->lease(news.leases);
  if (is_new && state.leaser) self->send(state.leaser, NatSession{state.session != nullptr});
  arm(self, kGather);
}

void claim_pools(Self self, const HealthClaims& news) {
  auto& state = self->state;
  const bool is_new = state.checker != news.checker;
  state.checker = news.checker;
  state.outbox->report(news.claims);
  if (is_new && state.checker) self->send(state.checker, HealthSession{state.session != nullptr});
  arm(self, kGather);
}

StatePublisherActor::behavior_type publisher_behavior(Self self, const PublisherLinks& links) {
  auto& state = self->state;
  state.links = std::make_unique<PublisherLinks>(links);
  state.outbox = std::make_unique<StateOutbox>(links.host);
  links.state.state_news.on_ring([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())] {
    if (auto publisher = caf::actor_cast<caf::actor>(to)) caf::anon_send(publisher, NewsWaits{});
  });
  self->send(self, NewsWaits{});  // what an earlier life of this actor has not taken
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const NewsWaits&) {
        self->state.outbox->learned(self->state.links->state.state_news.take());
        arm(self, kGather);
      },
      [=](const OwnLocations& own) {
        self->state.outbox->located(own.entries);
        arm(self, {});
      },
      [=](const OwnInterfaces& own) {
        self->state.outbox->described(own.entries);
        arm(self, kGather);
      },
      [=](const NatLeases& news) { lease(self, news); },
      [=](const HealthClaims& news) { claim_pools(self, news); },
      [=](const RoutesLearned& news) {
        self->state.outbox->routed(news);
        arm(self, kGather);
      },
      [=](const SessionChanged& news) { session_changed(self, news); },
      [=](const Tick&) { write(self); },
  };
}

}  // namespace

StatePublisherActor spawn_state_publisher(caf::actor_system& system, const PublisherLinks& links) {
  return system.spawn(publisher_behavior, links);
}

}  // namespace viaduct::actors
