// One field of an object of MidoNet's command line, and how it becomes members of a REST document and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/client/outcome.hpp"
#include "api/client/value.hpp"

namespace viaduct::api::midonet_cli {

enum class Form : uint8_t {
  text,
  number,      // decimal, or hexadecimal behind 0x
  limit,       // a number; "no-limit" is -1
  boolean,     // true, false
  up_down,     // up, down
  yes_no,      // yes, no
  choice,      // one of `words`
  reference,   // a UUID, of an object of the collection `of`
  references,  // several, with commas between
  texts,       // several, with commas between
  prefix,      // 10.0.0.0/8: an address in `member`, a length in `second`; 10.0.0.1 is one address
  range,       // 80, 80-90: {"start", "end"}
  targets,     // 10.0.0.1-10.0.0.9:80-90,…: of rules that translate addresses
  flow,        // fwd-flow, return-flow: `member` and `second` are booleans
  device,      // a reference in "deviceId", of the type `of` in "deviceType"
};

struct Word {
  std::string_view cli;
  std::string_view wire;  // empty: null
};

enum Mark : uint8_t {
  kReadOnly = 1,
  kHidden = 2,   // shown only when it is asked for
  kFixed = 4,    // given when an object is created, and never changed
  kLater = 8,    // of new objects the API takes no notice: given by a change behind the creation
  kKept = 16,    // cannot be cleared
  kLinked = 32,  // the other end of a link: cleared at "{uri}/link"
};

struct Field {
  std::string_view name;  // "infilter"
  std::string_view member = {};
  Form form = Form::text;
  std::string_view of = {};
  std::span<const Word> words = {};
  std::string_view second = {};
  std::string_view inverse = {};  // member that says whether the value is negated: "!10.0.0.0/8"
  uint8_t marks = 0;
  std::string_view also = {};    // another name that is understood
  std::string_view when = {};    // only of objects whose field "type" is one of these: "dnat snat"
  std::string_view inside = {};  // member that holds the members

  bool has(Mark mark) const { return (marks & mark) != 0; }
  bool is_reference() const { return form == Form::reference || form == Form::references || form == Form::device; }
};

// As `list` shows it; references are UUIDs. Nothing: the document does not have it, or null.
std::optional<std::string> text_of(const Field& field, const Json& document);

// Writes it into the document. References are UUIDs. The failure names the field and what it can be.
Result<Done> put(const Field& field, std::string_view value, Json& document);

bool can_be_cleared(const Field& field);
void clear(const Field& field, Json& document);

// What its values look like: "up | down", "ADDRESS[/LENGTH]".
std::string describe(const Field& field);

// "a,b , c" as its parts.
std::vector<std::string> split_list(std::string_view text);

}  // namespace viaduct::api::midonet_cli
