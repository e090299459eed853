#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/resources/rule_members.hpp"

namespace viaduct::api::rest {
namespace {

// Ours are numbers with gaps, MidoNet's count from 1. A rule is put between its neighbours, in the middle of the gap; where
// there is none the rules behind it move on.
constexpr uint64_t kGap = 1 << 16, kMiddle = uint64_t{1} << 31, kGreatest = 0xffff'ffff;

uint64_t position_of(const Record& rule) {
  const auto* position = std::get_if<uint64_t>(&rule.get("position"));
  return position == nullptr ? 0 : *position;
}

// Spreads all rules evenly anew, with room for one at `index`.
uint64_t spread(const std::vector<Record>& rules, size_t index, std::vector<Operation>& along) {
  const uint64_t step = std::min(kGap, kGreatest / (rules.size() + 2));
  for (size_t i = 0; i < rules.size(); ++i) {
    const uint64_t position = step * (i + (i < index ? 1 : 2));
    if (position_of(rules[i]) == position) continue;
    Operation move{Operation::Action::update, rules[i]};
    move.record.set("position", position);
    along.push_back(std::move(move));
  }
  return step * (index + 1);
}

uint64_t place(const std::vector<Record>& rules, size_t index, std::vector<Operation>& along) {
  if (rules.empty()) return kMiddle;
  const uint64_t before = index == 0 ? 0 : position_of(rules[index - 1]);
  if (index == rules.size()) {
    return before < kGreatest - kGap ? before + kGap : spread(rules, index, along);
  }
  const uint64_t behind = position_of(rules[index]);
  if (index == 0 && behind > kGap) return behind - kGap;
  return behind - before >= 2 ? before + (behind - before) / 2 : spread(rules, index, along);
}

}  // namespace

void take_position(Intake& intake, const Json& value) {
  auto asked = intake.number("position", value, 0, kGreatest);
  if (!asked) return;
  const auto& rules = intake.context().rules_of(intake.record().reference("chain"));
  const size_t position = static_cast<size_t>(std::max<int64_t>(*asked, 1));
  if (position > rules.size() + 1) {
    return intake.wrong("position", "must be from 1 to " + std::to_string(rules.size() + 1) + ", as the chain has " +
                                        std::to_string(rules.size()) + " rules");
  }
  intake.record().set("position", place(rules, position - 1, intake.along()));
}
void emit_position(const Emission& emission, Json& value) {
  const auto& rules = emission.context().rules_of(emission.record().reference("chain"));
  const uint64_t own = position_of(emission.record());
  auto at = std::ranges::lower_bound(rules, own, {}, position_of);
  value = at - rules.begin() + 1;
}

}  // namespace viaduct::api::rest
