// Hosts, bridges and routers.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {

void check(const Host& host, Inspection& inspection) {
  const ObjectRef ref = ref_of(host);
  check_name(host.name, "name", ref, inspection);
  if (host.name.empty()) {
    inspection.report(Rule::name_missing, ref, "name", "A host needs a name.", "Give it the machine's name.");
    return;
  }
  inspection.next().for_each_named(Kind::host, host.name, [&](const Object& other) {
    if (id_of(other) == host.id.uuid()) return;
    inspection.report(Rule::duplicate_name, ref, "name",
                      "Another host (" + id_of(other).to_string() + ") is called " + host.name + ".",
                      "Choose another name, or delete the other host if it is gone.");
  });
}

void check(const Bridge& bridge, Inspection& inspection) {
  check_name(bridge.name, "name", ref_of(bridge), inspection);
  check_name(bridge.tenant, "tenant", ref_of(bridge), inspection);
}

void check(const Router& router, Inspection& inspection) {
  check_name(router.name, "name", ref_of(router), inspection);
  check_name(router.tenant, "tenant", ref_of(router), inspection);
}

}  // namespace viaduct::topology::rules
