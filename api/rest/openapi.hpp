// The OpenAPI 3.1 description of the API, made from the table of resources: GET openapi.json.
#pragma once

#include <string>

#include "api/client/value.hpp"

namespace viaduct::api::rest {

// `base`: where the API is, with a slash at its end.
Json openapi(const std::string& base);

}  // namespace viaduct::api::rest
