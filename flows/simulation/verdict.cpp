#include "flows/simulation/verdict.hpp"

namespace viaduct::flows::simulation {

void Verdict::reset() {
  outcome = Outcome::drop;
  drop_reason = DropReason::none;
  cacheable = false;
  actions.clear();
  mask = FieldSet::ethernet();
  tags.clear();
  routed.clear();
  writes.clear();
  touches.clear();
  wanted = {};
  refresh.clear();
  emits.clear();
}

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::forward:
      return "forward";
    case Outcome::drop:
      return "drop";
    case Outcome::consumed:
      return "consumed";
    case Outcome::park:
      return "park";
  }
  return "unknown";
}

}  // namespace viaduct::flows::simulation
