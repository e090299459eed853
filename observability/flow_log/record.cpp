#include "observability/flow_log/record.hpp"

namespace viaduct::observability::flow_log {

std::string_view to_string(Outcome outcome) { return outcome == Outcome::forwarded ? "forwarded" : "dropped"; }

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::idle:
      return "idle";
    case EndReason::changed:
      return "changed";
    case EndReason::table_full:
      return "table_full";
    case EndReason::connection_ended:
      return "connection_ended";
    case EndReason::merged:
      return "merged";
  }
  return "unknown";
}

uint8_t ipfix_value(EndReason reason) {
  switch (reason) {
    case EndReason::idle:
      return 1;
    case EndReason::connection_ended:
      return 3;
    case EndReason::changed:
    case EndReason::merged:
      return 4;
    case EndReason::table_full:
      return 5;
  }
  return 4;
}

}  // namespace viaduct::observability::flow_log
