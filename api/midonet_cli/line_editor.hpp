// Lines that a person types: edited, remembered, completed by the tab key (libedit).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace viaduct::api::midonet_cli {

// What could stand where the cursor is: the last of `words`, which is a beginning.
using Suggest = std::function<std::vector<std::string>(const std::vector<std::string>& words)>;

// One at a time in a process, as libedit's interface is global. Standard input is a terminal.
class LineEditor {
 public:
  explicit LineEditor(Suggest suggest);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Nothing: the input has ended.
  std::optional<std::string> read(const char* prompt);
};

}  // namespace viaduct::api::midonet_cli
