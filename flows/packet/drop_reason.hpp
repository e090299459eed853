// Why a packet went nowhere. Every drop in Viaduct has one of these names: it is the `reason` label of
// viaduct_dropped_packets_total, the last line of a trace, and the tests' expectation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace viaduct::flows {

enum class DropReason : uint8_t {
  none,
  // the packet itself
  malformed,             // a header is cut short or lies about its length
  bad_checksum,          // IPv4 header checksum wrong at a router
  martian_source,        // multicast, broadcast, loopback or unspecified source where none may be
  multicast_source_mac,  // the Ethernet source address has the group bit
  // where it entered or should leave
  unknown_port,      // the datapath port is bound to no virtual port
  port_down,         // administratively
  port_unplugged,    // neither bound nor linked
  port_inactive,     // bound, but its interface is absent, and no other host has it
  device_missing,    // the port's device or peer is not in the snapshot
  device_down,       // bridge or router administratively down
  too_many_devices,  // the loop guard: more than kMaxDevices traversed
  // between hosts
  no_tunnel_path,       // to the host where the port is: no tunnel zone that both are in, or no tunnel port of its kind
  unknown_tunnel_key,   // stands for nothing here, or not yet
  unknown_tunnel_peer,  // the outer source is no host of a zone that this one is in: foreign or forged
  // bridges
  hairpin,             // would leave by the port where it came in
  no_flood_targets,    // nobody else is on the bridge
  consumed_by_bridge,  // answered by ARP or ND suppression
  // routers
  vlan_tagged_at_router,
  not_for_router_mac,  // destination MAC is not the port's
  unsupported_ethertype,
  l2_broadcast_at_router,
  multicast_at_router,  // no multicast routing
  consumed_by_router,   // ARP, ND, or a packet for one of its own addresses that was answered
  neighbour_ignored,    // ARP or ND that must not be learned from
  no_route,
  blackhole_route,
  reject_route,
  ttl_exceeded,
  packet_too_big,
  next_hop_unresolved,   // ARP/ND gave no answer
  not_to_local_service,  // for a router's own address, and nothing of the router answers that
  not_routing_talk,      // from the speaker of a router's port, and nothing that a speaker has to say
  // rules and connections
  dropped_by_rule,
  rejected_by_rule,
  too_many_chains,      // jumps from chain to chain without end, or nearly
  nat_ports_exhausted,  // every port of the rule's ranges is in use towards that destination, here or on other hosts
  nat_loop,             // a translation would give the packet the addresses that it has on both ends
  connections_full,     // the connection table, or its share of the port or tenant
  load_balancer_down,   // it, the pool or the VIP: administratively
  no_pool_member,       // none of the pool's members is healthy and enabled
  // resources
  park_overflow,  // too many packets wait for the same fact, or in all
  emit_overflow,  // a simulation wanted to send more packets than allowed
  icmp_rate_limited,
  datapath_error,     // the kernel refused to execute it
  invalid_reference,  // a snapshot refers to what it does not hold: a bug, counted instead of believed
  count_,
};

// The metric label: the enumerator's name.
std::string_view to_string(DropReason reason);
inline constexpr size_t kDropReasons = static_cast<size_t>(DropReason::count_);

}  // namespace viaduct::flows
