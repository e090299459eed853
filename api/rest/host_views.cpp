// Paths below a host that are views: hosts/{id}/ports, the ports that are bound to it, and hosts/{id}/interfaces, what its agent
// says of its network.
#include <algorithm>
#include <optional>

#include "api/rest/media_type.hpp"
#include "api/rest/port_change.hpp"
#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

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
  Intake intake(kPorts, *body, blank, Intent::create, call.context);
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
    if (!port.reference("host").is_nil())
      return conflict("port " + id->to_string() + " is bound already", "unbind it first");
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

Answer answer_interfaces(Call& call, const Uuid& host) {
  const auto& interfaces = call.context.facts().interfaces_of(host);
  if (const auto failure = call.context.failure()) return *failure;
  const std::string& base = call.context.base();
  if (call.path.size() == 4) {
    auto found = std::ranges::find(interfaces, call.path[3], &topology::HostInterface::name);
    if (found == interfaces.end()) {
      return Failure{ExitCode::refused, "not_found", "the host has no interface " + call.path[3], {}, {}};
    }
    auto type = acceptable(call.request.header("accept"), "Interface", 1);
    return type ? Answer(json_response(interface_document(base, host, *found), *type)) : Answer(not_acceptable());
  }
  Json list = Json::array();
  for (const auto& each : interfaces) list.push_back(interface_document(base, host, each));
  return list_json(call, list, "Interface");
}

}  // namespace

Answer answer_host_part(Call& call, const Uuid& host) {
  auto record = call.context.find(Kind::HOST, host);
  if (!record) return record.failure();
  if (call.path[2] == "interfaces") {
    if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
    return answer_interfaces(call, host);
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

}  // namespace viaduct::api::rest
