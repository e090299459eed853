// A rule's place, its jump, and what it names.
#include <algorithm>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

void check_position(const Rule& rule, const ObjectRef& ref, Inspection& inspection) {
  if (rule.position == 0) {
    inspection.report(BrokenRule::chain_full, ref, "position", "There is no position behind the chain's last rule.",
                      "Give the chain's rules lower positions.");
    return;
  }
  const IndexKey key = IndexKey::rule_at(rule.chain, rule.position);
  if (inspection.next().count_at(key) < 2) return;
  inspection.next().for_each_at(key, [&](const Object& other) {
    if (id_of(other) == rule.id.uuid()) return;
    inspection.report(
        BrokenRule::position_in_use, ref, "position",
        "Position " + std::to_string(rule.position) + " of the chain is that of " + inspection.label(other) + ".",
        "Choose another one, or leave it out: behind the last.");
  });
}

void check_jump(const Rule& rule, const ObjectRef& ref, Inspection& inspection) {
  const bool jumps = rule.action == RuleAction::jump;
  if (jumps && rule.jump.is_nil()) {
    inspection.report(BrokenRule::jump_missing, ref, "jump", "It jumps, and names no chain.", "Name the chain.");
  } else if (!jumps && !rule.jump.is_nil()) {
    inspection.report(BrokenRule::jump_not_allowed, ref, "jump", "It names a chain, and does not jump.",
                      "Make its action jump, or leave the chain out.");
  } else if (jumps && rule.jump == rule.chain) {
    inspection.report(BrokenRule::jump_to_itself, ref, "jump", "It jumps to the chain that it is in.",
                      "Name another chain; continue goes on to the next rule.");
  }
}

// A match whose value names nothing.
template <class Kind>
bool names_nil(const Match<Id<Kind>>& match) {
  return match.value && match.value->is_nil();
}
template <class Kind>
bool names_nil(const Match<std::vector<Id<Kind>>>& match) {
  return match.value &&
         std::any_of(match.value->begin(), match.value->end(), [](const auto& id) { return id.is_nil(); });
}
template <class Kind>
bool names_nil(const Id<Kind>&) {
  return false;
}

void check_names(const Rule& rule, const ObjectRef& ref, Inspection& inspection) {
  check_parent(Reference::rule_chain, rule.chain.uuid(), ref, inspection);
  for_each_reference(rule, [&](Reference reference, const Uuid& target) {
    if (reference != Reference::rule_chain) check_named(reference, target, ref, inspection);
  });
  detail::for_each_field(rule, [&](Reference reference, const auto& field) {
    if (!names_nil(field)) return;
    inspection.report(BrokenRule::unknown_reference, ref, info_of(reference).field, "It names nothing.",
                      "Name an object, or leave the field out.");
  });
}

}  // namespace

void check(const Rule& rule, Inspection& inspection) {
  const ObjectRef ref = ref_of(rule);
  check_name(rule.meter, "meter", ref, inspection);
  check_names(rule, ref, inspection);
  check_position(rule, ref, inspection);
  check_jump(rule, ref, inspection);
  check_condition(rule, inspection);
  check_nat(rule, inspection);
}

}  // namespace viaduct::topology::rules
