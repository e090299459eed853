#include "flows/simulation/verdict.hpp"

namespace viaduct::flows::simulation {

void Verdict::reset() {
  outcome = Outcome::drop;
  drop_reason = DropReason::none;
  drop_site = {};
  cacheable = false;
  actions.clear();
  mask = FieldSet::ethernet();
  tags.clear();
  routed.clear();
  writes.clear();
  closes.clear();
  opens.clear();
  touches.clear();
  ends.clear();
  peers.clear();
  tcp_flags = 0;
  wanted = {};
  refresh.clear();
  scarce.clear();
  emits.clear();
  check_answer.reset();
  frame.clear();
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
