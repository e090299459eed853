#include "actors/cluster/topology_store.hpp"

#include <algorithm>
#include <limits>
#include <list>
#include <map>
#include <memory>

#include "actors/cluster/subscription.hpp"
#include "actors/cluster/topology_writer.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

using WaitPromise = caf::typed_response_promise<WaitAppliedReply>;

struct Waiter {
  uint64_t revision;
  std::chrono::steady_clock::time_point deadline;
  WaitPromise promise;
};

constexpr size_t kMaxWaiters = 4'096;
constexpr std::chrono::seconds kReportTimeout{5};  // for a subscription's word of itself

struct TopologyStoreState {
  const char* name = "topology_store";
  Status status{"topology_store", "topology_store"};
  std::unique_ptr<TopologyStoreLinks> links;
  std::shared_ptr<TopologyWriter> writer;
  std::map<HostId, SubscriptionActor> subscriptions;
  std::map<HostId, uint64_t> applied;
  std::list<Waiter> waiters;

  // What every subscribed agent has applied.
  uint64_t applied_everywhere() const {
    if (applied.empty()) return 0;
    uint64_t least = std::numeric_limits<uint64_t>::max();
    for (const auto& [host, revision] : applied) least = std::min(least, revision);
    return least;
  }
};

using Self = TopologyStoreActor::stateful_pointer<TopologyStoreState>;

void answer_waiters(Self self) {
  auto& state = self->state;
  uint64_t applied = state.applied_everywhere();
  auto now = std::chrono::steady_clock::now();
  for (auto it = state.waiters.begin(); it != state.waiters.end();) {
    bool reached = applied >= it->revision;
    if (reached || now >= it->deadline) {
      it->promise.deliver(WaitAppliedReply{reached, applied});
      it = state.waiters.erase(it);
    } else {
      ++it;
    }
  }
}

CommitReply commit(Self self, const CommitTransaction& request) {
  auto& state = self->state;
  auto begin = std::chrono::steady_clock::now();
  auto outcome = state.writer->commit(request);
  if (outcome.reply.status == CommitReply::Status::unavailable) {
    state.links->probe.refused("store");
    log::error(log::Component::store, "commit failed", {{"error", outcome.reply.error}});
  }
  if (outcome.reply.status == CommitReply::Status::refused) {
    for (const auto& violation : outcome.reply.violations)
      state.links->probe.refused(topology::to_string(violation.rule));
  }
  if (outcome.committed && outcome.reply.status == CommitReply::Status::committed) {
    state.links->probe.committed(std::chrono::steady_clock::now() - begin, outcome.reply.revision);
    log::info(log::Component::topology, "committed",
              {{"revision", outcome.reply.revision}, {"changes", outcome.reply.changes.size()}});
  }
  if (outcome.committed) {
    for (const auto& [host, subscription] : state.subscriptions) self->send(subscription, *outcome.committed);
  }
  return std::move(outcome.reply);
}

void subscribe(Self self, const Subscribe& subscriber) {
  auto& state = self->state;
  if (auto it = state.subscriptions.find(subscriber.host); it != state.subscriptions.end()) {
    self->send(it->second, Shutdown{});
  }
  SubscriptionLinks links{subscriber, TopologyStoreActor(self), state.writer->snapshot()};
  SubscriptionActor subscription = spawn_subscription(self->system(), links);
  self->link_to(subscription);  // an agent that silently gets nothing any more would be worse than a restart
  state.subscriptions[subscriber.host] = subscription;
  state.applied[subscriber.host] = 0;
}

WaitPromise wait_applied(Self self, const WaitApplied& request) {
  auto& state = self->state;
  WaitPromise promise = self->make_response_promise<WaitAppliedReply>();
  uint64_t revision = request.revision == 0 ? state.writer->snapshot()->revision() : request.revision;
  if (state.waiters.size() >= kMaxWaiters) {
    promise.deliver(WaitAppliedReply{false, state.applied_everywhere()});
    return promise;
  }
  state.waiters.push_back({revision, std::chrono::steady_clock::now() + request.timeout, promise});
  self->delayed_send(self, request.timeout, Tick{});
  answer_waiters(self);
  return promise;
}

caf::result<NodeReport> report(Self self) {
  auto promise = self->make_response_promise<NodeReport>();
  auto out = std::make_shared<NodeReport>();
  auto left = std::make_shared<size_t>(self->state.subscriptions.size());
  auto one_done = [=]() mutable {
    if (--*left == 0) promise.deliver(std::move(*out));
  };
  if (*left == 0) promise.deliver(NodeReport{});
  for (const auto& [host, subscription] : self->state.subscriptions) {
    self->request(subscription, kReportTimeout, ReportStatus{})
        .then(
            [=](const observability::ActorStatus& status) mutable {
              out->actors.push_back(status);
              one_done();
            },
            [=](const caf::error&) mutable { one_done(); });
  }
  return promise;
}

void stop(Self self) {
  for (const auto& [host, subscription] : self->state.subscriptions) self->send(subscription, Shutdown{});
  self->quit();
}

TopologyStoreActor::behavior_type store_behavior(Self self, const TopologyStoreLinks& links,
                                                 const std::shared_ptr<TopologyWriter>& writer) {
  self->state.links = std::make_unique<TopologyStoreLinks>(links);
  self->state.writer = writer;
  links.probe.revision(writer->snapshot()->revision());
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { stop(self); },
      [=](const CommitTransaction& request) { return commit(self, request); },
      [=](const ReadTopology&) { return self->state.writer->snapshot(); },
      [=](const ReadRevisions&) {
        return StoreRevisions{self->state.writer->snapshot()->revision(), self->state.applied_everywhere()};
      },
      [=](const WaitApplied& request) { return wait_applied(self, request); },
      [=](const ReportNode&) { return report(self); },
      [=](const Subscribe& subscriber) { subscribe(self, subscriber); },
      [=](const AgentApplied& news) {
        self->state.applied[news.host] = news.revision;
        answer_waiters(self);
      },
      [=](const Tick&) { answer_waiters(self); },
  };
}

}  // namespace

TopologyStoreActor spawn_topology_store(caf::actor_system& system, const TopologyStoreLinks& links,
                                        std::string& error) {
  auto writer = std::make_shared<TopologyWriter>(links.store);
  if (auto problem = writer->load()) {
    error = *problem;
    return {};
  }
  return system.spawn<caf::detached>(store_behavior, links, writer);
}

}  // namespace viaduct::actors
