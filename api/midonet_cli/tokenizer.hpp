// A line as words, with a shell's quotes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/client/outcome.hpp"

namespace viaduct::api::midonet_cli {

// Words end at spaces and tabs. 'single' quotes keep everything; "double" ones all but \" and \\; a backslash elsewhere
// keeps the character behind it. A failure names the column where an unclosed quote begins.
Result<std::vector<std::string>> split_words(std::string_view line);

// A word as split_words() reads it back.
std::string quote_word(std::string_view word);

}  // namespace viaduct::api::midonet_cli
