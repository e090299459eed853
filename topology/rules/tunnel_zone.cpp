// Tunnel zones and their hosts.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

// Packets are on their way in the old encapsulation while its hosts learn of the new one.
void check_type(const TunnelZone& zone, Inspection& inspection) {
  const TunnelZone* before = inspection.current().find(zone.id);
  if (before == nullptr || before->type == zone.type) return;
  size_t staying = 0;
  inspection.next().for_each_host_of(zone.id, [&](const TunnelZoneHost& member) {
    if (inspection.current().find(member.id) != nullptr) ++staying;
  });
  if (staying == 0) return;
  inspection.report(BrokenRule::tunnel_type_in_use, ref_of(zone), "type",
                    "It has " + std::to_string(staying) + (staying == 1 ? " host" : " hosts") + ", who tunnel so.",
                    "Create another zone with the new type, add the hosts to it, and delete this one.");
}

void check_references(const TunnelZoneHost& member, const ObjectRef& ref, Inspection& inspection) {
  if (member.zone.is_nil() || inspection.next().find(member.zone) == nullptr) {
    inspection.report(BrokenRule::unknown_parent, ref, "zone",
                      "There is no tunnel zone " + member.zone.to_string() + ".",
                      "Create the tunnel zone first or in the same transaction.");
  }
  if (member.host.is_nil() || inspection.next().find(member.host) == nullptr) {
    inspection.report(BrokenRule::unknown_reference, ref, "host", "There is no host " + member.host.to_string() + ".",
                      "Hosts register when their agent starts; viaduct host list shows them.");
  }
}

void check_address(const TunnelZoneHost& member, const ObjectRef& ref, Inspection& inspection) {
  std::string_view reason = reason_not_unicast(member.address);
  if (reason.empty() && member.address.is_link_local()) reason = "a link-local address, which says nothing elsewhere";
  if (!reason.empty()) {
    inspection.report(BrokenRule::address_not_allowed, ref, "address",
                      member.address.to_string() + " is " + std::string(reason) + ".",
                      "Use an address of the host that the others can reach.");
  }
  inspection.next().for_each_at(IndexKey::tunnel_address_of(member.zone, member.address), [&](const Object& object) {
    const auto& other = std::get<TunnelZoneHost>(object);
    if (other.id == member.id) return;
    inspection.report(BrokenRule::address_in_use, ref, "address",
                      member.address.to_string() + " is that of " +
                          inspection.label(ObjectRef{Kind::host, other.host.uuid()}) + " in this zone too.",
                      "Give each host its own address.");
  });
}

void check_family(const TunnelZoneHost& member, const ObjectRef& ref, Inspection& inspection) {
  const IpFamily here = member.address.family();
  const IpFamily other = other_family(here);
  if (inspection.next().count_at(IndexKey::tunnel_family_of(member.zone, other)) == 0) return;
  inspection.report(BrokenRule::address_family_mismatch, ref, "address",
                    member.address.to_string() + " is " + std::string(family_name(here)) +
                        ", and the zone has hosts with " + std::string(family_name(other)) + " addresses.",
                    "Use one family in a zone; hosts may be in a second zone with the other one.");
}

}  // namespace

void check(const TunnelZone& zone, Inspection& inspection) {
  const ObjectRef ref = ref_of(zone);
  check_name(zone.name, "name", ref, inspection);
  check_type(zone, inspection);
  if (zone.name.empty()) {
    inspection.report(BrokenRule::name_missing, ref, "name", "A tunnel zone needs a name.", "Give it one.");
    return;
  }
  inspection.next().for_each_named(Kind::tunnel_zone, zone.name, [&](const Object& other) {
    if (id_of(other) == zone.id.uuid()) return;
    inspection.report(BrokenRule::duplicate_name, ref, "name",
                      "Another tunnel zone (" + id_of(other).to_string() + ") is called " + zone.name + ".",
                      "Choose another name.");
  });
}

void check(const TunnelZoneHost& member, Inspection& inspection) {
  const ObjectRef ref = ref_of(member);
  check_references(member, ref, inspection);
  check_address(member, ref, inspection);
  check_family(member, ref, inspection);
  if (inspection.next().count_at(IndexKey::tunnel_member_of(member.zone, member.host)) > 1) {
    inspection.report(BrokenRule::host_already_in_zone, ref, "host",
                      inspection.label(ObjectRef{Kind::host, member.host.uuid()}) + " is in " +
                          inspection.label(ObjectRef{Kind::tunnel_zone, member.zone.uuid()}) + " already.",
                      "Change the address of the one that is there, or remove it first.");
  }
}

}  // namespace viaduct::topology::rules
