// What `help` and `describe` print.
#pragma once

#include <string>
#include <vector>

#include "api/midonet_cli/object.hpp"

namespace viaduct::api::midonet_cli {

// Its collections, and its fields with what they can be.
std::string description(const Object& object);
// No words: of everything; a verb; a collection of the root.
Result<std::string> help(const std::vector<std::string>& words);

}  // namespace viaduct::api::midonet_cli
