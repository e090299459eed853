// Replies of the daemon as JSON, straight from the schema: every field, its name in snake_case, in the schema's order.
//
// The schema only grows, so these names are stable. UUIDs, addresses and kinds become text; a nil UUID becomes null.
#pragma once

#include <capnp/dynamic.h>

#include <string>
#include <string_view>

#include "api/client/value.hpp"

namespace viaduct::api {

Json reply_json(capnp::DynamicValue::Reader value);
std::string snake_case(std::string_view camel_case);

}  // namespace viaduct::api
