#include "api/cli/doctor/check.hpp"

#include <algorithm>

namespace viaduct::api::cli {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warning:
      return "warning";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
  }
  return {};
}

void Findings::add(Verdict verdict, const std::string& seen, const std::string& cure) {
  if (check_.verdict != Verdict::failed) check_.verdict = verdict;
  check_.seen += (check_.seen.empty() ? "" : "; ") + seen;
  if (!cure.empty() && check_.cure.find(cure) == std::string::npos)
    check_.cure += (check_.cure.empty() ? "" : "; ") + cure;
}

Check Findings::check(std::string otherwise) const {
  Check out = check_;
  if (out.verdict == Verdict::ok) out.seen = std::move(otherwise);
  return out;
}

}  // namespace viaduct::api::cli
