// Why a change to the topology was refused: which object, which rule, and what to do about it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "topology/model/object.hpp"

namespace viaduct::topology {

// Stable names (to_string): they travel in replies and operators script against them.
enum class BrokenRule : uint8_t {
  // identity
  duplicate_id,       // created with an id that exists (no two owners, as bridges and chains, may share one)
  duplicate_name,     // of hosts; of tunnel zones
  unknown_object,     // updated or deleted, but not there
  repeated_object,    // named by two operations of one transaction
  revision_conflict,  // changed by somebody else meanwhile
  immutable_field,    // what an object belongs to: a device, a tunnel zone and its host
  still_referenced,   // deletion refused: see deletion_policy.hpp
  too_many_operations,
  // references
  unknown_parent,     // the bridge or router that it belongs to
  unknown_reference,  // any other object that it names
  no_device,          // a port on neither bridge nor router
  two_devices,
  // texts
  name_missing,
  name_invalid,  // not UTF-8, control characters, over 255 bytes
  interface_name_invalid,
  // bindings and links
  binding_incomplete,  // host without interface, or the other way round
  interface_already_bound,
  port_already_bound,   // linked, but one of the two ports is bound
  port_already_linked,  // bound, or linked to a third port, while it has a peer
  link_to_itself,       // a port to itself, or a device to itself
  link_not_allowed,     // two bridges, and not exactly one of the ports has a VLAN
  // VLANs
  vlan_out_of_range,
  vlan_conflict,     // two ports of one bridge
  vlan_not_allowed,  // on a router port or a bound port
  // addresses
  address_in_use,       // on two ports of one router or of one segment; two static neighbours; two hosts of a zone; two
                        // BGP peers of a router
  address_not_allowed,  // multicast, loopback, unspecified …
  address_family_mismatch,
  prefix_has_host_bits,
  prefix_does_not_hold_address,  // a gateway outside the port's subnets; a network or broadcast address on a port; a BGP
                                 // peer on no link of the router
  subnets_overlap,               // of two ports of one router, one inside the other
  too_many_addresses,
  address_on_bridge_port,
  mac_missing,
  mac_invalid,  // a group address
  mac_in_use,   // on two router ports of one segment; two static entries
  mac_on_bridge_port,
  mtu_out_of_range,
  mtu_on_bridge_port,
  // routes
  next_hop_missing,
  next_hop_not_on_router,
  next_hop_not_allowed,  // a port or a gateway on a local, blackhole or reject route
  port_not_on_bridge,    // of a static MAC
  // tunnel zones
  host_already_in_zone,
  tunnel_type_in_use,  // changed while the zone has hosts
  // rules of chains
  position_in_use,
  chain_full,  // no position behind the last one
  jump_missing,
  jump_not_allowed,  // of a rule with another action
  jump_to_itself,
  l4_without_protocol,  // a range of ports, and for a protocol that has none
  range_empty,          // the last before the first: ports, addresses, prefix lengths
  range_out_of_bounds,  // an ICMP type or code over 255; port 0; more than 2^24 addresses; no length of such a prefix
  fragments_without_ports,  // ports are asked for or changed, and later fragments have none
  match_contradicts,        // no packet has all of it
  mac_mask_invalid,
  ports_missing,  // a list of ports that is empty
  too_many_entries,
  nat_target_missing,
  nat_target_not_allowed,
  nat_action_not_allowed,
  nat_static_not_alone,
  nat_prefix_unmatched,  // a network is translated, and the rule is not for one of the same size
  // groups
  already_in_group,
  // load balancing
  load_balancer_in_use,  // by two routers
  endpoint_in_use,       // address and port of two VIPs or members
  l4_port_missing,
  weight_out_of_range,
  vip_unreachable,
  timing_out_of_range,
  http_invalid,
  // BGP
  as_number_missing,      // of a router that has peers or networks
  as_number_not_allowed,  // reserved
  password_invalid,
  network_in_use,  // announced twice by one router
  count_,
};
std::string_view to_string(BrokenRule rule);

// Another object that a message names, and how: "port p2".
struct Mention {
  ObjectRef object;
  std::string label;
  friend bool operator==(const Mention&, const Mention&) = default;
};

struct Violation {
  BrokenRule rule = BrokenRule::unknown_object;
  ObjectRef object;
  std::string name;                    // the object's, when it has one
  std::string field;                   // as in the schema; empty: the object as a whole
  std::string message;                 // what is wrong
  std::string cure;                    // what to do
  std::vector<Mention> mentions = {};  // for who may not see them all
  friend bool operator==(const Violation&, const Violation&) = default;
};
// "port p1: address_in_use (addresses): 10.0.0.1 is on port p2 too. Give one of them another address."
std::string to_string(const Violation& violation);

// "bridge br1"; without a name "bridge 5a0c…".
std::string label_of(const ObjectRef& ref, std::string_view name);
std::string label_of(const Object& object);

}  // namespace viaduct::topology
