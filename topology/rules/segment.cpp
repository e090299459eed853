// Router ports beside each other: on one router, and on one segment (a VLAN of a bridge, or a direct link).
#include <algorithm>
#include <vector>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

using VisitPort = std::function<void(const Port&)>;

// The router port that is linked to a segment, and the bridge port where it is (null: linked to a router directly).
struct Attachment {
  const Port* router_port = nullptr;
  const Port* bridge_port = nullptr;
};

const Port* peer_of(const Port& port, const Snapshot& snapshot) {
  const Port* peer = port.is_interior() ? snapshot.find(port.peer) : nullptr;
  return peer != nullptr && peer->peer == port.id ? peer : nullptr;
}

Attachment attachment_of(const Port& port, const Snapshot& snapshot) {
  const Port* peer = peer_of(port, snapshot);
  if (port.on_router()) return {&port, peer != nullptr && peer->on_bridge() ? peer : nullptr};
  return {peer != nullptr && peer->on_router() ? peer : nullptr, &port};
}

bool on_one_segment(const Attachment& here, const Port& other, const Snapshot& snapshot) {
  if (other.id == here.router_port->id) return false;
  if (here.bridge_port == nullptr) return here.router_port->peer == other.id && other.peer == here.router_port->id;
  const Port* other_bridge_port = peer_of(other, snapshot);
  return other_bridge_port != nullptr && other_bridge_port->bridge == here.bridge_port->bridge &&
         other_bridge_port->on_bridge() && other_bridge_port->vlan == here.bridge_port->vlan;
}

// Router ports under `key` (an address or a MAC) that share the segment. The shorter list is searched: of those with
// the key (private addresses may be on every tenant's router), or of those on the bridge.
void for_each_on_segment(const IndexKey& key, const Attachment& here, const Snapshot& snapshot,
                         const VisitPort& visit) {
  const auto consider = [&](const Port& other) {
    if (on_one_segment(here, other, snapshot)) visit(other);
  };
  if (here.bridge_port == nullptr) {
    if (const Port* peer = peer_of(*here.router_port, snapshot)) consider(*peer);
    return;
  }
  const Uuid bridge = here.bridge_port->bridge.uuid();
  if (snapshot.count_at(key) <= snapshot.count_at(IndexKey::interior_ports_of(bridge))) {
    snapshot.for_each_at(key, [&](const Object& other) { consider(std::get<Port>(other)); });
    return;
  }
  snapshot.for_each_interior_port_of(bridge, [&](const Port& bridge_port) {
    const Port* other = peer_of(bridge_port, snapshot);
    if (other != nullptr && other->on_router()) consider(*other);
  });
}

void for_each_on_router(const IpAddress& address, const Port& port, const Snapshot& snapshot, const VisitPort& visit) {
  const auto key = IndexKey::router_address_of(address);
  const auto of_router = IndexKey::referrers_of(Reference::port_router, port.router.uuid());
  const bool by_address = snapshot.count_at(key) <= snapshot.count_at(of_router);
  snapshot.for_each_at(by_address ? key : of_router, [&](const Object& object) {
    const Port& other = std::get<Port>(object);
    if (other.router == port.router && other.id != port.id) visit(other);
  });
}

bool has_address(const Port& port, const IpAddress& address) {
  return std::any_of(port.addresses.begin(), port.addresses.end(),
                     [&](const IpPrefix& prefix) { return prefix.address() == address; });
}

void check_addresses(const Port& port, const Attachment& here, Inspection& inspection) {
  for (const IpPrefix& prefix : port.addresses) {
    const IpAddress& address = prefix.address();
    const auto clash = [&](const Port& other, std::string_view where) {
      if (!has_address(other, address)) return;
      inspection.report(
          BrokenRule::address_in_use, ref_of(port), "addresses",
          address.to_string() + " is on " + inspection.label(Object(other)) + " " + std::string(where) + " too.",
          "Give one of them another address.");
    };
    // fe80::/10 means something on its own link only.
    if (!(address.is_v6() && address.is_link_local())) {
      for_each_on_router(address, port, inspection.next(),
                         [&](const Port& other) { clash(other, "of the same router"); });
    }
    for_each_on_segment(IndexKey::router_address_of(address), here, inspection.next(),
                        [&](const Port& other) { clash(other, "of the same segment"); });
  }
}

void check_mac(const Port& port, const Attachment& here, Inspection& inspection) {
  if (port.mac.is_zero()) return;
  for_each_on_segment(IndexKey::router_mac_of(port.mac), here, inspection.next(), [&](const Port& other) {
    if (other.mac != port.mac) return;
    inspection.report(BrokenRule::mac_in_use, ref_of(port), "mac",
                      port.mac.to_string() + " is on " + inspection.label(Object(other)) + " of the same segment too.",
                      "Give one of them another MAC address.");
  });
}

// A subnet of a port. Host prefixes and link-local subnets describe no place that another port could claim. Two ports may be
// in one subnet, as two uplinks of a router: traffic for it is shared between those that are active. In a part of another
// port's subnet it would be one port's only, and the other's neighbours there would never be reached.
struct Subnet {
  IpPrefix network;
  const Port* port;
};

std::vector<Subnet> subnets_of(RouterId router, const Snapshot& snapshot) {
  std::vector<Subnet> subnets;
  snapshot.for_each_port_of(router.uuid(), [&](const Port& port) {
    for (const IpPrefix& prefix : port.addresses) {
      const bool link_local = prefix.address().is_v6() && prefix.address().is_link_local();
      if (!prefix.is_host() && !link_local) subnets.push_back({prefix.network(), &port});
    }
  });
  // A network comes directly before those inside it.
  std::stable_sort(subnets.begin(), subnets.end(),
                   [](const Subnet& a, const Subnet& b) { return a.network < b.network; });
  return subnets;
}

void report_overlap(const Subnet& a, const Subnet& b, Inspection& inspection) {
  const Port* before = inspection.current().find(b.port->id);
  const bool b_is_new = before == nullptr || before->addresses != b.port->addresses;
  const Subnet& subject = b_is_new ? b : a;
  const Subnet& other = b_is_new ? a : b;
  inspection.report(BrokenRule::subnets_overlap, ref_of(*subject.port), "addresses",
                    subject.network.to_string() + " overlaps with " + other.network.to_string() + " of " +
                        inspection.label(Object(*other.port)) + ".",
                    "Use disjoint subnets or the same one, or put both addresses on one port.");
}

}  // namespace

void check_neighbours_of(const Port& port, Inspection& inspection) {
  const Attachment here = attachment_of(port, inspection.next());
  if (here.router_port == nullptr) return;
  check_addresses(*here.router_port, here, inspection);
  check_mac(*here.router_port, here, inspection);
}

void check_subnets_of(RouterId router, Inspection& inspection) {
  const std::vector<Subnet> subnets = subnets_of(router, inspection.next());
  std::vector<const Subnet*> around;  // the networks that contain the current one, widest first
  for (const Subnet& subnet : subnets) {
    while (!around.empty() && !around.back()->network.contains(subnet.network)) around.pop_back();
    const auto other = std::find_if(around.rbegin(), around.rend(), [&](const Subnet* candidate) {
      return candidate->port != subnet.port && candidate->network != subnet.network;
    });
    if (other != around.rend()) report_overlap(**other, subnet, inspection);
    around.push_back(&subnet);
  }
}

}  // namespace viaduct::topology::rules
