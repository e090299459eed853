// Failures as answers of HTTP: the one place that knows which status means what.
#pragma once

#include "api/client/outcome.hpp"
#include "api/rest/http.hpp"
#include "api/rest/resource.hpp"

namespace viaduct::api::rest {

int status_of(const Failure& failure);
// {"message", "code"} and, of bodies that make no sense, "violations" (rest-api: Error-v1); and "requestId" unless it is empty.
Response problem(const Failure& failure, const std::string& request_id = {});

// Names the members instead of the fields that the daemon's violations speak of.
Failure in_members(Failure failure, const Resource& resource);

// Failures of this folder's own.
Failure no_such_path(std::string_view path);
Failure no_such_verb(Method method, std::string_view path);       // 405
Failure not_acceptable();                                         // 406
Failure unsupported(std::string message, std::string cure = {});  // 501

}  // namespace viaduct::api::rest
