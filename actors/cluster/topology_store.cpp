#include "actors/cluster/topology_store.hpp"

#include <algorithm>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "actors/cluster/change_events.hpp"
#include "actors/cluster/feed_progress.hpp"
#include "actors/cluster/subscription.hpp"
#include "actors/cluster/topology_writer.hpp"
#include "actors/runtime/bell.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;
using observability::EventKind;

namespace {

using WaitPromise = caf::typed_response_promise<WaitAppliedReply>;

struct Waiter {
  uint64_t revision;
  std::chrono::steady_clock::time_point deadline;
  WaitPromise promise;
};

// What the watch's thread and the actor share. The actor's functions are put in when it runs.
struct StoreCore {
  Bell bell;
  TopologyWriter::OnStep on_step;
  std::unique_ptr<TopologyWriter> writer;  // the last member: its watch rings the bell

  explicit StoreCore(const TopologyStoreLinks& links)
      : writer(std::make_unique<TopologyWriter>(
            links.store, [this] { bell.ring(); }, [this](const NsdbView::Step& step) { on_step(step); },
            links.history)) {}
};

enum Timer : uint32_t { kPatience, kFollow };
constexpr std::chrono::seconds kFollowInterval{1};  // a watch that has ended begins again
constexpr size_t kMaxWaiters = 4'096;
constexpr size_t kIdleParts = 10;  // of the history: so far an agent may be behind though nothing concerns it
constexpr std::chrono::seconds kReportTimeout{5};  // for a subscription's word of itself

struct TopologyStoreState {
  const char* name = "topology_store";
  Status status{"topology_store", "topology_store"};
  std::unique_ptr<TopologyStoreLinks> links;
  std::shared_ptr<StoreCore> core;
  std::shared_ptr<FeedEncoder> encoder = std::make_shared<FeedEncoder>();
  StateTablesActor tables;
  FollowProgress record;  // of this node
  NodeProgress told;      // to it
  std::vector<TopologyFollowerActor> followers;
  std::map<HostId, SubscriptionActor> served;
  FeedProgress progress;  // of these
  std::list<Waiter> waiters;

  const NsdbView& view() const { return core->writer->view(); }
  // What all agents have applied, also those of other nodes; 0: there are none.
  uint64_t applied_everywhere() const {
    const auto elsewhere = view().nodes().applied(record.node);
    if (served.empty() && !elsewhere) return 0;
    uint64_t least = progress.least(view().revision());
    // Other nodes tell of the topology only.
    if (elsewhere && *elsewhere < view().head()) least = std::min(least, *elsewhere);
    return least;
  }
};

using Self = TopologyStoreActor::stateful_pointer<TopologyStoreState>;

void tell_record(Self self) {
  auto& state = self->state;
  const uint64_t head = state.view().head();
  const NodeProgress now{state.served.size(), std::min(head, state.progress.least(head))};
  if (!state.record.record || (now.agents == state.told.agents && now.applied == state.told.applied)) return;
  state.told = now;
  self->send(state.record.record, now);
}

void answer_waiters(Self self) {
  auto& state = self->state;
  tell_record(self);
  if (state.waiters.empty()) return;
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

// If this node serves it.
void send_feed(Self self, HostId host, const FeedBatchPtr& batch) {
  auto agent = self->state.served.find(host);
  if (agent == self->state.served.end()) return;
  self->state.progress.sent(host, batch->revision, std::chrono::steady_clock::now());
  self->send(agent->second, FeedChange{batch});
}

void send_whole(Self self, HostId host) {
  if (!self->state.served.contains(host)) return;
  send_feed(self, host, std::make_shared<const topology::FeedBatch>(self->state.view().whole(host)));
}

// An agent that nothing concerns would fall behind what is known of deletions, and need everything when it comes back.
void tell_the_idle(Self self) {
  auto& state = self->state;
  const NsdbView& view = state.view();
  FeedBatchPtr nothing;
  for (const auto& [host, subscription] : state.served) {
    if (state.progress.find(host)->sent + state.links->history / kIdleParts >= view.revision()) continue;
    if (nothing == nullptr) nothing = std::make_shared<const topology::FeedBatch>(view.nothing_new());
    send_feed(self, host, nothing);
  }
}

void tell_tables(Self self) {
  auto& state = self->state;
  if (!state.tables) return;
  StatesChanged all{state.view().snapshot(), {}, true};
  state.view().states().for_each([&](const std::string&, const topology::StatePtr& entry) {
    all.changes.push_back({nullptr, entry});
  });
  self->send(state.tables, std::move(all));
}

// The store has changed: by this node or by another one.
void publish(Self self, const NsdbView::Step& step) {
  auto& state = self->state;
  if (step.resynchronised) {
    state.links->probe.watch_compacted();
    tell_tables(self);
    for (const auto& [host, agent] : state.served) send_whole(self, host);
  }
  // Before the agents: what they say of a port that is new to them must not be refused for the port's sake.
  if (state.tables && (!step.states.empty() || !step.delta->empty())) {
    self->send(state.tables, StatesChanged{step.snapshot, step.states, false});
  }
  if (!step.delta->empty()) {
    for (const auto& follower : state.followers) self->send(follower, TopologyChanged{step.snapshot, step.delta});
  }
  for (const FeedPart& part : step.parts) {
    for (HostId host : part.hosts) send_feed(self, host, part.batch);
  }
  if (!step.delta->empty()) {
    state.links->probe.revision(step.snapshot->revision());
    tell_change(step);
  }
  tell_sessions_that_ended(step);
  answer_waiters(self);
}

CommitReply commit(Self self, const CommitTransaction& request) {
  auto& state = self->state;
  auto begin = std::chrono::steady_clock::now();
  CommitReply reply = state.core->writer->commit(request);
  if (reply.status == CommitReply::Status::unavailable) {
    state.links->probe.refused("store");
    log::error(log::Component::store, "commit failed", {{"error", reply.error}});
  } else if (reply.status == CommitReply::Status::refused) {
    for (const auto& violation : reply.violations) state.links->probe.refused(topology::to_string(violation.rule));
  } else if (reply.revision != 0 && !reply.changes.empty()) {
    state.links->probe.committed(std::chrono::steady_clock::now() - begin, reply.revision);
  }
  return reply;
}

void follow(Self self) {
  auto& state = self->state;
  state.core->bell.answer();
  state.core->writer->follow();
  if (auto error = state.core->writer->watch_error()) {
    log::event(log::Component::store, log::Level::error, EventKind::store_lost,
               "the store's watch has ended; it begins again", {{"error", *error}});
  }
}

// From where it stopped, if that is still known; else everything.
FeedBatchPtr first_batch(const NsdbView& view, const Subscribe& subscriber) {
  if (subscriber.revision != 0) {
    if (auto since = view.since(subscriber.host, subscriber.revision, subscriber.devices)) {
      return std::make_shared<const topology::FeedBatch>(std::move(*since));
    }
  }
  return std::make_shared<const topology::FeedBatch>(view.whole(subscriber.host));
}

SubscriptionActor subscribe(Self self, const Subscribe& subscriber) {
  auto& state = self->state;
  follow(self);
  if (subscriber.revision != 0) {
    state.core->writer->await(subscriber.revision);
    state.core->writer->await_history();
  }
  SubscriptionActor& agent = state.served[subscriber.host];
  if (agent) self->send(agent, Shutdown{});
  FeedBatchPtr first = first_batch(state.view(), subscriber);
  SubscriptionLinks links{subscriber, TopologyStoreActor(self), first, state.encoder};
  agent = spawn_subscription(self->system(), links);
  state.progress.begin(subscriber.host, subscriber.revision);
  state.progress.sent(subscriber.host, first->revision, std::chrono::steady_clock::now());
  self->link_to(agent);  // an agent that silently gets nothing any more would be worse than a restart
  self->monitor(agent);
  tell_record(self);
  return agent;
}

void follow_topology(Self self, const TopologyFollowerActor& follower) {
  self->monitor(follower);
  self->state.followers.push_back(follower);
  self->send(follower, TopologyChanged{self->state.view().snapshot(), nullptr});
}

// A subscription ends by itself when its agent has gone.
void gone(Self self, const caf::actor_addr& who) {
  auto& state = self->state;
  std::erase_if(state.followers, [&](const auto& follower) { return follower.address() == who; });
  std::erase_if(state.served, [&](const auto& line) {
    if (line.second.address() != who) return false;
    state.progress.end(line.first);
    return true;
  });
  answer_waiters(self);
}

WaitPromise wait_applied(Self self, const WaitApplied& request) {
  auto& state = self->state;
  WaitPromise promise = self->make_response_promise<WaitAppliedReply>();
  uint64_t revision = request.revision == 0 ? state.view().revision() : request.revision;
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
  auto left = std::make_shared<size_t>(self->state.served.size());
  auto one_done = [=]() mutable {
    if (--*left == 0) promise.deliver(std::move(*out));
  };
  if (*left == 0) promise.deliver(NodeReport{});
  for (const auto& [host, agent] : self->state.served) {
    self->request(agent, kReportTimeout, ReportStatus{})
        .then(
            [=](const observability::ActorStatus& status) mutable {
              out->actors.push_back(status);
              one_done();
            },
            [=](const caf::error&) mutable { one_done(); });
  }
  return promise;
}

AgentsReport agents(Self self) {
  AgentsReport out;
  const auto& state = self->state;
  const NsdbView& view = state.view();
  view.snapshot()->for_each(topology::Kind::host, [&](const topology::Object& object) {
    const auto& host = std::get<topology::Host>(object);
    AgentsReport::Line line{host.id, host.name, "away", "", {}, 0, 0};
    auto session = view.states().find(topology::session_key(host.id));
    if (session != nullptr) {
      const auto& known = std::get<topology::HostSession>(session->fact);
      line.state = "elsewhere";
      line.node = known.node;
      line.since = WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(known.since)));
    }
    if (const auto* agent = state.progress.find(host.id)) {
      line.state = "served";
      line.applied = agent->outstanding() ? agent->applied : view.revision();
      line.lag = view.revision() - line.applied;
    }
    out.agents.push_back(std::move(line));
  });
  std::ranges::sort(out.agents, {}, &AgentsReport::Line::name);
  for (const auto& [key, node] : view.nodes().all()) out.nodes.push_back(node);
  return out;
}

void stop(Self self) {
  for (const auto& [host, agent] : self->state.served) self->send(agent, Shutdown{});
  self->quit();
}

void applied(Self self, const AgentApplied& news) {
  self->state.progress.applied(news.host, news.revision, std::chrono::steady_clock::now());
  answer_waiters(self);
}

void tick(Self self, uint32_t timer) {
  if (timer == kFollow) {
    follow(self);
    tell_the_idle(self);
    self->state.core->writer->rest();
    const FeedProgress& progress = self->state.progress;
    self->state.links->probe.agents_behind(progress.behind(), progress.lag(std::chrono::steady_clock::now()));
    self->delayed_send(self, kFollowInterval, Tick{kFollow});
  }
  answer_waiters(self);
}

TopologyStoreActor::behavior_type store_behavior(Self self, const TopologyStoreLinks& links,
                                                 const std::shared_ptr<StoreCore>& core) {
  auto& state = self->state;
  state.links = std::make_unique<TopologyStoreLinks>(links);
  state.core = core;
  core->on_step = [=](const NsdbView::Step& step) { publish(self, step); };
  core->bell.on_ring([to = caf::actor_cast<caf::weak_actor_ptr>(self->ctrl())] {
    if (auto store = caf::actor_cast<caf::actor>(to)) caf::anon_send(store, NewsWaits{});
  });
  self->set_down_handler([=](const caf::down_msg& down) { gone(self, down.source); });
  links.probe.revision(core->writer->snapshot()->revision());
  self->send(self, Tick{kFollow});
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { stop(self); },
      [=](const CommitTransaction& request) { return commit(self, request); },
      [=](const ReadTopology&) { return self->state.view().snapshot(); },
      [=](const ReadRevisions&) {
        return StoreRevisions{self->state.view().revision(), self->state.applied_everywhere()};
      },
      [=](const WaitApplied& request) { return wait_applied(self, request); },
      [=](const ReportNode&) { return report(self); },
      [=](const ReadAgents&) { return agents(self); },
      [=](const Subscribe& subscriber) { return subscribe(self, subscriber); },
      [=](const AgentApplied& news) { applied(self, news); },
      [=](const SendWhole& request) { send_whole(self, request.host); },
      [=](const FollowStates& follower) {
        self->state.tables = follower.tables;
        tell_tables(self);
      },
      [=](const FollowProgress& follower) {
        self->state.record = follower;
        tell_record(self);
      },
      [=](const FollowTopology& wanted) { follow_topology(self, wanted.follower); },
      [=](const NewsWaits&) { follow(self); },
      [=](const Tick& timer) { tick(self, timer.kind); },
  };
}

}  // namespace

TopologyStoreActor spawn_topology_store(caf::actor_system& system, const TopologyStoreLinks& links,
                                        std::string& error) {
  auto core = std::make_shared<StoreCore>(links);
  if (auto problem = core->writer->load()) {
    error = *problem;
    return {};
  }
  return system.spawn<caf::detached>(store_behavior, links, core);
}

}  // namespace viaduct::actors
