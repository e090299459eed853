// The questions that one host has been asked and has not answered yet (schema/session.capnp, Question).
//
//   ask -> open -- answer --> gone            a host may answer what it was asked, once: else nothing happens, and it is counted
//           |
//           +-- patience --> late -- answer, or a minute --> gone
//
// One that is late has been answered with an error, and goes on counting: a host that stands still is not sent more than it may
// have open, however often somebody asks. Without clock and chance: both are arguments. Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace viaduct::actors {

class OpenQuestions {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Limits {
    size_t open = 16;         // at a time, the late ones among them
    size_t of_one_asker = 8;  // of these
    std::chrono::milliseconds patience{3'000};
    std::chrono::seconds late{60};  // after its patience
  };
  enum class Refusal : uint8_t {
    host_busy,   // too many are open
    asker_busy,  // of this asker
    number_used  // is open already
  };
  enum class Fit : uint8_t {
    open,    // whoever asks is still waiting
    late,    // it was told already that no answer came
    unasked  // this host was not asked it, or has answered it
  };

  OpenQuestions() : OpenQuestions(Limits{}) {}
  explicit OpenQuestions(const Limits& limits) : limits_(limits) {}

  // Nothing: it is open from now on. `asker`: the host whose daemon was asked. `number` should be random.
  std::optional<Refusal> ask(uint64_t number, const std::string& asker, Time now);
  // An answer has come.
  Fit answer(uint64_t number);
  // Those whose patience ends with this: whoever asks is to be told. Each is named once.
  std::vector<uint64_t> expire(Time now);

  const Limits& limits() const { return limits_; }
  size_t size() const { return questions_.size(); }

 private:
  struct Entry {
    std::string asker;
    Time deadline;
    bool late = false;
  };

  const Limits limits_;
  std::map<uint64_t, Entry> questions_;
};

// "host_busy": the label of metrics.
std::string_view to_string(OpenQuestions::Refusal refusal);

}  // namespace viaduct::actors
