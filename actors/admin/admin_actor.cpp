#include "actors/admin/admin_actor.hpp"

#include "actors/admin/connection_lines.hpp"
#include "actors/admin/exchange.hpp"
#include "actors/admin/route_lines.hpp"
#include "actors/admin/state_lines.hpp"
#include "actors/admin/suppose_run.hpp"
#include "actors/admin/trace_run.hpp"
#include "actors/admin/why_run.hpp"
#include "observability/log.hpp"

namespace viaduct::actors {

namespace log = observability::log;

namespace {

constexpr std::chrono::seconds kPatience{5};  // beyond what the operator allowed

using Self = AdminSelf;
using Promise = AdminPromise;

void committed(const AdminExchange& exchange, const TransactRequest& request, const CommitReply& reply) {
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

void handle(const AdminExchange& exchange, TransactRequest& request) {
  if (!exchange.needs_cluster()) return;
  request.transaction.cause.node = exchange.links().host.name;
  exchange.self->request(exchange.links().store, kPartTimeout, request.transaction)
      .then([=](const CommitReply& reply) { committed(exchange, request, reply); },
            exchange.unavailable("topology store"));
}

void handle(const AdminExchange& exchange, ListRequest& request) {
  exchange.with_snapshot(
      [=](const SnapshotPtr& snapshot) { exchange.answer(objects_reply(exchange.id, *snapshot, request)); });
}

void handle(const AdminExchange& exchange, WaitApplied& request) {
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

void handle(const AdminExchange& exchange, StatusRequest&) { answer_status(exchange); }

void handle(const AdminExchange& exchange, WhyRequest& request) {
  where_bound(exchange, request.port, request.relayed, [=] { answer_why(exchange, request); });
}

void handle(const AdminExchange& exchange, FlowsRequest& request) {
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

void trace_here(const AdminExchange& exchange, const TraceRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    const auto& links = exchange.links();
    TraceResult result = run_trace(request, *snapshot, links.state);
    if (!result.error.empty()) return exchange.refuse({schema::ErrorCode::INVALID, result.error, {}});
    exchange.answer(trace_reply(exchange.id, result, *snapshot, links.host.name));
  });
}

void handle(const AdminExchange& exchange, TraceRequest& request) {
  where_bound(exchange, request.port, request.relayed, [=] { trace_here(exchange, request); });
}

void handle(const AdminExchange& exchange, SupposeRequest& request) {
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

void handle(const AdminExchange& exchange, DropsRequest& request) {
  if (!exchange.needs_agent()) return;
  auto answer = [=](const DropReport& drops) {
    exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
      exchange.answer(drops_reply(exchange.id, drops, request.limit, *snapshot, std::chrono::steady_clock::now()));
    });
  };
  exchange.self->request(exchange.links().flows, kPartTimeout, ReadDrops{request.port})
      .then(answer, exchange.unavailable("flow controller"));
}

void handle(const AdminExchange& exchange, LogLevelRequest& request) {
  std::string specification = request.component.empty() ? request.level : request.component + "=" + request.level;
  if (auto wrong = log::set_levels(specification)) {
    return exchange.refuse({schema::ErrorCode::INVALID, *wrong, {}});
  }
  exchange.answer(done_reply(exchange.id));
}

void handle(const AdminExchange& exchange, StateRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    auto lines = state_lines(request.device, *snapshot, exchange.links().state, std::chrono::steady_clock::now(),
                             std::chrono::system_clock::now());
    exchange.answer(state_reply(exchange.id, lines, *snapshot));
  });
}

void handle(const AdminExchange& exchange, RoutesRequest& request) {
  if (!exchange.needs_agent()) return;
  const auto network = exchange.links().state.network.load();
  exchange.answer(routes_reply(exchange.id, learned_routes(*network, request), network->snapshot()));
}

void handle(const AdminExchange& exchange, FactsRequest& request) {
  if (!exchange.needs_cluster()) return;
  exchange.self->request(exchange.links().tables, kPartTimeout, request.facts)
      .then([=](const Facts& facts) { exchange.answer(facts_reply(exchange.id, facts)); },
            exchange.unavailable("state tables"));
}

void handle(const AdminExchange& exchange, EventsRequest& request) {
  exchange.answer(events_reply(exchange.id, exchange.links().journal.read(request.filter)));
}

void handle(const AdminExchange& exchange, FlushState& request) {
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

void handle(const AdminExchange& exchange, ConnectionsRequest& request) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    auto lines = connection_lines(request, *snapshot, exchange.links().state, std::chrono::steady_clock::now());
    exchange.answer(connections_reply(exchange.id, lines));
  });
}

void handle(const AdminExchange& exchange, ConnectionStatsRequest&) {
  if (!exchange.needs_agent()) return;
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    exchange.answer(connection_stats_reply(exchange.id, connection_totals(*snapshot, exchange.links().state)));
  });
}

// Answered when the flows are gone as well: see above.
void handle(const AdminExchange& exchange, FlushConnections& request) {
  if (!exchange.needs_agent()) return;
  auto ask_flows = [=](const ConnectionsFlushed& flushed) {
    exchange.self->request(exchange.links().flows, kPartTimeout, ReportFlows{})
        .then([=](const FlowReport&) { exchange.answer(flushed_reply(exchange.id, flushed.entries)); },
              exchange.unavailable("flow controller"));
  };
  exchange.self->request(exchange.links().connections, kPartTimeout, request)
      .then(ask_flows, exchange.unavailable("connections"));
}

Promise serve(Self self, AdminRequest request, const std::shared_ptr<const schema::Frame>& frame) {
  Promise promise = self->make_response_promise<AdminAnswer>();
  if (const auto* problem = std::get_if<AdminProblem>(&request.content)) {
    bool unreadable = problem->code == schema::ErrorCode::MALFORMED;
    if (unreadable) self->state.links->probe.malformed("request");
    AdminExchange{self, request.id, "unread", promise}.refuse(*problem, unreadable ? "malformed" : "refused");
    return promise;
  }
  auto& command = std::get<AdminCommand>(request.content);
  AdminExchange exchange{self, request.id, kind_of(command), promise, frame, std::move(request.cause)};
  std::visit([&](auto& what) { handle(exchange, what); }, command);
  return promise;
}

Promise call(Self self, const AdminCall& message) {
  return serve(self, decode_request(*message.request, self->state.links->token), message.request);
}

// Who asks another daemon is known there. Here it is written down.
Promise relayed_call(Self self, const topology::Question& question) {
  AdminRequest request = decode_relayed(question.request);
  const auto* command = std::get_if<AdminCommand>(&request.content);
  log::info(log::Component::admin, "asked from another host",
            {{"question", command == nullptr ? "unread" : kind_of(*command)},
             {"port", question.port.to_string()},
             {"asked", question.asked},
             {"by", question.by},
             {"request", question.name}});
  return serve(self, std::move(request), nullptr);
}

AdminActor::behavior_type admin_behavior(Self self, const AdminLinks& links) {
  self->state.links = std::make_unique<AdminLinks>(links);
  return {
      [=](const ReportStatus&) { return self->state.status.report(self->mailbox().size()); },
      [=](const Shutdown&) { self->quit(); },
      [=](const AdminCall& message) { return call(self, message); },
      [=](const RelayedCall& message) { return relayed_call(self, *message.question); },
  };
}

}  // namespace

AdminActor spawn_admin(caf::actor_system& system, const AdminLinks& links) {
  return system.spawn(admin_behavior, links);
}

}  // namespace viaduct::actors
