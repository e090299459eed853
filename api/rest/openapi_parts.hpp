// What the parts of the description (openapi.hpp) are put together of. For openapi*.cpp alone.
#pragma once

#include <string>
#include <string_view>

#include "api/client/value.hpp"
#include "api/rest/http.hpp"

namespace viaduct::api::rest::description {

std::string text(std::string_view view);
Json reference(std::string_view name);  // to a schema
Json with_null(Json schema);            // or null
Json uuid();
Json integer(int64_t least, int64_t most);
Json failure(std::string_view description);
// The responses of an operation: `success` with its status, and every failure that the method has.
Json answers(const std::string& status, Json success, Method method);
Json parameter(std::string_view name, std::string_view where, std::string_view description, Json schema);

// What is no resource of the table: events, transactions, login, what Prometheus asks, what a node sees.
void add_others(Json& paths);

}  // namespace viaduct::api::rest::description
