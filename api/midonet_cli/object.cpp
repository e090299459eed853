#include "api/midonet_cli/object.hpp"

#include <algorithm>
#include <cctype>

#include "api/midonet_cli/objects/parts.hpp"

namespace viaduct::api::midonet_cli {
namespace {

Collection at_root(std::string_view name, const Object& of, std::string_view path, std::string_view tenant_query = {}) {
  return {.name = name, .of = &of, .path = path, .one = path, .tenant_query = tenant_query};
}

Collection seen_at_root(std::string_view name, const Object& of, std::string_view path, std::string_view one,
                        uint8_t verbs = kList) {
  return {.name = name, .of = &of, .path = path, .one = one, .verbs = verbs};
}

Collection pool_statistics() {
  Collection out = seen_at_root("pool-statistic", kPoolStatistic, "pool_statistics", "pool_statistics");
  out.not_available = "no version of the REST API has statistics of pools; the daemon's metrics have what is balanced";
  return out;
}

const std::array<Collection, 20>& collections() {
  static const std::array<Collection, 20> kAll = {
      seen_at_root("system-state", kSystemState, "system_state", {}, kSingle),
      at_root("router", kRouter, "routers", "tenant_id"),
      at_root("mirror", kMirror, "mirrors"),
      at_root("bridge", kBridge, "bridges", "tenant_id"),
      seen_at_root("port", kPort, "ports", "ports"),
      at_root("chain", kChain, "chains", "tenant_id"),
      at_root("l2insertion", kL2Insertion, "l2insertions"),
      at_root("host", kHost, "hosts"),
      at_root("port-group", kPortGroup, "port_groups", "tenant_id"),
      at_root("ip-address-group", kIpAddressGroup, "ip_addr_groups"),
      at_root("tunnel-zone", kTunnelZone, "tunnel_zones"),
      seen_at_root("tenant", kTenant, "tenants", {}),
      at_root("load-balancer", kLoadBalancer, "load_balancers"),
      at_root("health-monitor", kHealthMonitor, "health_monitors"),
      pool_statistics(),
      at_root("vtep", kVtep, "vteps"),
      at_root("tracerequest", kTraceRequest, "traces", "tenant_id"),
      at_root("container", kContainer, "service_containers"),
      at_root("container-group", kContainerGroup, "service_container_groups"),
      at_root("qos-policy", kQosPolicy, "qos_policies"),
  };
  return kAll;
}

template <class Range>
std::string names_of(const Range& range) {
  std::string out;
  for (const auto& each : range) out += (out.empty() ? "" : ", ") + std::string(each.name);
  return out.empty() ? "none" : out;
}

}  // namespace

const Object& root() {
  static const Object kRoot{.name = "midonet", .title = "root", .collections = collections()};
  return kRoot;
}

const Field* find_field(const Object& object, std::string_view name) {
  auto at = std::ranges::find_if(
      object.fields, [&](const Field& field) { return field.name == name || (!name.empty() && field.also == name); });
  return at == object.fields.end() ? nullptr : &*at;
}

const Collection* find_collection(const Object& object, std::string_view name) {
  auto at = std::ranges::find(object.collections, name, &Collection::name);
  return at == object.collections.end() ? nullptr : &*at;
}

const Collection* find_by_alias(const Object& object, std::string_view alias) {
  std::string_view name = alias;
  while (!name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0) name.remove_suffix(1);
  if (name.empty() || name.size() == alias.size()) return nullptr;
  auto at = std::ranges::find_if(object.collections,
                                 [&](const Collection& each) { return each.of->name == name && has_ids(each); });
  return at == object.collections.end() ? nullptr : &*at;
}

const Object& resolved(const Object& object, const Json& document) {
  return object.resolve == nullptr ? object : *object.resolve(document);
}

bool has_ids(const Collection& collection) { return !collection.one.empty(); }

std::string names_of_collections(const Object& object) { return names_of(object.collections); }
std::string names_of_fields(const Object& object) { return names_of(object.fields); }

std::string with_article(std::string_view title) {
  const bool vowel =
      (!title.empty() && std::string_view("aeioAEIO").find(title.front()) != title.npos) || title.starts_with("L2");
  return (vowel ? "an " : "a ") + std::string(title);
}

}  // namespace viaduct::api::midonet_cli
