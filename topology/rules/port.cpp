// A port by itself: its device, its binding, its VLAN, and what only router ports have.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_device(const Port& port, const ObjectRef& ref, Inspection& inspection) {
  if (!port.on_bridge() && !port.on_router()) {
    inspection.report(BrokenRule::no_device, ref, "", "It is on neither a bridge nor a router.", "Name one of them.");
  }
  if (port.on_bridge() && port.on_router()) {
    inspection.report(BrokenRule::two_devices, ref, "", "It is on a bridge and on a router.", "Name only one of them.");
  }
  if (port.on_bridge() && inspection.next().find(port.bridge) == nullptr) {
    inspection.report(BrokenRule::unknown_parent, ref, "bridge", "There is no bridge " + port.bridge.to_string() + ".",
                      "Create the bridge first or in the same transaction.");
  }
  if (port.on_router() && inspection.next().find(port.router) == nullptr) {
    inspection.report(BrokenRule::unknown_parent, ref, "router", "There is no router " + port.router.to_string() + ".",
                      "Create the router first or in the same transaction.");
  }
}

void check_sole_binding(const Port& port, const ObjectRef& ref, Inspection& inspection) {
  const Snapshot& next = inspection.next();
  next.for_each_at(TextKey::binding_of(port.host, port.interface), [&](const Object& other) {
    if (id_of(other) == port.id.uuid()) return;
    inspection.report(BrokenRule::interface_already_bound, ref, "interface",
                      port.interface + " of " + inspection.label(ObjectRef{Kind::host, port.host.uuid()}) +
                          " is bound to " + inspection.label(other) + ".",
                      "Unbind that port first, or choose another interface.");
  });
}

void check_binding(const Port& port, const ObjectRef& ref, Inspection& inspection) {
  if (port.host.is_nil() && port.interface.empty()) return;
  if (port.host.is_nil() || port.interface.empty()) {
    inspection.report(BrokenRule::binding_incomplete, ref, port.host.is_nil() ? "host" : "interface",
                      "A binding needs a host and an interface.", "Set both, or neither.");
  }
  if (!port.host.is_nil() && inspection.next().find(port.host) == nullptr) {
    inspection.report(BrokenRule::unknown_reference, ref, "host", "There is no host " + port.host.to_string() + ".",
                      "Start the agent on that host: it registers itself.");
  }
  if (!port.interface.empty() && !is_interface_name(port.interface)) {
    inspection.report(BrokenRule::interface_name_invalid, ref, "interface", "No interface can be called that.",
                      "Use 1 to 15 printable characters without '/', ':' and spaces.");
  }
  if (port.is_exterior()) check_sole_binding(port, ref, inspection);
}

void check_vlan(const Port& port, const ObjectRef& ref, Inspection& inspection) {
  if (port.vlan == 0) return;
  if (port.vlan > kMaxVlan) {
    inspection.report(BrokenRule::vlan_out_of_range, ref, "vlan",
                      "VLAN " + std::to_string(port.vlan) + " does not exist.", "Use 1 to 4094, or 0 for none.");
    return;
  }
  if (port.on_router() || port.is_exterior()) {
    inspection.report(BrokenRule::vlan_not_allowed, ref, "vlan", "Only linked ports of a bridge carry a VLAN.",
                      port.on_router() ? "Set it on the bridge port that is linked to this one." : "Set it to 0.");
  }
  if (!port.on_bridge()) return;
  inspection.next().for_each_at(IndexKey::vlan_of(port.bridge, port.vlan), [&](const Object& other) {
    if (id_of(other) == port.id.uuid()) return;
    inspection.report(BrokenRule::vlan_conflict, ref, "vlan",
                      inspection.label(other) + " of the same bridge has VLAN " + std::to_string(port.vlan) + " too.",
                      "Give one of them another VLAN.");
  });
}

void check_bridge_side(const Port& port, const ObjectRef& ref, Inspection& inspection) {
  if (!port.mac.is_zero()) {
    inspection.report(BrokenRule::mac_on_bridge_port, ref, "mac", "A bridge port has no MAC address of its own.",
                      "Leave it out; it belongs on the router port that is linked to this one.");
  }
  if (!port.addresses.empty()) {
    inspection.report(BrokenRule::address_on_bridge_port, ref, "addresses", "A bridge port has no addresses.",
                      "Link it to a router port and give that the addresses.");
  }
  if (port.mtu != 0) {
    inspection.report(BrokenRule::mtu_on_bridge_port, ref, "mtu", "A bridge port has no MTU.", "Leave it out.");
  }
}

}  // namespace

void check(const Port& port, Inspection& inspection) {
  const ObjectRef ref = ref_of(port);
  check_name(port.name, "name", ref, inspection);
  check_name(port.vif, "vif", ref, inspection);
  check_device(port, ref, inspection);
  check_binding(port, ref, inspection);
  check_vlan(port, ref, inspection);
  check_link(port, inspection);
  check_named(Reference::port_inbound_filter, port.inbound_filter.uuid(), ref, inspection);
  check_named(Reference::port_outbound_filter, port.outbound_filter.uuid(), ref, inspection);
  if (port.on_router()) {
    check_router_side(port, inspection);
  } else {
    check_bridge_side(port, ref, inspection);
  }
  check_neighbours_of(port, inspection);
}

}  // namespace viaduct::topology::rules
