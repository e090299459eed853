#include "api/rest/media_type.hpp"
#include "api/rest/openapi_parts.hpp"

namespace viaduct::api::rest::description {
namespace {

Json text_schema() { return {{"type", "string"}}; }

Json list_schema(Json of) { return {{"type", "array"}, {"items", std::move(of)}}; }
Json object_schema(std::initializer_list<std::string_view> texts, std::initializer_list<std::string_view> numbers) {
  Json members = Json::object();
  for (std::string_view each : texts) members[text(each)] = with_null(text_schema());
  for (std::string_view each : numbers) members[text(each)] = {{"type", "number"}};
  return {{"type", "object"}, {"properties", std::move(members)}};
}

// What the node that is asked sees itself.
void add_observations(Json& paths) {
  Json port = object_schema({"portId", "name", "interfaceName", "reason"},
                            {"rxPackets", "rxBytes", "txPackets", "txBytes", "upcalls", "upcallsLost"});
  port["properties"]["active"] = {{"type", "boolean"}};
  Json node = object_schema({"version", "hostId", "hostName", "datapath"}, {"upSeconds", "committedRevision"});
  auto& members = node["properties"];
  members["flows"] = {{"type", {"integer", "null"}}};
  members["problems"] = list_schema(text_schema());
  members["hosts"] = list_schema(object_schema({"hostId", "name", "state", "node"}, {"lagRevisions"}));
  members["ports"] = with_null(list_schema(std::move(port)));
  members["drops"] = with_null(list_schema(object_schema({"reason"}, {"packets"})));
  members["tunnels"] = with_null(list_schema(object_schema({"hostId", "name", "type", "source", "destination", "state"},
                                                           {"mtu", "roundTripSeconds", "loss"})));
  Json status = {{"operationId", "getNodeStatus"}, {"tags", {"Observation"}}};
  status["responses"] =
      answers("200",
              {{"description", "What this node counts, null where it has no agent role; for operators"},
               {"content", {{text(kJsonType), {{"schema", std::move(node)}}}}}},
              Method::get);
  paths["/node_status"]["get"] = std::move(status);

  Json way = object_schema({"portId", "packet", "outcome", "dropReason", "actions", "match", "hostName"}, {});
  way["properties"]["outputs"] = list_schema(text_schema());
  way["properties"]["steps"] =
      list_schema(object_schema({"deviceType", "deviceId", "deviceName", "stage", "detail"}, {"depth"}));
  Json trace = {{"operationId", "tracePacket"}, {"tags", {"Observation"}}};
  trace["parameters"] = {
      parameter("id", "path", "Of the port where the packet enters, on whichever host", uuid()),
      parameter("packet", "query", "In words, as viaduct trace takes them: tcp to 10.0.2.10 dport 80", text_schema())};
  trace["responses"] = answers("200",
                               {{"description", "What would become of the packet; nothing is sent"},
                                {"content", {{text(kJsonType), {{"schema", std::move(way)}}}}}},
                               Method::get);
  trace["responses"]["400"] = failure("The packet makes no sense, or the port is not active on its host");
  trace["responses"]["403"] = failure("The user may not");
  trace["responses"]["503"] = failure("The port's host does not answer; the text says which, and what helps");
  paths["/ports/{id}/trace"]["get"] = std::move(trace);
}

void add_events(Json& paths) {
  Json streamed = {{"description", "Server-sent events: created, updated, deleted, reset"},
                   {"content", {{"text/event-stream", {{"schema", text_schema()}}}}}};
  Json watch = {{"operationId", "watchEvents"}, {"tags", {"Events"}}};
  watch["parameters"] = {parameter("resource", "query", "Paths of resources, with commas between them", text_schema()),
                         parameter("tenant_id", "query", "Whose objects", text_schema()),
                         parameter("Last-Event-ID", "header", "Resume behind it", text_schema())};
  watch["responses"] = answers("200", std::move(streamed), Method::get);
  paths["/events"]["get"] = std::move(watch);
}

void add_targets(Json& paths) {
  const Json target = {{"type", "object"},
                       {"properties",
                        {{"targets", {{"type", "array"}, {"items", text_schema()}}},
                         {"labels", {{"type", "object"}, {"additionalProperties", text_schema()}}}}},
                       {"required", {"targets", "labels"}}};
  Json discover = {{"operationId", "listPrometheusTargets"}, {"tags", {"Prometheus"}}};
  discover["parameters"] = {
      parameter("job", "query", "Agents or nodes of the cluster only",
                {{"type", "string"}, {"enum", {"viaduct-agent", "viaduct-cluster"}}}),
      parameter("agent_port", "query", "Where agents' metrics are reached; 9464 unless it is said", integer(1, 65'535)),
      parameter("cluster_port", "query", "Where those of cluster nodes are; 9464 unless it is said",
                integer(1, 65'535)),
      parameter("address", "query", "Hosts by their names, or by their addresses in tunnel zones",
                {{"type", "string"}, {"enum", {"name", "tunnel"}}})};
  discover["responses"] =
      answers("200",
              {{"description", "For Prometheus' HTTP service discovery"},
               {"content", {{text(kJsonType), {{"schema", {{"type", "array"}, {"items", target}}}}}}}},
              Method::get);
  discover["responses"]["400"] = failure("A parameter that makes no sense");
  paths["/prometheus/targets"]["get"] = std::move(discover);
}

void add_transactions(Json& paths) {
  const Json one = {{"type", "object"},
                    {"properties",
                     {{"method", {{"type", "string"}, {"enum", {"POST", "PUT", "DELETE"}}}},
                      {"path", {{"type", "string"}, {"examples", {"bridges"}}}},
                      {"body", {{"type", {"object", "null"}}}}}},
                    {"required", {"method", "path"}}};
  const Json body = {{"type", "object"},
                     {"properties", {{"operations", {{"type", "array"}, {"items", one}, {"minItems", 1}}}}},
                     {"required", {"operations"}}};
  Json transact = {{"operationId", "transact"}, {"tags", {"Transactions"}}};
  transact["requestBody"] = {{"required", true}, {"content", {{text(kJsonType), {{"schema", body}}}}}};
  transact["responses"] = answers("200", {{"description", "All of it is done"}}, Method::post);
  paths["/transactions"]["post"] = std::move(transact);
}

void add_login(Json& paths) {
  const Json token = {{"type", "object"},
                      {"properties", {{"key", text_schema()}, {"expires", with_null(text_schema())}}}};
  Json login = {{"operationId", "login"}, {"tags", {"Login"}}};
  login["security"] = Json::array({{{"basic", Json::array()}}});
  login["responses"] = answers(
      "200", {{"description", "A token"}, {"content", {{vendor_type("Token", 1), {{"schema", token}}}}}}, Method::post);
  paths["/login"]["post"] = std::move(login);
}

}  // namespace

void add_others(Json& paths) {
  add_events(paths);
  add_targets(paths);
  add_transactions(paths);
  add_observations(paths);
  add_login(paths);
}

}  // namespace viaduct::api::rest::description
