#include "flows/packet/drop_reason.hpp"

namespace viaduct::flows {

namespace {
constexpr std::array<std::string_view, kDropReasons> kNames{
    "none",
    "malformed",
    "bad_checksum",
    "martian_source",
    "multicast_source_mac",
    "unknown_port",
    "port_down",
    "port_unplugged",
    "port_inactive",
    "device_missing",
    "device_down",
    "too_many_devices",
    "no_tunnel_path",
    "unknown_tunnel_key",
    "unknown_tunnel_peer",
    "hairpin",
    "no_flood_targets",
    "consumed_by_bridge",
    "vlan_tagged_at_router",
    "not_for_router_mac",
    "unsupported_ethertype",
    "l2_broadcast_at_router",
    "multicast_at_router",
    "consumed_by_router",
    "neighbour_ignored",
    "no_route",
    "blackhole_route",
    "reject_route",
    "ttl_exceeded",
    "packet_too_big",
    "next_hop_unresolved",
    "not_to_local_service",
    "not_routing_talk",
    "dropped_by_rule",
    "rejected_by_rule",
    "too_many_chains",
    "nat_ports_exhausted",
    "nat_loop",
    "connections_full",
    "load_balancer_down",
    "no_pool_member",
    "park_overflow",
    "emit_overflow",
    "icmp_rate_limited",
    "datapath_error",
    "invalid_reference",
};
// A reason added to the enum without a name leaves an empty one at the end; one in the middle shifts the last.
static_assert(!kNames.back().empty());
static_assert(kNames[static_cast<size_t>(DropReason::no_route)] == "no_route");
static_assert(kNames[static_cast<size_t>(DropReason::invalid_reference)] == "invalid_reference");
}  // namespace

std::string_view to_string(DropReason reason) {
  auto index = static_cast<size_t>(reason);
  return index < kNames.size() ? kNames[index] : "unknown";
}

}  // namespace viaduct::flows
