// Paths that are views of ports: what a port is linked with, bound to, and in which groups it is.
#include <algorithm>
#include <optional>

#include "api/rest/call.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

constexpr int kAttempts = 3;

const Resource& ports() { return *find_resource("ports"); }

bool has(const Record& port, std::string_view field) { return !port.reference(field).is_nil(); }

// Changes a port as read, modify, write; again when somebody else has changed it meanwhile.
template <class Change>
Answer change_port(Call& call, const Uuid& id, int status, Change change) {
  for (int attempt = 1;; ++attempt) {
    auto port = call.context.find(Kind::PORT, id);
    if (!port) return port.failure();
    Result<bool> wanted = change(*port);
    if (!wanted) return wanted.failure();
    if (!*wanted) return Response{.status = status};
    auto outcome = commit(call, ports(), {{Operation::Action::update, *port}});
    if (outcome) return committed(call, *outcome, status);
    if (!met_another(outcome.failure()) || attempt == kAttempts) return outcome.failure();
  }
}

Failure conflict(std::string message, std::string cure) {
  return {ExitCode::refused, "conflict", std::move(message), std::move(cure), {}};
}

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

// --- hosts/{id}/ports: bindings, and hosts/{id}/interfaces --------------------------------------------

Json binding_of(const Call& call, const Record& port) {
  const std::string& base = call.context.base();
  const std::string host = base + "hosts/" + port.reference("host").to_string();
  const std::string id = port.id().to_string();
  return {{"hostId", port.reference("host").to_string()},
          {"portId", id},
          {"interfaceName", to_json(port.get("interface"))},
          {"host", host},
          {"port", base + "ports/" + id},
          {"uri", host + "/ports/" + id}};
}

Answer bind(Call& call, const Uuid& host) {
  auto body = body_of(call);
  if (!body) return body.failure();
  Record blank(Kind::PORT, Uuid::random());
  Intake intake(ports(), *body, blank, Intent::create, call.context);
  std::optional<Uuid> id;
  std::optional<std::string> interface;
  if (body->is_object()) {
    id = intake.id("portId", intake.given("portId"));
    interface = intake.text("interfaceName", intake.given("interfaceName"));
  }
  Failure wrong{ExitCode::refused, "invalid", {}, {}, {}};
  if (!id || id->is_nil())
    wrong.violations.push_back({"invalid", {}, {}, {}, "portId", "must be the UUID of a port", {}});
  if (!interface || interface->empty()) {
    wrong.violations.push_back({"invalid", {}, {}, {}, "interfaceName", "must be the name of an interface", {}});
  }
  if (!wrong.violations.empty()) return wrong;
  auto zones = call.context.naming(Kind::TUNNEL_ZONE_HOST, "host", host);
  if (!zones) return zones.failure();
  if (zones->empty()) {
    return conflict("the host is in no tunnel zone", "add it to one first (tunnel_zones/{id}/hosts)");
  }
  auto answer = change_port(call, *id, 201, [&](Record& port) -> Result<bool> {
    if (has(port, "host")) return conflict("port " + id->to_string() + " is bound already", "unbind it first");
    port.set("host", host);
    port.set("interface", *interface);
    return true;
  });
  if (answer && answer->status == 201) {
    answer->headers.emplace_back("Location",
                                 call.context.base() + "hosts/" + host.to_string() + "/ports/" + id->to_string());
  }
  return answer;
}

Answer answer_binding(Call& call, const Uuid& host) {
  auto id = id_of(call, 3);
  if (!id) return id.failure();
  auto port = call.context.find(Kind::PORT, *id);
  if (!port) return port.failure();
  const bool bound = port->reference("host") == host;
  if (call.method() == Method::get) {
    if (!bound) return Failure{ExitCode::refused, "not_found", "the port is not bound to this host", {}, {}};
    auto type = acceptable(call.request.header("accept"), "HostInterfacePort", 1);
    return type ? Answer(json_response(binding_of(call, *port), *type)) : Answer(not_acceptable());
  }
  if (call.method() != Method::remove) return no_such_verb(call.method(), call.whole_path());
  return change_port(call, *id, 204, [&](Record& each) -> Result<bool> {
    if (each.reference("host") != host) return false;
    each.set("host", Value{});
    each.set("interface", std::string());
    return true;
  });
}

Answer list_json(Call& call, const Json& list, std::string_view media) {
  auto type = acceptable(call.request.header("accept"), "collection." + std::string(media), 1);
  return type ? Answer(json_response(list, *type)) : Answer(not_acceptable());
}

Answer answer_host_part(Call& call, const Uuid& host) {
  auto record = call.context.find(Kind::HOST, host);
  if (!record) return record.failure();
  if (call.path[2] == "interfaces") {
    if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
    if (call.path.size() > 3) return no_such_path(call.whole_path());
    return list_json(call, Json::array(), "Interface");
  }
  if (call.path.size() == 4) return answer_binding(call, host);
  if (call.method() == Method::post) return bind(call, host);
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  auto bound = call.context.naming(Kind::PORT, "host", host);
  if (!bound) return bound.failure();
  Json list = Json::array();
  for (const Record& port : *bound) list.push_back(binding_of(call, port));
  return list_json(call, list, "HostInterfacePort");
}

}  // namespace

std::optional<Answer> answer_view(Call& call) {
  const auto& path = call.path;
  if (path.size() < 3 || path.size() > 4) return std::nullopt;
  const bool three = path.size() == 3;
  const bool link = three && path[0] == "ports" && path[2] == "link";
  const bool groups = three && path[0] == "ports" && path[2] == "port_groups";
  const bool peers = three && (path[0] == "bridges" || path[0] == "routers") && path[2] == "peer_ports";
  const bool vips = three && path[0] == "load_balancers" && path[2] == "vips";
  const bool host = path[0] == "hosts" && (path[2] == "ports" || path[2] == "interfaces");
  if (!link && !groups && !peers && !vips && !host) return std::nullopt;
  auto id = id_of(call, 1);
  if (!id) return Answer(id.failure());
  if (link) return answer_link(call, *id);
  if (groups) return answer_groups_of_port(call, *id);
  if (peers) return answer_peers(call, path[0] == "bridges" ? Kind::BRIDGE : Kind::ROUTER, *id);
  return vips ? answer_vips(call, *id) : answer_host_part(call, *id);
}

}  // namespace viaduct::api::rest
