// Questions about a port: the daemon of the host to which it is bound answers, whichever is asked.
#include "actors/admin/exchange.hpp"
#include "actors/admin/relayed.hpp"
#include "topology/codec_session.hpp"

namespace viaduct::actors {
namespace {

using schema::ErrorCode;

// Where the port is, in words, as far as it is known here.
std::string where(const topology::Snapshot& snapshot, const topology::Port* port) {
  if (port == nullptr) return {};
  return "port " + name_or_id(snapshot, {topology::Kind::port, port->id.uuid()}) + " is on host " +
         name_or_id(snapshot, {topology::Kind::host, port->host.uuid()}) + ", which was not asked: ";
}

void answered(const AdminExchange& exchange, const topology::Answer& answer, const std::string& place) {
  if (!answer.error.empty()) {
    const std::string text = (answer.host.empty() ? place : std::string()) + plain(answer.error);
    return exchange.refuse({answer.code, text, {}}, "not_relayed");
  }
  const auto expected = exchange.kind == "why" ? schema::AdminReply::WHY : schema::AdminReply::TRACE;
  auto reply = relayed_reply(answer.reply, exchange.id, expected, answer.host);
  if (auto* problem = std::get_if<AdminProblem>(&reply)) return exchange.refuse(std::move(*problem), "relayed");
  exchange.answer(std::move(std::get<schema::Frame>(reply)), "relayed");
}

void ask_there(const AdminExchange& exchange, PortId port, const std::string& place) {
  const AdminLinks& links = exchange.links();
  topology::Question question{0,
                              port,
                              links.host.name,
                              exchange.cause.by,
                              exchange.cause.request,
                              relayed_request(*exchange.request, exchange.cause)};
  exchange.self
      ->request(links.relay, kAskPatience, AskHost{std::make_shared<const topology::Question>(std::move(question))})
      .then([=](const HostAnswered& from) { answered(exchange, *from.answer, place); },
            [=](const caf::error& error) {
              const std::string text = exchange.self->system().render(error);
              exchange.refuse({ErrorCode::UNAVAILABLE,
                               place + "nobody has answered in time (" + text +
                                   "); ask the port's own host (viaduct --address), or look at `viaduct status` here",
                               {}},
                              "not_relayed");
            });
}

}  // namespace

void where_bound(const AdminExchange& exchange, PortId id, bool relayed, const std::function<void()>& here) {
  if (relayed) return here();
  exchange.with_snapshot([=](const SnapshotPtr& snapshot) {
    const AdminLinks& links = exchange.links();
    const topology::Port* port = snapshot->find(id);
    // A cluster node knows all ports, an agent those that it needs.
    const bool elsewhere = port == nullptr ? !links.store : !port->host.is_nil() && port->host != links.host.id;
    if (!elsewhere) return here();
    ask_there(exchange, id, where(*snapshot, port));
  });
}

}  // namespace viaduct::actors
