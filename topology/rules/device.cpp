// Hosts, bridges and routers.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_load_balancer(const Router& router, Inspection& inspection) {
  inspection.next().for_each_referrer(
      Reference::router_load_balancer, router.load_balancer.uuid(), [&](const Object& other) {
        if (id_of(other) == router.id.uuid()) return;
        inspection.report(BrokenRule::load_balancer_in_use, ref_of(router), "load_balancer",
                          inspection.label(ObjectRef{Kind::load_balancer, router.load_balancer.uuid()}) +
                              " is that of " + inspection.label(other) + " too.",
                          "Create another load balancer for this router.");
      });
  const Router* before = inspection.current().find(router.id);
  if (before == nullptr || before->load_balancer != router.load_balancer) {
    check_vips_of(router.load_balancer, inspection);
  }
}

}  // namespace

void check(const Host& host, Inspection& inspection) {
  const ObjectRef ref = ref_of(host);
  check_name(host.name, "name", ref, inspection);
  if (host.name.empty()) {
    inspection.report(BrokenRule::name_missing, ref, "name", "A host needs a name.", "Give it the machine's name.");
    return;
  }
  inspection.next().for_each_named(Kind::host, host.name, [&](const Object& other) {
    if (id_of(other) == host.id.uuid()) return;
    inspection.report(BrokenRule::duplicate_name, ref, "name",
                      "Another host (" + id_of(other).to_string() + ") is called " + host.name + ".",
                      "Choose another name, or delete the other host if it is gone.");
  });
}

void check(const Bridge& bridge, Inspection& inspection) {
  check_name(bridge.name, "name", ref_of(bridge), inspection);
  check_name(bridge.tenant, "tenant", ref_of(bridge), inspection);
  for_each_reference(bridge, [&](Reference reference, const Uuid& target) {
    check_named(reference, target, ref_of(bridge), inspection);
  });
}

void check(const Router& router, Inspection& inspection) {
  check_name(router.name, "name", ref_of(router), inspection);
  check_name(router.tenant, "tenant", ref_of(router), inspection);
  for_each_reference(router, [&](Reference reference, const Uuid& target) {
    check_named(reference, target, ref_of(router), inspection);
  });
  if (router.load_balancer) check_load_balancer(router, inspection);
  check_as_number(router, inspection);
}

}  // namespace viaduct::topology::rules
