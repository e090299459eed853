// Groups that rules name are deleted with MidoNet's clients, and not with the tool: there the deletion is refused, as a firewall
// would change by itself. Here the rules become what they are with an empty group, in the same commit.
#include <algorithm>
#include <array>

#include "api/rest/call.hpp"

namespace viaduct::api::rest {
namespace {

struct GroupField {
  std::string_view is, is_not;
};
constexpr std::array kGroupFields = std::to_array<GroupField>({{"port_group", "not_port_group"},
                                                               {"in_port_group", "not_in_port_group"},
                                                               {"out_port_group", "not_out_port_group"},
                                                               {"ip_src_group", "not_ip_src_group"},
                                                               {"ip_dst_group", "not_ip_dst_group"}});

bool is_group(const Record& object) { return object.kind() == Kind::PORT_GROUP || object.kind() == Kind::IP_GROUP; }

// Nobody is in the group: a rule for who is in it meets no packet, and goes; one for who is not keeps all its other conditions.
// Nothing: the rule asks for the opposite of all that, and so it would meet every packet.
std::optional<Operation> emptied(const Record& rule, const Uuid& group) {
  Operation out{Operation::Action::update, rule};
  for (const GroupField& field : kGroupFields) {
    if (rule.reference(field.is_not) == group) out.record.set(field.is_not, Value{});
    if (rule.reference(field.is) == group) out.action = Operation::Action::remove;
  }
  const bool opposite = rule.get("inverted") == Value(true);
  return opposite && out.action == Operation::Action::remove ? std::nullopt : std::optional(out);
}

}  // namespace

Result<std::vector<Operation>> without_group(Context& context, const Record& object) {
  std::vector<Operation> out;
  if (!is_group(object)) return out;
  std::vector<Uuid> seen;
  for (const GroupField& field : kGroupFields) {
    for (const std::string_view name : {field.is, field.is_not}) {
      auto rules = context.naming(Kind::RULE, name, object.id());
      if (!rules) return rules.failure();
      for (const Record& rule : *rules) {
        if (std::ranges::find(seen, rule.id()) != seen.end()) continue;
        seen.push_back(rule.id());
        if (auto change = emptied(rule, object.id())) out.push_back(std::move(*change));
      }
    }
  }
  return out;
}

}  // namespace viaduct::api::rest
