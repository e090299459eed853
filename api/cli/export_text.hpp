// An exported document as YAML: one object a line, but for those that others stand under.
#pragma once

#include <string>
#include <string_view>

#include "api/cli/export_document.hpp"

namespace viaduct::api::cli {

std::string yaml_of(const ExportedDocument& document);

// Plain where every reader of YAML takes it for this text, else in double quotes.
std::string yaml_text(std::string_view text);

}  // namespace viaduct::api::cli
