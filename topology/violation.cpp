#include "topology/violation.hpp"

#include <array>

namespace viaduct::topology {

std::string_view to_string(BrokenRule rule) {
  static constexpr auto kNames = std::to_array<std::string_view>({
      "duplicate_id",
      "duplicate_name",
      "unknown_object",
      "repeated_object",
      "revision_conflict",
      "immutable_field",
      "still_referenced",
      "too_many_operations",
      "unknown_parent",
      "unknown_reference",
      "no_device",
      "two_devices",
      "name_missing",
      "name_invalid",
      "interface_name_invalid",
      "binding_incomplete",
      "interface_already_bound",
      "port_already_bound",
      "port_already_linked",
      "link_to_itself",
      "link_not_allowed",
      "vlan_out_of_range",
      "vlan_conflict",
      "vlan_not_allowed",
      "address_in_use",
      "address_not_allowed",
      "address_family_mismatch",
      "prefix_has_host_bits",
      "prefix_does_not_hold_address",
      "subnets_overlap",
      "too_many_addresses",
      "address_on_bridge_port",
      "mac_missing",
      "mac_invalid",
      "mac_in_use",
      "mac_on_bridge_port",
      "mtu_out_of_range",
      "mtu_on_bridge_port",
      "next_hop_missing",
      "next_hop_not_on_router",
      "next_hop_not_allowed",
      "port_not_on_bridge",
      "host_already_in_zone",
      "tunnel_type_in_use",
      "position_in_use",
      "chain_full",
      "jump_missing",
      "jump_not_allowed",
      "jump_to_itself",
      "l4_without_protocol",
      "range_empty",
      "range_out_of_bounds",
      "fragments_without_ports",
      "match_contradicts",
      "mac_mask_invalid",
      "ports_missing",
      "too_many_entries",
      "nat_target_missing",
      "nat_target_not_allowed",
      "nat_action_not_allowed",
      "nat_static_not_alone",
      "nat_prefix_unmatched",
      "already_in_group",
      "load_balancer_in_use",
      "endpoint_in_use",
      "l4_port_missing",
      "weight_out_of_range",
      "vip_unreachable",
      "timing_out_of_range",
      "http_invalid",
      "as_number_missing",
      "as_number_not_allowed",
      "password_invalid",
      "network_in_use",
  });
  static_assert(kNames.size() == static_cast<size_t>(BrokenRule::count_));
  return rule < BrokenRule::count_ ? kNames[static_cast<size_t>(rule)] : "unknown";
}

std::string to_string(const Violation& violation) {
  std::string out = label_of(violation.object, violation.name) + ": " + std::string(to_string(violation.rule));
  if (!violation.field.empty()) out += " (" + violation.field + ")";
  out += ": " + violation.message;
  if (!violation.cure.empty()) out += " " + violation.cure;
  return out;
}

std::string label_of(const ObjectRef& ref, std::string_view name) {
  return std::string(to_string(ref.kind)) + " " + (name.empty() ? ref.id.to_string() : std::string(name));
}
std::string label_of(const Object& object) { return label_of(ref_of(object), name_of(object)); }

}  // namespace viaduct::topology
