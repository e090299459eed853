#include "api/rest/prometheus_targets.hpp"

#include <charconv>
#include <set>

#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::string_view kAgentJob = "viaduct-agent", kClusterJob = "viaduct-cluster";

Failure wrong(std::string what) { return {ExitCode::refused, "invalid", std::move(what), {}, {}}; }

Result<uint16_t> port_of(const Request& request, std::string_view name, uint16_t otherwise) {
  const std::string* text = request.parameter(name);
  if (text == nullptr) return otherwise;
  uint16_t port = 0;
  const auto end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, port);
  if (parsed.ec == std::errc{} && parsed.ptr == end && port != 0) return port;
  return wrong(std::string(name) + ": must be a port from 1 to 65535, not '" + *text + "'");
}

Json group(const std::string& address, uint16_t port, Json labels) {
  const bool v6 = address.find(':') != std::string::npos;
  const std::string target = (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
  return {{"targets", {target}}, {"labels", std::move(labels)}};
}

// Of each host the address in the zone whose id is the least, so that it stays the same while that does.
Result<std::map<std::string, std::string>> tunnel_addresses(Context& context) {
  auto memberships = context.client().list({Kind::TUNNEL_ZONE_HOST}, "");
  if (!memberships) return memberships.failure();
  std::map<std::string, std::pair<Uuid, std::string>> found;
  for (const Record& one : *memberships) {
    const Uuid zone = one.reference("zone");
    auto [at, is_new] =
        found.try_emplace(one.reference("host").to_string(), zone, to_json(one.get("address")).get<std::string>());
    if (!is_new && zone < at->second.first) at->second = {zone, to_json(one.get("address")).get<std::string>()};
  }
  std::map<std::string, std::string> out;
  for (const auto& [host, address] : found) out.emplace(host, address.second);
  return out;
}

}  // namespace

Result<TargetsWanted> targets_wanted(const Request& request) {
  TargetsWanted out;
  if (const std::string* job = request.parameter("job")) {
    if (*job != kAgentJob && *job != kClusterJob) {
      return wrong("job: must be viaduct-agent or viaduct-cluster, not '" + *job + "'");
    }
    out.job = *job;
  }
  if (const std::string* address = request.parameter("address")) {
    if (*address != "name" && *address != "tunnel") {
      return wrong("address: must be name or tunnel, not '" + *address + "'");
    }
    out.by_tunnel_address = *address == "tunnel";
  }
  auto agents = port_of(request, "agent_port", out.agent_port);
  if (!agents) return agents.failure();
  auto nodes = port_of(request, "cluster_port", out.cluster_port);
  if (!nodes) return nodes.failure();
  out.agent_port = *agents;
  out.cluster_port = *nodes;
  return out;
}

Json prometheus_targets(const Json& status, const std::map<std::string, std::string>& addresses,
                        const TargetsWanted& wanted) {
  Json out = Json::array();
  std::map<std::string, std::string> address_of;  // by name
  const bool one_daemon = wanted.agent_port == wanted.cluster_port;
  for (const Json& agent : status.at("agents")) {
    const auto name = agent.at("name").get<std::string>();
    const auto id = agent.at("host").get<std::string>();
    const auto known = addresses.find(id);
    const std::string& address = known == addresses.end() ? name : known->second;
    address_of[name] = address;
    if (wanted.job == kClusterJob) continue;
    out.push_back(group(address, wanted.agent_port,
                        {{"__meta_viaduct_job", kAgentJob},
                         {"__meta_viaduct_host", name},
                         {"__meta_viaduct_host_id", id},
                         {"__meta_viaduct_state", agent.at("state")}}));
  }
  if (wanted.job == kAgentJob) return out;
  std::set<std::string> seen;  // a node that was started anew may have two records for a moment
  for (const Json& node : status.at("nodes")) {
    const auto name = node.at("name").get<std::string>();
    const auto host = address_of.find(name);
    if ((host != address_of.end() && one_daemon) || !seen.insert(name).second) continue;
    out.push_back(group(host != address_of.end() ? host->second : name, wanted.cluster_port,
                        {{"__meta_viaduct_job", kClusterJob}, {"__meta_viaduct_host", name}}));
  }
  return out;
}

Answer answer_prometheus_targets(Call& call) {
  if (call.method() != Method::get) return no_such_verb(call.method(), call.whole_path());
  auto wanted = targets_wanted(call.request);
  if (!wanted) return wanted.failure();
  const Json& status = call.context.status();
  if (!status.is_object()) return *call.context.failure();
  std::map<std::string, std::string> addresses;
  if (wanted->by_tunnel_address) {
    auto found = tunnel_addresses(call.context);
    if (!found) return found.failure();
    addresses = std::move(*found);
  }
  return json_response(prometheus_targets(status, addresses, *wanted), std::string(kJsonType));
}

}  // namespace viaduct::api::rest
