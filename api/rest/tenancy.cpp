#include "api/rest/tenancy.hpp"

#include <algorithm>
#include <array>

namespace viaduct::api::rest {
namespace {

using By = OwnerRule::By;

constexpr std::array kOwners = std::to_array<OwnerRule>({
    {Kind::HOST},
    {Kind::BRIDGE, By::tenant},
    {Kind::ROUTER, By::tenant},
    {Kind::PORT, By::above, {"bridge", "router"}},
    {Kind::ROUTE, By::above, {"router"}},
    {Kind::STATIC_MAC, By::above, {"bridge"}},
    {Kind::STATIC_NEIGHBOUR, By::above, {"bridge"}},
    {Kind::TUNNEL_ZONE},
    {Kind::TUNNEL_ZONE_HOST},
    {Kind::CHAIN, By::tenant},
    {Kind::RULE, By::above, {"chain"}},
    {Kind::PORT_GROUP, By::tenant},
    {Kind::PORT_GROUP_PORT, By::above, {"group"}},
    {Kind::IP_GROUP, By::tenant},
    {Kind::IP_GROUP_ADDRESS, By::above, {"group"}},
    {Kind::LOAD_BALANCER, By::tenant},
    {Kind::POOL, By::above, {"load_balancer"}},
    {Kind::POOL_MEMBER, By::above, {"pool"}},
    {Kind::VIP, By::above, {"pool"}},
    {Kind::HEALTH_MONITOR},  // of several tenants' pools
    {Kind::BGP_PEER},        // the world outside is the operators'
    {Kind::BGP_NETWORK},
});

}  // namespace

std::span<const OwnerRule> owner_rules() { return kOwners; }

std::optional<std::string> owner_of(const Record& record, const FindRecord& find) {
  auto rule = std::ranges::find(kOwners, record.kind(), &OwnerRule::kind);
  if (rule == kOwners.end() || rule->by == By::nobody) return std::nullopt;
  if (rule->by == By::tenant) {
    const auto* tenant = std::get_if<std::string>(&record.get("tenant"));
    return tenant == nullptr || tenant->empty() ? std::nullopt : std::optional(*tenant);
  }
  for (std::string_view field : rule->fields) {
    const Uuid id = field.empty() ? Uuid() : record.reference(field);
    if (id.is_nil()) continue;
    const auto above = find(record.info().find(field)->target, id);
    return above ? owner_of(*above, find) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace viaduct::api::rest
