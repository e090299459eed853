#include "topology/model/member_health.hpp"

namespace viaduct::topology {

std::string describe(CheckResult result, uint16_t detail) {
  switch (result) {
    case CheckResult::none:
      return "not checked yet";
    case CheckResult::healthy:
      return "healthy";
    case CheckResult::no_answer:
      return "no answer in time";
    case CheckResult::refused:
      return "connection refused";
    case CheckResult::closed:
      return "connection closed without an answer";
    case CheckResult::unreachable:
      return "unreachable, ICMP code " + std::to_string(detail);
    case CheckResult::no_neighbour:
      return "no way to the member, or nobody has its address";
    case CheckResult::wrong_status:
      return "HTTP status " + std::to_string(detail);
    case CheckResult::not_http:
      return "the answer is not HTTP";
    case CheckResult::count_:
      break;
  }
  return "unknown";
}

}  // namespace viaduct::topology
