// Words as a command: MidoNet's grammar, from the table of objects.
//
//   [object-path] verb [collection] [field value …]
//   verb object-path …
//
// The verb is before, in or behind the path. An object is "bridge UUID", "bridge ALIAS", "bridge FIELD VALUE …" (the only one
// that is like this), or an alias alone, "router0:port1". Nothing is looked up, and no request is made.
#pragma once

#include <string>
#include <vector>

#include "api/midonet_cli/command.hpp"

namespace viaduct::api::midonet_cli {

// `words` is not empty. The failure names the word that does not fit and says what would.
Result<Command> parse(const std::vector<std::string>& words);

// What could stand in place of the last word, which may be empty or a beginning; sorted. `aliases` are those that exist.
std::vector<std::string> suggest(const std::vector<std::string>& words, const std::vector<std::string>& aliases);

}  // namespace viaduct::api::midonet_cli
