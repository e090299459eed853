#include "actors/admin/admin_actor.hpp"

#include <map>
#include <memory>

#include "actors/admin/connection_lines.hpp"
#include "actors/admin/replies.hpp"
#include "actors/admin/request.hpp"
#include "actors/admin/route_lines.hpp"
#include "actors/admin/state_lines.hpp"
#include "actors/admin/suppose_run.hpp"
#include "actors/admin/trace_run.hpp"
#include "actors/admin/why_run.hpp"
#include "actors/runtime/status.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kPartTimeout{20};
constexpr std::chrono::seconds kPatience{5};  // beyond what the operator allowed

struct AdminState {
  const char* name = "admin";
  Status status{"admin", "admin"};
  std::unique_ptr<AdminLinks> links;
};

using Self = AdminActor::stateful_pointer<AdminState>;
using Promise = caf::typed_response_promise<AdminAnswer>;

// One request on its way: what its handlers need, and its one answer.
struct Exchange {
  Self self;
  uint64_t id;
  std::string_view kind;
  Promise promise;

  const AdminLinks& links() const { return *self->state.links; }
  void answer(schema::Frame frame, std::string_view outcome = "ok") const {
    links().probe.request(kind, outcome);
    Promise one_use = promise;
    one_use.deliver(AdminAnswer{std::make_shared<const schema::Frame>(std::move(frame))});
  }
  void refuse(AdminProblem problem, std::string_view outcome = "refused") const {
    answer(error_reply(id, problem), outcome);
  }
  // For requests to a part of the daemon that does not answer.
  auto unavailable(std::string_view part) const {
    return [exchange = *this, part](const caf::error& error) {
      std::string text = exchange.self->system().render(error);
      exchange.refuse({schema::ErrorCode::UNAVAILABLE,
                       "the daemon's " + std::string(part) + " does not answer (" + text +
                           "); `viaduct status` shows its actors, the daemon's log says more",
                       {}},
                      "unavailable");
    };
  }
  // False, and refused, when this daemon does not have the role.
  bool needs_cluster() const {
    if (links().store) return true;
    refuse({schema::ErrorCode::UNAVAILABLE,
            "this host has no cluster role, and its agent changes nothing: ask a cluster node (viaduct --address)",
            {}},
           "unavailable");
    return false;
  }
  bool needs_agent() const {
    if (links().flows) return true;
    refuse({schema::ErrorCode::UNAVAILABLE,
            "this host has no agent role, and therefore no datapath: ask a host that has (viaduct --address)",
            {}},
           "unavailable");
    return false;
  }
  // Asks for the snapshot first, as most answers name objects: all of them, or what this host has of them.
  template <class Then>
  void with_snapshot(Then then) const {
    auto go_on = [then](const SnapshotPtr& snapshot) { then(snapshot); };
    if (links().store) {
      self->request(links().store, kPartTimeout, ReadTopology{}).then(go_on, unavailable("topology store"));
    } else {
      self->request(links().mirror, kPartTimeout, ReadTopology{}).then(go_on, unavailable("topology mirror"));
    }
  }
};

void committed(const Exchange& exchange, const TransactRequest& request, const CommitReply& reply) {
  if (reply.status == CommitReply::Status::unavailable) {
    return exchange.refuse({schema::ErrorCode::UNAVAILABLE, reply.error, {}}, "unavailable");
  }
  if (reply.status == CommitReply::Status::refused) {
    return exchange.refuse({schema::ErrorCode::INVALID, "", reply.violations});
  }
  if (!request.wait_applied || request.transaction.dry_run) {
    return exchange.answer(committed_reply(exchange.id, reply, false));
  }
  exchange.self
      ->request(exchange.links().store, request.timeout + kPatience, WaitApplied{reply.revision, request.timeout})
      .then(
          [=](const WaitAppliedReply& waited) {
            exchange.answer(committed_reply(exchange.id, reply, waited.reached), waited.reached ? "ok" : "timeout");
          },
          exchange.unavailable("topology store"));
}

void handle(const Exchange& exchange, TransactRequest& request) {
  if (!exchange.needs_cluster()) return;
  request.transaction.cause.node = exchange.links().host.name;
  exchange.self->request(exchange.links().store, kPartTimeout, request.transaction)
      .then([=](const CommitReply& reply) { committed(exchange, request, reply); },
            exchange.unavailable("topology store"));
}

void handle(const Exchange& exchange, ListRequest& request) {
  exchange.with_snapshot(
      [=](const SnapshotPtr& snapshot) { exchange.answer(objects_reply(exchange.id, *snapshot, request)); });
}

void handle(const Exchange& exchange, WaitApplied& request) {
  if (!exchange.needs_cluster()) return;
  exchange.self->request(exchange.links().store, request.timeout + kPatience, request)
      .then(
          [=](const WaitAppliedReply& reply) {
            if (reply.reached) return exchange.answer(applied_reply(exchange.id, reply.applied));
            exchange.refuse({schema::ErrorCode::TIMEOUT,
                             "not applied in time; applied so far: revision " + std::to_string(reply.applied),
                             {}},
                            "timeout");
          },
          exchange.unavailable("topology store"));
}

// Asks part by part, those that this daemon has; each adds what it knows.
class StatusRounds : public std::enable_shared_from_this<StatusRounds> {
 public:
  StatusRounds(const Exchange& exchange, std::shared_ptr<StatusContent> status)
      : exchange_(exchange), status_(std::move(status)) {
    const AdminLinks& links = exchange.links();
    add<NodeReport>(links.node(), ReportNode{}, "supervisor", [this](const NodeReport& node) {
      add_actors(node);
      add_admin();
    });
    if (links.store) {
      add<NodeReport>(links.store, ReportNode{}, "topology store", [this](const NodeReport& all) { add_actors(all); });
      add<StoreRevisions>(links.store, ReadRevisions{}, "topology store",
                          [this](const StoreRevisions& revisions) { status_->revisions = revisions; });
      add<AgentsReport>(links.store, ReadAgents{}, "topology store",
                        [this](const AgentsReport& report) { status_->agents = report; });
    }
    if (!links.store) {
      add<MirrorPosition>(links.mirror, ReadMirror{}, "topology mirror", [this](const MirrorPosition& position) {
        status_->revisions = {position.revision, position.revision};
      });
    }
    if (links.flows) add_agent(links);
  }
  void next() {
    if (at_ < steps_.size()) return steps_[at_++]();
    exchange_.with_snapshot([me = shared_from_this()](const SnapshotPtr& snapshot) {
      me->exchange_.answer(status_reply(me->exchange_.id, *me->status_, *snapshot));
    });
  }

 private:
  template <class Answer, class Part, class Question, class Take>
  void add(const Part& part, const Question& question, std::string_view name, Take take) {
    steps_.push_back([this, part, question, name, take] {
      exchange_.self->request(part, kPartTimeout, question)
          .then(
              [me = shared_from_this(), take](const Answer& answer) {
                take(answer);
                me->next();
              },
              exchange_.unavailable(name));
    });
  }
  void add_agent(const AdminLinks& links) {
    add<NodeReport>(links.devices, ReportNode{}, "devices", [this](const NodeReport& all) { add_actors(all); });
    add<DatapathReport>(links.datapath, ReportDatapath{}, "datapath",
                        [this](const DatapathReport& report) { status_->datapath = report; });
    add<FlowReport>(links.flows, ReportFlows{}, "flow controller",
                    [this](const FlowReport& report) { status_->flows = report; });
    add<TunnelReport>(links.tunnels, ReportTunnels{}, "tunnel manager",
                      [this](const TunnelReport& report) { status_->tunnels = report; });
    add<NatReport>(links.nat, ReportNat{}, "NAT leaser", [this](const NatReport& report) { status_->nat = report; });
    add<NodeReport>(links.speakers, ReportNode{}, "BGP speakers", [this](const NodeReport& all) { add_actors(all); });
    add<BgpReport>(links.speakers, ReportBgp{}, "BGP speakers",
                   [this](const BgpReport& report) { status_->bgp = report; });
    add<ClusterReport>(links.link, ReportCluster{}, "cluster link",
                       [this](const ClusterReport& report) { status_->cluster = report; });
  }
  void add_actors(const NodeReport& report) {
    auto& actors = status_->node.actors;
    actors.insert(actors.end(), report.actors.begin(), report.actors.end());
    status_->node.unlisted += report.unlisted;
  }
  void add_admin() {
    status_->node.actors.push_back(exchange_.self->state.status.report(exchange_.self->mailbox().size()));
    status_->node.actors.back().restarts = exchange_.links().restarts;
  }

  const Exchange exchange_;
  const std::shared_ptr<StatusContent> status_;
  std::vector<std::function<void()>> steps_;
  size_t at_ = 0;
};

// In the slow path and in the datapath.
std::vector<std::pair<std::string, uint64_t>> drops(const observability::Registry& registry) {
  std::map<std::string, uint64_t> by_reason;
  for (const auto& family : registry.collect()) {
    if (family.name != "viaduct_dropped_packets_total" && family.name != "viaduct_flow_dropped_packets_total") continue;
    for (const auto& sample : family.samples) {
      for (const auto& [label, value] : sample.labels) {
        if (label == "reason" && sample.value > 0) by_reason[value] += static_cast<uint64_t>(sample.value);
      }
    }
  }
  return {by_reason.begin(), by_reason.end()};
}

void handle(const Exchange& exchange, StatusRequest&) {
  if (!exchange.links().node()) {
    return exchange.refuse({schema::ErrorCode::UNAVAILABLE, "the daemon is starting; ask again", {}}, "unavailable");
  }
  auto status = std::make_shared<StatusContent>();
  const auto& links = exchange.links();
  status->version = VIADUCT_VERSION;
  status->metrics_url = links.metrics_url;
  status->host = links.host;
  status->started = links.started;
  status->drops = drops(links.registry);
  auto rounds = std::make_shared<StatusRounds>(exchange, status);
  rounds->next();
}

void handle(const Exchange& exchange, FlowsRequest& request) {
  if (!exchange.needs_agent()) return;
  auto network = exchange.links().state.network.load();
  ListFlows list{{}, request.limit};
  if (!request.port.is_nil()) {
    const auto* port = network->port(request.port);
    if (port == nullptr || !port->number) {
      return exchange.refuse(
          {schema::ErrorCode::NOT_FOUND, "the port is not active on this host, so no flow enters by it", {}});
    }
    list.port = port->number;
  }
  exchange.self->request(exchange.links().flows, kPartTimeout, list)
      .then([=](const FlowListReply& reply) { exchange.answer(flows_reply(exchange.id, reply, *network)); },
            exchange.unavailable("flow controller"));
}

void handle(const Exchange& exchange, TraceRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    TraceResult result = run_trace(request, *snapshot, exchange.links().state);
    if (!result.error.empty()) return exchange.refuse({schema::ErrorCode::INVALID, result.error, {}});
    exchange.answer(trace_reply(exchange.id, result, *snapshot));
  });
}

void handle(const Exchange& exchange, SupposeRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    const auto& links = exchange.links();
    const Knowledge knowledge = links.store ? Knowledge::whole : Knowledge::closure;
    const Supposed supposed = run_suppose(request, *snapshot, knowledge, links.state);
    if (!supposed.error.empty()) return exchange.refuse({schema::ErrorCode::INVALID, supposed.error, {}});
    if (!supposed.violations.empty()) {
      return exchange.refuse({schema::ErrorCode::INVALID, "", supposed.violations});
    }
    exchange.answer(supposed_reply(exchange.id, supposed, *snapshot));
  });
}

// Asks the parts of the agent one after the other. One that does not answer is noted, and the answer goes without it: whoever
// asks why nothing arrives may ask a daemon that is in trouble.
class WhyRounds : public std::enable_shared_from_this<WhyRounds> {
 public:
  WhyRounds(const Exchange& exchange, const WhyRequest& request) : exchange_(exchange), request_(request) {
    const AdminLinks& links = exchange.links();
    facts_.host = links.host;
    add<DropReport>(links.flows, ReadDrops{request.port}, "flow controller", facts_.drops);
    add<DatapathReport>(links.datapath, ReportDatapath{}, "datapath", facts_.datapath);
    add<TunnelReport>(links.tunnels, ReportTunnels{}, "tunnel manager", facts_.tunnels);
    add<NatReport>(links.nat, ReportNat{}, "NAT leaser", facts_.nat);
    add<BgpReport>(links.speakers, ReportBgp{}, "BGP speakers", facts_.bgp);
    if (links.store) add<AgentsReport>(links.store, ReadAgents{}, "topology store", facts_.agents);
  }
  void next() {
    if (at_ < steps_.size()) return steps_[at_++]();
    exchange_.with_snapshot([me = shared_from_this()](const SnapshotPtr& snapshot) { me->conclude(*snapshot); });
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{150};  // with one part; all of it is to be below a second

  template <class Answer, class Part, class Question>
  void add(const Part& part, const Question& question, std::string_view name, Answer& to) {
    steps_.push_back([this, part, question, name, &to] {
      exchange_.self->request(part, kPatience, question)
          .then(
              [me = shared_from_this(), &to](const Answer& answer) {
                to = answer;
                me->next();
              },
              [me = shared_from_this(), name](const caf::error&) {
                me->silent_.push_back("the daemon's " + std::string(name) +
                                      " did not answer: what it knows is missing");
                me->next();
              });
    });
  }
  void conclude(const topology::Snapshot& snapshot) {
    facts_.now = std::chrono::steady_clock::now();
    WhyResult result = run_why(request_, snapshot, exchange_.links().state, facts_);
    if (!result.error.empty()) return exchange_.refuse({schema::ErrorCode::NOT_FOUND, result.error, {}});
    result.notes.insert(result.notes.end(), silent_.begin(), silent_.end());
    exchange_.answer(why_reply(exchange_.id, result, snapshot));
  }

  const Exchange exchange_;
  const WhyRequest request_;
  WhyFacts facts_;
  std::vector<std::string> silent_;
  std::vector<std::function<void()>> steps_;
  size_t at_ = 0;
};

// This daemon drops nothing: who does, knows why.
void name_who_knows(const Exchange& exchange, PortId id) {
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    const topology::Port* port = snapshot->find(id);
    if (port == nullptr) {
      return exchange.refuse({schema::ErrorCode::NOT_FOUND, "no port " + id.to_string() + " exists", {}});
    }
    const std::string where = port->host.is_nil()
                                  ? "the host of a machine that sends to it"
                                  : "host " + name_or_id(*snapshot, {topology::Kind::host, port->host.uuid()});
    exchange.refuse(
        {schema::ErrorCode::UNAVAILABLE,
         "this host has no agent role, and therefore remembers no drops: ask " + where + " (viaduct --address)",
         {}},
        "unavailable");
  });
}

void handle(const Exchange& exchange, WhyRequest& request) {
  if (!exchange.links().flows) return name_who_knows(exchange, request.port);
  std::make_shared<WhyRounds>(exchange, request)->next();
}

void handle(const Exchange& exchange, DropsRequest& request) {
  if (!exchange.needs_agent()) return;
  auto answer = [=](const DropReport& drops) {
    exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
      exchange.answer(drops_reply(exchange.id, drops, request.limit, *snapshot, std::chrono::steady_clock::now()));
    });
  };
  exchange.self->request(exchange.links().flows, kPartTimeout, ReadDrops{request.port})
      .then(answer, exchange.unavailable("flow controller"));
}

void handle(const Exchange& exchange, LogLevelRequest& request) {
  std::string specification = request.component.empty() ? request.level : request.component + "=" + request.level;
  if (auto wrong = log::set_levels(specification)) {
    return exchange.refuse({schema::ErrorCode::INVALID, *wrong, {}});
  }
  exchange.answer(done_reply(exchange.id));
}

void handle(const Exchange& exchange, StateRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    auto lines = state_lines(request.device, *snapshot, exchange.links().state, std::chrono::steady_clock::now(),
                             std::chrono::system_clock::now());
    exchange.answer(state_reply(exchange.id, lines, *snapshot));
  });
}

void handle(const Exchange& exchange, RoutesRequest& request) {
  if (!exchange.needs_agent()) return;
  const auto network = exchange.links().state.network.load();
  exchange.answer(routes_reply(exchange.id, learned_routes(*network, request), network->snapshot()));
}

void handle(const Exchange& exchange, FactsRequest& request) {
  if (!exchange.needs_cluster()) return;
  exchange.self->request(exchange.links().tables, kPartTimeout, request.facts)
      .then([=](const Facts& facts) { exchange.answer(facts_reply(exchange.id, facts)); },
            exchange.unavailable("state tables"));
}

void handle(const Exchange& exchange, EventsRequest& request) {
  exchange.answer(events_reply(exchange.id, exchange.links().journal.read(request.filter)));
}

void handle(const Exchange& exchange, FlushState& request) {
  if (!exchange.needs_agent()) return;
  // The flow controller looks at all news before it reports: its answer says that the flows are gone as well.
  auto ask_flows = [=](const StateFlushed&) {
    exchange.self->request(exchange.links().flows, kPartTimeout, ReportFlows{})
        .then([=](const FlowReport&) { exchange.answer(done_reply(exchange.id)); },
              exchange.unavailable("flow controller"));
  };
  exchange.self->request(exchange.links().devices, kPartTimeout, request)
      .then(ask_flows, exchange.unavailable("device actors"));
}

void handle(const Exchange& exchange, ConnectionsRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    auto lines = connection_lines(request, *snapshot, exchange.links().state, std::chrono::steady_clock::now());
    exchange.answer(connections_reply(exchange.id, lines));
  });
}

void handle(const Exchange& exchange, ConnectionStatsRequest&) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    exchange.answer(connection_stats_reply(exchange.id, connection_totals(*snapshot, exchange.links().state)));
  });
}

// Answered when the flows are gone as well: see above.
void handle(const Exchange& exchange, FlushConnections& request) {
  if (!exchange.needs_agent()) return;
  auto ask_flows = [=](const ConnectionsFlushed& flushed) {
    exchange.self->request(exchange.links().flows, kPartTimeout, ReportFlows{})
        .then([=](const FlowReport&) { exchange.answer(flushed_reply(exchange.id, flushed.entries)); },
              exchange.unavailable("flow controller"));
  };
  exchange.self->request(exchange.links().connections, kPartTimeout, request)
      .then(ask_flows, exchange.unavailable("connections"));
}

Promise call(Self self, const AdminCall& message) {
  Promise promise = self->make_response_promise<AdminAnswer>();
  AdminRequest request = decode_request(*message.request, self->state.links->token);
  if (const auto* problem = std::get_if<AdminProblem>(&request.content)) {
    bool unreadable = problem->code == schema::ErrorCode::MALFORMED;
    if (unreadable) self->state.links->probe.malformed("request");
    Exchange{self, request.id, "unread", promise}.refuse(*problem, unreadable ? "malformed" : "refused");
    return promise;
  }
  auto& command = std::get<AdminCommand>(request.content);
  Exchange exchange{self, request.id, kind_of(command), promise};
  std::visit([&](auto& what) { handle(exchange, what); }, command);
  return promise;
}

AdminActor::behavior_type admin_behavior(Self self, const AdminLinks& links) {
  self->state.links = std::make_unique<AdminLinks>(links);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const AdminCall& message) { return call(self, message); },
  };
}

}  // namespace

AdminActor spawn_admin(caf::actor_system& system, const AdminLinks& links) {
  return system.spawn(admin_behavior, links);
}

}  // namespace viaduct::actors
