// How a command ends: a value, or a failure that says what is wrong and what to do about it.
//
// Exit codes are an interface (scripts test them) and never change their meaning.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace viaduct::api {

enum class ExitCode : int {
  ok = 0,
  refused = 1,      // the daemon or the tool refused, or something asked for does not exist
  usage = 2,        // the command line or a file makes no sense
  unreachable = 3,  // no daemon, no token, or a part of the daemon is restarting
  timeout = 4,
  differs = 5,        // no failure: what was compared is not the same
  nothing_wrong = 6,  // no failure: a cause was looked for, and there is none
};

// Another object that a message names.
struct Mention {
  std::string kind;
  std::string id;
  std::string label;  // as the message has it: "port p2"
};

// One broken rule of the topology, as the daemon reports it.
struct Violation {
  std::string rule;  // stable name: "address_in_use"
  std::string kind;
  std::string id;
  std::string name;
  std::string field;
  std::string message;
  std::string cure;
  std::vector<Mention> mentions = {};
};

struct Failure {
  ExitCode exit = ExitCode::refused;
  std::string code;     // stable name: "conflict", "not_found", "unreachable", …
  std::string message;  // what is wrong, naming the object
  std::string cure;     // what to do; may be empty
  std::vector<Violation> violations;
  unsigned retry_after_s = 0;  // 0: not said
};

inline Failure usage_error(std::string message, std::string cure = {}) {
  return {ExitCode::usage, "usage", std::move(message), std::move(cure), {}};
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : content_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T& operator*() { return std::get<0>(content_); }
  const T& operator*() const { return std::get<0>(content_); }
  T* operator->() { return &std::get<0>(content_); }
  const T* operator->() const { return &std::get<0>(content_); }
  const Failure& failure() const { return std::get<1>(content_); }  // only when it holds no value

 private:
  std::variant<T, Failure> content_;
};

using Done = std::monostate;  // Result<Done>: worked, nothing to hand over

}  // namespace viaduct::api
