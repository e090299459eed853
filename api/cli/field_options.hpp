// The fields of a kind as options of a command, and their texts put into a Record.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/cli/directory.hpp"
#include "api/cli/tree.hpp"

namespace viaduct::api::cli {

// What the operator gave, by Field::name. Filled while parsing.
struct FieldTexts {
  std::map<std::string_view, std::vector<std::string>> values;
};

enum class FieldUse : uint8_t {
  create,  // the name is positional, required fields are required
  set,     // everything is optional, the name is --name
  filter,  // one value each; only references, names and choices
};

void add_field_options(Tree& tree, CLI::App& command, const KindInfo& kind, FieldUse use,
                       const std::shared_ptr<FieldTexts>& texts);

// Parses every text and sets it on the record; the first that makes no sense is the failure.
Result<Done> apply_texts(const FieldTexts& texts, Directory& directory, Record& record);

}  // namespace viaduct::api::cli
