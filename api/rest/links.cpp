// Paths that are views of ports: what a port is linked with, and in which groups it is.
#include <algorithm>
#include <optional>

#include "api/rest/port_change.hpp"

namespace viaduct::api::rest {
namespace {

const Resource& ports() { return *find_resource("ports"); }

bool has(const Record& port, std::string_view field) { return !port.reference(field).is_nil(); }

// --- ports/{id}/link ---------------------------------------------------------------------------------

Answer make_link(Call& call, const Uuid& id) {
  auto body = body_of(call);
  if (!body) return body.failure();
  Record blank(Kind::PORT, id);
  Intake intake(ports(), *body, blank, Intent::create, call.context);
  const auto peer = body->is_object() ? intake.id("peerId", intake.given("peerId")) : std::nullopt;
  if (!peer || peer->is_nil()) {
    return Failure{
        ExitCode::refused, "invalid", {}, {}, {{"invalid", {}, {}, {}, "peerId", "must be the UUID of a port", {}}}};
  }
  return change_port(call, id, 201, [&](Record& port) -> Result<bool> {
    auto other = call.context.find(Kind::PORT, *peer);
    if (!other) return other.failure();
    for (const Record* each : {&port, &*other}) {
      if (has(*each, "peer"))
        return conflict("port " + each->id().to_string() + " is linked already", "unlink it first");
    }
    port.set("peer", *peer);
    return true;
  });
}

Answer answer_link(Call& call, const Uuid& id) {
  if (call.method() == Method::post) return make_link(call, id);
  if (call.method() != Method::remove) return no_such_verb(call.method(), call.whole_path());
  return change_port(call, id, 204, [](Record& port) -> Result<bool> {
    if (!has(port, "peer")) return false;
    port.set("peer", Value{});
    return true;
  });
}

Answer answer_groups_of_port(Call& call, const Uuid& id) {
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  auto port = call.context.find(Kind::PORT, id);
  if (!port) return port.failure();
  auto members = call.context.naming(Kind::PORT_GROUP_PORT, "port", id);
  if (!members) return members.failure();
  return list_of(call, *find_collection("port_groups", "ports")->of, std::move(*members));
}

// --- {bridges, routers}/{id}/peer_ports --------------------------------------------------------------

Answer answer_peers(Call& call, Kind kind, const Uuid& id) {
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  auto device = call.context.find(kind, id);
  if (!device) return device.failure();
  auto own = call.context.naming(Kind::PORT, kind == Kind::BRIDGE ? "bridge" : "router", id);
  if (!own) return own.failure();
  std::vector<Record> peers;
  for (const Record& port : *own) {
    if (!has(port, "peer")) continue;
    auto peer = call.context.find(Kind::PORT, port.reference("peer"));
    if (peer) peers.push_back(std::move(*peer));
  }
  return list_of(call, ports(), std::move(peers));
}

// --- load_balancers/{id}/vips ------------------------------------------------------------------------

Answer answer_vips(Call& call, const Uuid& id) {
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  auto balancer = call.context.find(Kind::LOAD_BALANCER, id);
  if (!balancer) return balancer.failure();
  auto pools = call.context.naming(Kind::POOL, "load_balancer", id);
  if (!pools) return pools.failure();
  std::vector<Record> vips;
  for (const Record& pool : *pools) {
    auto of_pool = call.context.naming(Kind::VIP, "pool", pool.id());
    if (!of_pool) return of_pool.failure();
    for (Record& vip : *of_pool) vips.push_back(std::move(vip));
  }
  return list_of(call, *find_resource("vips"), std::move(vips));
}

}  // namespace

std::optional<Answer> answer_view(Call& call) {
  const auto& path = call.path;
  if (path.size() < 3 || path.size() > 4) return std::nullopt;
  const bool three = path.size() == 3;
  const bool link = three && path[0] == "ports" && path[2] == "link";
  const bool groups = three && path[0] == "ports" && path[2] == "port_groups";
  const bool trace = three && path[0] == "ports" && path[2] == "trace";
  const bool peers = three && (path[0] == "bridges" || path[0] == "routers") && path[2] == "peer_ports";
  const bool vips = three && path[0] == "load_balancers" && path[2] == "vips";
  const bool host = path[0] == "hosts" && (path[2] == "ports" || path[2] == "interfaces");
  if (!link && !groups && !trace && !peers && !vips && !host) return std::nullopt;
  auto id = id_of(call, 1);
  if (!id) return Answer(id.failure());
  if (link) return answer_link(call, *id);
  if (groups) return answer_groups_of_port(call, *id);
  if (trace) return answer_trace(call, *id);
  if (peers) return answer_peers(call, path[0] == "bridges" ? Kind::BRIDGE : Kind::ROUTER, *id);
  return vips ? answer_vips(call, *id) : answer_host_part(call, *id);
}

}  // namespace viaduct::api::rest
