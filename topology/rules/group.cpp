// Groups of ports and of addresses.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {

void check(const PortGroup& group, Inspection& inspection) {
  check_name(group.name, "name", ref_of(group), inspection);
  check_name(group.tenant, "tenant", ref_of(group), inspection);
}

void check(const PortGroupPort& member, Inspection& inspection) {
  const ObjectRef ref = ref_of(member);
  check_parent(Reference::port_group_port_group, member.group.uuid(), ref, inspection);
  check_parent(Reference::port_group_port_port, member.port.uuid(), ref, inspection);
  if (inspection.next().count_at(IndexKey::port_group_port_of(member.group, member.port)) < 2) return;
  inspection.report(BrokenRule::already_in_group, ref, "port",
                    inspection.label(ObjectRef{Kind::port, member.port.uuid()}) + " is in " +
                        inspection.label(ObjectRef{Kind::port_group, member.group.uuid()}) + " already.",
                    "Leave it as it is: once is enough.");
}

void check(const IpGroup& group, Inspection& inspection) {
  check_name(group.name, "name", ref_of(group), inspection);
  check_name(group.tenant, "tenant", ref_of(group), inspection);
}

void check(const IpGroupAddress& member, Inspection& inspection) {
  const ObjectRef ref = ref_of(member);
  check_parent(Reference::ip_group_address_group, member.group.uuid(), ref, inspection);
  if (member.prefix.has_host_bits()) {
    inspection.report(BrokenRule::prefix_has_host_bits, ref, "prefix",
                      member.prefix.to_string() + " has bits behind its prefix length.",
                      "Write " + member.prefix.network().to_string() + ".");
  }
  if (inspection.next().count_at(IndexKey::ip_group_address_of(member.group, member.prefix)) < 2) return;
  inspection.report(BrokenRule::already_in_group, ref, "prefix",
                    member.prefix.to_string() + " is in " +
                        inspection.label(ObjectRef{Kind::ip_group, member.group.uuid()}) + " already.",
                    "Leave it as it is: once is enough.");
}

}  // namespace viaduct::topology::rules
