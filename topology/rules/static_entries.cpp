#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_bridge(BridgeId bridge, const ObjectRef& ref, Inspection& inspection) {
  if (!bridge.is_nil() && inspection.next().find(bridge) != nullptr) return;
  inspection.report(BrokenRule::unknown_parent, ref, "bridge", "There is no bridge " + bridge.to_string() + ".",
                    "Create the bridge first or in the same transaction.");
}

void check_port(const StaticMac& entry, const ObjectRef& ref, Inspection& inspection) {
  const Port* port = inspection.next().find(entry.port);
  if (port == nullptr) {
    inspection.report(BrokenRule::unknown_reference, ref, "port", "There is no port " + entry.port.to_string() + ".",
                      "Create the port first or in the same transaction.");
  } else if (port->bridge != entry.bridge) {
    inspection.report(BrokenRule::port_not_on_bridge, ref, "port",
                      inspection.label(Object(*port)) + " is not a port of the bridge.", "Name a port of the bridge.");
  }
}

}  // namespace

void check(const StaticMac& entry, Inspection& inspection) {
  const ObjectRef ref = ref_of(entry);
  check_bridge(entry.bridge, ref, inspection);
  check_port(entry, ref, inspection);
  check_hardware_address(entry.mac, ref, inspection);
  if (entry.vlan > kMaxVlan) {
    inspection.report(BrokenRule::vlan_out_of_range, ref, "vlan",
                      "VLAN " + std::to_string(entry.vlan) + " does not exist.", "Use 1 to 4094, or 0 for none.");
  }
  inspection.next().for_each_at(IndexKey::static_mac_of(entry.bridge, entry.vlan, entry.mac), [&](const Object& other) {
    if (id_of(other) == entry.id.uuid()) return;
    inspection.report(BrokenRule::mac_in_use, ref, "mac",
                      entry.mac.to_string() + " is pinned by " + inspection.label(other) + " too.",
                      "Change or delete one of them.");
  });
}

void check(const StaticNeighbour& entry, Inspection& inspection) {
  const ObjectRef ref = ref_of(entry);
  check_bridge(entry.bridge, ref, inspection);
  check_hardware_address(entry.mac, ref, inspection);
  if (const auto reason = reason_not_unicast(entry.address); !reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "address",
                      entry.address.to_string() + " is " + std::string(reason) + ".", "Use a unicast address.");
  }
  inspection.next().for_each_at(IndexKey::static_neighbour_of(entry.bridge, entry.address), [&](const Object& other) {
    if (id_of(other) == entry.id.uuid()) return;
    inspection.report(BrokenRule::address_in_use, ref, "address",
                      entry.address.to_string() + " is pinned by " + inspection.label(other) + " too.",
                      "Change or delete one of them.");
  });
}

}  // namespace viaduct::topology::rules
