// One thing that the doctor looks at: what was seen, and what to do about it.
#pragma once

#include <string>
#include <string_view>

namespace viaduct::api::cli {

enum class Verdict : uint8_t {
  ok,
  warning,  // works, but not well or not for long
  failed,   // something does not work
  skipped,  // cannot be looked at, or does not matter here: `seen` says why
};
std::string_view to_string(Verdict verdict);

struct Check {
  std::string name;  // stable
  Verdict verdict = Verdict::ok;
  std::string seen;
  std::string cure;  // of warnings and failures
};

// Several things under one name: the worst verdict, and what is wrong with each of them.
class Findings {
 public:
  explicit Findings(std::string name) : check_{std::move(name), Verdict::ok, {}, {}} {}
  void add(Verdict verdict, const std::string& seen, const std::string& cure);
  // `otherwise`: what was seen when nothing is wrong.
  Check check(std::string otherwise) const;

 private:
  Check check_;
};

}  // namespace viaduct::api::cli
