#include <algorithm>

#include "topology/rules/rules.hpp"

namespace viaduct::topology::rules {
namespace {

constexpr uint32_t kMaxDelay = 3600;  // seconds
constexpr uint32_t kMaxRetries = 100;
constexpr size_t kMaxPathBytes = 255;

// As a request line can carry it (RFC 9112, 3.2.1).
bool is_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= kMaxPathBytes &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void check_number(std::string_view field, uint32_t value, uint32_t greatest, const ObjectRef& ref,
                  Inspection& inspection) {
  if (value >= 1 && value <= greatest) return;
  inspection.report(BrokenRule::timing_out_of_range, ref, field, std::to_string(value) + " is out of range.",
                    "Use 1 to " + std::to_string(greatest) + ".");
}

}  // namespace

void check(const HealthMonitor& monitor, Inspection& inspection) {
  const ObjectRef ref = ref_of(monitor);
  check_name(monitor.name, "name", ref, inspection);
  check_number("delay", monitor.delay, kMaxDelay, ref, inspection);
  check_number("timeout", monitor.timeout, kMaxDelay, ref, inspection);
  check_number("max_retries", monitor.max_retries, kMaxRetries, ref, inspection);
  if (monitor.timeout > monitor.delay) {
    inspection.report(BrokenRule::timing_out_of_range, ref, "timeout",
                      "A check may take " + std::to_string(monitor.timeout) + " s, and the next begins after " +
                          std::to_string(monitor.delay) + " s.",
                      "Make the timeout at most the delay.");
  }
  if (!is_path(monitor.http_path)) {
    inspection.report(BrokenRule::http_invalid, ref, "http_path", "No request can ask for that path.",
                      "Begin it with '/', and use at most 255 printable ASCII characters without spaces.");
  }
  if (monitor.http_status < 100 || monitor.http_status > 599) {
    inspection.report(BrokenRule::http_invalid, ref, "http_status",
                      "There is no status " + std::to_string(monitor.http_status) + ".", "Use 100 to 599.");
  }
}

}  // namespace viaduct::topology::rules
