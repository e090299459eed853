// Whose an object is: the one table that says for each kind which field leads to its tenant.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/client/record.hpp"

namespace viaduct::api::rest {

struct OwnerRule {
  Kind kind;
  enum class By : uint8_t {
    tenant,  // its own field "tenant"
    above,   // the object that one of `fields` names
    nobody,  // no tenant's: the operators'
  } by = By::nobody;
  std::string_view fields[2] = {};  // references; the first that is there counts
};
std::span<const OwnerRule> owner_rules();

// The object, or nothing when there is none, or when it cannot be said now.
using FindRecord = std::function<std::optional<Record>(Kind, const Uuid&)>;
// The tenant; nothing when it is no tenant's, or when what is above it is not there.
std::optional<std::string> owner_of(const Record& record, const FindRecord& find);

}  // namespace viaduct::api::rest
