// Records as lines of JSON (RFC 8259), one object each, members in a fixed order; the manual page viaductd.8 lists them.
//
// Whatever a name holds, it is a string and ends no line: quotes, backslashes and control characters are escaped, and what is not
// UTF-8 becomes U+FFFD.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "observability/flow_log/record.hpp"

namespace viaduct::observability::flow_log {

struct JsonContext {
  std::string host;                 // name of this host
  std::vector<std::string> fields;  // names of Record::matched's bits
  std::function<PortNames(const Uuid& port)> names;
};

class JsonWriter {
 public:
  explicit JsonWriter(JsonContext context) : context_(std::move(context)) {}
  // Both append one line.
  void decided(const Record& record, const Clocks& clocks, std::string& out) const;
  void ended(const Record& record, const Ended& end, const Clocks& clocks, std::string& out) const;

 private:
  void common(const Record& record, std::string& out) const;
  void port(const Uuid& id, std::string& out) const;
  void places(const Record& record, std::string& out) const;
  void matched(const Record& record, std::string& out) const;

  const JsonContext context_;
};

// `text` as a JSON string, in quotes.
void append_json_string(std::string_view text, std::string& out);

}  // namespace viaduct::observability::flow_log
