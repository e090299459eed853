// What the node that is asked sees itself: its counters. And what would become of a packet that enters by a port, as the port's
// host sees it.
// For operators: both speak of every tenant's devices.
#include <algorithm>
#include <sstream>

#include "api/client/packet_description.hpp"
#include "api/rest/call.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

Failure for_operators(const Call& call) {
  return {
      ExitCode::refused, "forbidden", call.whole_path() + " is for operators", "ask as a user with the role admin", {}};
}

struct Renamed {
  const char *from, *to;  // a member of the daemon's answer, and of the document
};

Json renamed(const Json& from, std::span<const Renamed> members) {
  Json out = Json::object();
  for (const Renamed& each : members) out[each.to] = from.at(each.from);
  return out;
}

Json all_renamed(const Json& from, std::span<const Renamed> members) {
  Json out = Json::array();
  for (const Json& each : from) out.push_back(renamed(each, members));
  return out;
}

constexpr auto kNode = std::to_array<Renamed>({{"version", "version"},
                                               {"host_id", "hostId"},
                                               {"host_name", "hostName"},
                                               {"up_seconds", "upSeconds"},
                                               {"committed_revision", "committedRevision"},
                                               {"problems", "problems"}});
constexpr auto kPort = std::to_array<Renamed>({{"port", "portId"},
                                               {"name", "name"},
                                               {"interface", "interfaceName"},
                                               {"active", "active"},
                                               {"reason", "reason"},
                                               {"rx_packets", "rxPackets"},
                                               {"rx_bytes", "rxBytes"},
                                               {"tx_packets", "txPackets"},
                                               {"tx_bytes", "txBytes"},
                                               {"upcalls", "upcalls"},
                                               {"upcalls_lost", "upcallsLost"}});
constexpr auto kDrop = std::to_array<Renamed>({{"reason", "reason"}, {"count", "packets"}});
constexpr auto kTunnel = std::to_array<Renamed>({{"host", "hostId"},
                                                 {"name", "name"},
                                                 {"kind", "type"},
                                                 {"source", "source"},
                                                 {"destination", "destination"},
                                                 {"mtu", "mtu"},
                                                 {"state", "state"},
                                                 {"round_trip_seconds", "roundTripSeconds"},
                                                 {"loss", "loss"}});
constexpr auto kAgent = std::to_array<Renamed>(
    {{"host", "hostId"}, {"name", "name"}, {"state", "state"}, {"node", "node"}, {"lag_revisions", "lagRevisions"}});

constexpr auto kTrace = std::to_array<Renamed>({{"description", "packet"},
                                                {"outcome", "outcome"},
                                                {"drop_reason", "dropReason"},
                                                {"actions", "actions"},
                                                {"match", "match"},
                                                {"outputs", "outputs"},
                                                {"host", "hostName"}});

Json step_document(const Json& step) {
  const Json& device = step.at("device");
  const bool named = device.is_object() && !device.at("id").is_null();
  return {{"depth", step.at("depth")},
          {"deviceType", named ? device.at("kind") : Json(nullptr)},
          {"deviceId", named ? device.at("id") : Json(nullptr)},
          {"deviceName", step.at("device_name")},
          {"stage", step.at("stage")},
          {"detail", step.at("detail")}};
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

Answer answer_node_status(Call& call) {
  if (call.context.tenant()) return for_operators(call);
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  const Json& status = call.context.status();
  if (const auto failure = call.context.failure()) return *failure;
  Json out = renamed(status, kNode);
  out["hosts"] = all_renamed(status.at("agents"), kAgent);
  // Without the agent role there is no datapath: null is not the same as none.
  const bool agent = !status.at("datapath").get_ref<const std::string&>().empty();
  out["datapath"] = agent ? status.at("datapath") : Json(nullptr);
  out["flows"] = agent ? status.at("flows") : Json(nullptr);
  out["ports"] = agent ? all_renamed(status.at("ports"), kPort) : Json(nullptr);
  out["drops"] = agent ? all_renamed(status.at("drops"), kDrop) : Json(nullptr);
  out["tunnels"] = agent ? all_renamed(status.at("tunnels"), kTunnel) : Json(nullptr);
  return json_response(out, std::string(kJsonType));
}

Answer answer_trace(Call& call, const Uuid& port) {
  if (call.context.tenant()) return for_operators(call);
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  auto record = call.context.find(Kind::PORT, port);
  if (!record) return record.failure();
  const std::string* text = call.request.parameter("packet");
  auto packet = parse_packet(words_of(text == nullptr ? std::string() : *text));
  if (!packet) return packet.failure();
  auto reply = call.context.client().ask(
      [&](schema::AdminRequest::Builder request) {
        auto trace = request.initTrace();
        set_uuid(trace.initPort(), port);
        write_packet(*packet, trace.initPacket());
      },
      schema::AdminReply::TRACE);
  if (!reply) return reply.failure();
  Json out = renamed(*reply, kTrace);
  out["portId"] = port.to_string();
  out["steps"] = Json::array();
  for (const Json& step : reply->at("steps")) out["steps"].push_back(step_document(step));
  return json_response(out, std::string(kJsonType));
}

}  // namespace viaduct::api::rest
