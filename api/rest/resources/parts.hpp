// What the tables of resources share. Internal to them.
#pragma once

#include <array>

#include "api/rest/resource.hpp"
#include "topology/host_state.hpp"

namespace viaduct::api::rest {

inline constexpr std::array<uint8_t, 1> kVersion1 = {1};
inline constexpr std::array<uint8_t, 1> kVersion2 = {2};
inline constexpr std::array<uint8_t, 1> kVersion3 = {3};
inline constexpr uint8_t kAllVerbs = kList | kGet | kCreate | kUpdate | kRemove;
inline constexpr uint8_t kNoUpdate = kList | kGet | kCreate | kRemove;

inline constexpr Member kId{.name = "id", .shape = Shape::id, .direction = Direction::create};
inline constexpr Member kTenantId{.name = "tenantId", .field = "tenant"};
inline constexpr Member kMemberName{.name = "name", .field = "name"};
inline constexpr Member kAdminStateUp{
    .name = "adminStateUp", .field = "admin_up", .shape = Shape::boolean, .fallback = "true"};

constexpr Member reference_member(std::string_view name, std::string_view field) {
  return {.name = name, .field = field, .shape = Shape::reference};
}
// What belongs to features of later versions.
constexpr Member later_id(std::string_view name) { return {.name = name, .shape = Shape::always_null}; }
constexpr Member later_ids(std::string_view name) { return {.name = name, .shape = Shape::always_empty}; }

constexpr Link reference_link(std::string_view name, std::string_view path, std::string_view field) {
  return {.name = name, .path = path, .field = field};
}
constexpr Link child_link(std::string_view name, std::string_view suffix) { return {.name = name, .suffix = suffix}; }

// Interface-v1 of a host, as its agent tells it.
Json interface_document(const std::string& base, const Uuid& host, const topology::HostInterface& interface);

// "02:00:00:00:00:01" as a key in a URI: "02-00-00-00-00-01".
std::string mac_key(const Value& mac);

extern const Resource kBridges, kRouters, kPorts, kRoutes, kMacTable, kArpTable;
extern const Resource kChains, kRules;
extern const Resource kPortGroups, kPortGroupPorts, kIpGroups, kIpGroupAddresses;
extern const Resource kHosts, kTunnelZones, kTunnelZoneHosts;
extern const Resource kLoadBalancers, kPools, kPoolMembers, kVips, kHealthMonitors;
extern const Resource kBgpPeers, kBgpNetworks;

}  // namespace viaduct::api::rest
