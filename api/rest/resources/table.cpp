// The table itself.
#include <algorithm>

#include "api/rest/resources/parts.hpp"

namespace viaduct::api::rest {
namespace {

constexpr std::array<const Resource*, 17> kResources = {
    &kBgpNetworks, &kBgpPeers,      &kBridges,     &kChains,      &kHealthMonitors, &kHosts,
    &kIpGroups,    &kLoadBalancers, &kPoolMembers, &kPools,       &kPortGroups,     &kPorts,
    &kRouters,     &kRoutes,        &kRules,       &kTunnelZones, &kVips,
};

std::string mac_place(const Record& record) {
  const auto* vlan = std::get_if<uint64_t>(&record.get("vlan"));
  const std::string tagged = vlan == nullptr || *vlan == 0 ? "" : "vlans/" + std::to_string(*vlan) + "/";
  return tagged + "mac_table/" + mac_key(record.get("mac")) + "_" + record.reference("port").to_string();
}
std::string arp_place(const Record& record) {
  return "arp_table/" + to_json(record.get("address")).get<std::string>() + "_" + mac_key(record.get("mac"));
}
std::string group_port_place(const Record& record) { return "ports/" + record.reference("port").to_string(); }
std::string group_address_place(const Record& record) {
  const auto& prefix = std::get<IpPrefix>(record.get("prefix"));
  return std::string("versions/") + (prefix.address().is_v6() ? "6" : "4") + "/ip_addrs/" +
         (prefix.is_host() ? prefix.address().to_string() : prefix.to_string());
}
std::string zone_host_place(const Record& record) { return "hosts/" + record.reference("host").to_string(); }

const std::array kCollections = {
    Collection{"bridges", "ports", &kPorts, "bridge"},
    Collection{"bridges",
               "mac_table",
               &kMacTable,
               "bridge",
               kNoUpdate,
               mac_place,
               {"mac_table/{macPort}", "vlans/{vlanId}/mac_table", "vlans/{vlanId}/mac_table/{macPort}"}},
    Collection{"bridges", "arp_table", &kArpTable, "bridge", kNoUpdate, arp_place, {"arp_table/{ipMac}"}},
    Collection{"routers", "ports", &kPorts, "router"},
    Collection{"routers", "routes", &kRoutes, "router"},
    Collection{"routers", "bgp_networks", &kBgpNetworks, "router"},
    Collection{"routers", "bgp_peers", &kBgpPeers, "router"},
    Collection{"chains", "rules", &kRules, "chain"},
    Collection{"port_groups", "ports", &kPortGroupPorts, "group", kNoUpdate, group_port_place, {"ports/{portId}"}},
    Collection{"ip_addr_groups",
               "ip_addrs",
               &kIpGroupAddresses,
               "group",
               kNoUpdate,
               group_address_place,
               {"versions/{version}/ip_addrs/{address}"}},
    Collection{"tunnel_zones", "hosts", &kTunnelZoneHosts, "zone", kNoUpdate, zone_host_place, {"hosts/{hostId}"}},
    Collection{"load_balancers", "pools", &kPools, "load_balancer"},
    Collection{"pools", "pool_members", &kPoolMembers, "pool"},
    Collection{"pools", "vips", &kVips, "pool"},
    Collection{"health_monitors", "pools", &kPools, "health_monitor", kList},
};

}  // namespace

std::span<const Resource* const> resources() { return kResources; }
std::span<const Collection> collections() { return kCollections; }

const Resource* find_resource(std::string_view path) {
  auto at = std::ranges::find_if(resources(), [&](const Resource* each) { return each->path == path; });
  return at == resources().end() ? nullptr : *at;
}

const Collection* find_collection(std::string_view parent, std::string_view name) {
  auto at = std::ranges::find_if(kCollections,
                                 [&](const Collection& each) { return each.parent == parent && each.name == name; });
  return at == kCollections.end() ? nullptr : &*at;
}

std::string_view member_of(const Resource& resource, std::string_view field) {
  auto at = std::ranges::find_if(resource.members, [&](const Member& each) { return each.field == field; });
  return at == resource.members.end() ? std::string_view() : at->name;
}

}  // namespace viaduct::api::rest
