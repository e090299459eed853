// Objects that others name.
#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_target(BrokenRule rule, Reference reference, const Uuid& target, const ObjectRef& ref,
                  Inspection& inspection) {
  const ReferenceInfo& info = info_of(reference);
  if (!target.is_nil() && inspection.next().find(ObjectRef{info.to, target})) return;
  std::string kind(to_string(info.to));
  for (char& c : kind) c = c == '-' ? ' ' : c;
  inspection.report(rule, ref, info.field, "There is no " + kind + " " + target.to_string() + ".",
                    "Create the " + kind + " first or in the same transaction.");
}

}  // namespace

void check_named(Reference reference, const Uuid& target, const ObjectRef& ref, Inspection& inspection) {
  if (!target.is_nil()) check_target(BrokenRule::unknown_reference, reference, target, ref, inspection);
}
void check_parent(Reference reference, const Uuid& target, const ObjectRef& ref, Inspection& inspection) {
  check_target(BrokenRule::unknown_parent, reference, target, ref, inspection);
}

}  // namespace viaduct::topology::rules
