// What one request is called in its answer, in the audit log and in what clients log of it: X-Request-Id.
#pragma once

#include <string>
#include <string_view>

namespace viaduct::api::rest {

inline constexpr size_t kMaxRequestId = 64;

// The client's own, when it has at most 64 characters and all are letters, digits, '.', '_' or '-'; otherwise a new one.
std::string request_id(std::string_view own);

}  // namespace viaduct::api::rest
