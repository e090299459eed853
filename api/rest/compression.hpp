// Bodies of answers, compressed for clients that say they take it. Bodies of requests never are: a few bytes could stand
// for any number.
#pragma once

#include <string>
#include <string_view>

#include "api/client/outcome.hpp"
#include "api/rest/http.hpp"

namespace viaduct::api::rest {

inline constexpr size_t kLeastCompressed = 1'024;  // bytes; below that it is not worth it

// Whether Accept-Encoding (RFC 9110, 12.5.3) prefers gzip, or "x-gzip" or "*" as long as they mean it, to no coding.
bool prefers_gzip(std::string_view accept_encoding);

// Blocking: some milliseconds a megabyte. Any thread.
std::string gzip(std::string_view text);

// Compresses the body if the client prefers that and it is large enough, and says in Vary that it depends on this.
void compress(const Request& request, Response& response);

// Failure "content_coding": the request's body is coded.
Result<Done> check_content_encoding(const Request& request);

}  // namespace viaduct::api::rest
