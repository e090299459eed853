// Which ports may be linked (interior ports).
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_unbound(const Port& port, const Port& peer, const ObjectRef& ref, Inspection& inspection) {
  if (port.is_exterior()) {
    const Port* before = inspection.current().find(port.id);
    const bool was_linked = before != nullptr && before->is_interior();
    inspection.report(was_linked ? BrokenRule::port_already_linked : BrokenRule::port_already_bound, ref,
                      was_linked ? "interface" : "peer", "A port is either bound to an interface or linked to a port.",
                      was_linked ? "Unlink it first." : "Unbind it first.");
  } else if (peer.is_exterior()) {
    inspection.report(BrokenRule::port_already_bound, ref, "peer",
                      inspection.label(Object(peer)) + " is bound to interface " + peer.interface + ".",
                      "Unbind that port first.");
  }
}

// devices.md 1.1, link legality: two bridges need the VLAN on one side, so that no loop of plain bridges arises.
void check_bridges(const Port& port, const Port& peer, const ObjectRef& ref, Inspection& inspection) {
  if (!port.on_bridge() || !peer.on_bridge()) return;
  const bool both = port.vlan != 0 && peer.vlan != 0;
  const bool neither = port.vlan == 0 && peer.vlan == 0;
  if (!both && !neither) return;
  inspection.report(
      BrokenRule::link_not_allowed, ref, "peer",
      std::string("Two bridges are linked, and ") + (both ? "both ports have" : "neither port has") + " a VLAN.",
      "Put a router between the bridges; or give exactly one of the two ports a VLAN, though nothing crosses such a "
      "link yet.");
}

}  // namespace

void check_link(const Port& port, Inspection& inspection) {
  if (!port.is_interior()) return;
  const ObjectRef ref = ref_of(port);
  if (port.peer == port.id) {
    inspection.report(BrokenRule::link_to_itself, ref, "peer", "A port cannot be linked to itself.",
                      "Name another port.");
    return;
  }
  const Port* peer = inspection.next().find(port.peer);
  if (peer == nullptr) {
    inspection.report(BrokenRule::unknown_reference, ref, "peer", "There is no port " + port.peer.to_string() + ".",
                      "Create the port first or in the same transaction.");
    return;
  }
  if (peer->peer != port.id) {
    inspection.report(BrokenRule::port_already_linked, ref, "peer",
                      inspection.label(Object(*peer)) + " is linked to " +
                          inspection.label(ObjectRef{Kind::port, peer->peer.uuid()}) + ".",
                      "Unlink that port first.");
    return;
  }
  if (port.device() == peer->device()) {
    inspection.report(BrokenRule::link_to_itself, ref, "peer", "Both ports are on the same device.",
                      "Link ports of different devices.");
  } else {
    check_bridges(port, *peer, ref, inspection);
  }
  check_unbound(port, *peer, ref, inspection);
}

}  // namespace viaduct::topology::rules
