// How answers look to people: tables, durations, failures.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/session.hpp"
#include "api/client/outcome.hpp"
#include "api/client/value.hpp"

namespace viaduct::api::cli {

// Columns as wide as their widest cell (by code points); numbers to the right. A column without any content is left
// out.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// The cells that `keys` name in each object of `rows`, under `headings`.
Table table_of(const Json& rows, const std::vector<std::string>& headings, const std::vector<std::string>& keys);

std::string cell(const Json& value);                       // null: empty; true: yes
std::string printable(std::string_view text);              // control characters, which could drive a terminal, as \xNN
std::string dump(const Json& json);                        // indented; what is not UTF-8 is replaced, not refused
std::string duration(double seconds);                      // "3d 4h", "12.3s"
std::string text_at(const Json& object, const char* key);  // cell() of a member, empty when absent
std::string printable_at(const Json& object, const char* key);  // likewise, when it may be another host's word

void print_failure(const Failure& failure, Form form, std::ostream& err);

}  // namespace viaduct::api::cli
