// What one request is called in its answer, in the audit log and in what clients log of it: X-Request-Id.
#pragma once

#include <string>
#include <string_view>

namespace viaduct::api::rest {

// The client's own, when it is a name (topology/cause.hpp); otherwise a new one.
std::string request_id(std::string_view own);

}  // namespace viaduct::api::rest
