// The root document, by which clients find everything else, and what concerns the API as a whole.
#include <algorithm>

#include "api/rest/call.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

// Paths of MidoNet's whose function a later version has. Served with 501, and named in the root document nevertheless, as its
// clients look them up before they know whether they need them.
struct Later {
  std::string_view path, feature, collection, one;
};
constexpr std::array kLater = std::to_array<Later>({
    {"conf", "configuration in the database", "", ""},
    {"l2insertions", "L2 service insertion", "l2insertions", "l2InsertionTemplate"},
    {"mirrors", "port mirrors", "mirrors", "mirrorTemplate"},
    {"neutron", "OpenStack Neutron's objects", "neutron", ""},
    {"qos_bw_limit_rules", "quality of service", "", "qosBwLimitRuleTemplate"},
    {"qos_dscp_rules", "quality of service", "", "qosDscpRuleTemplate"},
    {"qos_policies", "quality of service", "qosPolicies", "qosPolicyTemplate"},
    {"service_container_groups", "service containers", "serviceContainerGroups", "serviceContainerGroupTemplate"},
    {"service_containers", "service containers", "serviceContainers", "serviceContainerTemplate"},
    {"tenants", "the tenants of an identity service", "tenants", "tenantTemplate"},
    {"traces", "stored traces (viaduct trace follows a packet at once)", "traceRequests", "traceRequestTemplate"},
    {"vteps", "hardware VTEPs", "vteps", "vtepTemplate"},
});
// Below an object: the third segment.
constexpr std::array kLaterBelow = std::to_array<Later>({
    {"dhcp", "DHCP", "", ""},
    {"dhcpV6", "DHCPv6", "", ""},
    {"vxlan_ports", "hardware VTEPs", "", ""},
    {"vtep_bindings", "hardware VTEPs", "", ""},
    {"peering_table", "router peering", "", ""},
});

}  // namespace

std::string_view later_feature(const std::vector<std::string>& path) {
  auto find = [](const auto& table, std::string_view segment) -> std::string_view {
    auto at = std::ranges::find_if(table, [&](const Later& each) { return each.path == segment; });
    return at == table.end() ? std::string_view() : at->feature;
  };
  if (path.empty()) return {};
  if (const auto whole = find(kLater, path[0]); !whole.empty()) return whole;
  for (size_t i = 2; i < path.size(); ++i) {
    if (const auto below = find(kLaterBelow, path[i]); !below.empty()) return below;
  }
  return {};
}

Answer answer_root(Call& call) {
  if (call.method() != Method::get) return no_such_verb(call.method(), "the root");
  auto type = acceptable(call.request.header("accept"), "Application", 5);
  if (!type) return not_acceptable();
  struct Entry {
    std::string_view path, collection, one;
  };
  std::vector<Entry> entries = {
      {"events", "events", ""}, {"node_status", "nodeStatus", ""}, {"system_state", "systemState", ""}};
  for (const Resource* each : resources()) entries.push_back({each->path, each->root_collection, each->root_template});
  for (const Later& each : kLater) entries.push_back({each.path, each.collection, each.one});
  std::ranges::sort(entries, {}, &Entry::path);
  const std::string& base = call.context.base();
  Json out = {{"uri", base}, {"version", "v5.0"}};
  for (const Entry& each : entries) {
    const std::string uri = base + std::string(each.path);
    if (!each.collection.empty()) out[std::string(each.collection)] = uri;
    if (!each.one.empty()) out[std::string(each.one)] = uri + "/{id}";
  }
  return json_response(out, *type);
}

Answer answer_system_state(Call& call) {
  if (call.method() != Method::get) return no_such_verb(call.method(), "system_state");
  auto type = acceptable(call.request.header("accept"), "SystemState", 2);
  if (!type) return not_acceptable();
  return json_response(
      {{"state", "ACTIVE"}, {"availability", "READWRITE"}, {"version", "5.0.0"}, {"information", nullptr}}, *type);
}

}  // namespace viaduct::api::rest
