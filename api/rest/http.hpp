// A request and an answer of HTTP as values: what the server (server.hpp) reads and writes, and all that the rest of the
// folder knows of HTTP.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viaduct::api::rest {

enum class Method : uint8_t { get, post, put, remove, options, other };

// Names of header fields in lower case (RFC 9110, 5.1).
using Headers = std::map<std::string, std::string, std::less<>>;

struct Request {
  Method method = Method::get;
  std::string path = {};                                        // as sent: still percent-encoded, without the query
  std::vector<std::pair<std::string, std::string>> query = {};  // decoded
  Headers headers = {};
  std::string body = {};
  std::string peer = {};  // address, for the audit log
  std::string id = {};    // X-Request-Id, of the client or made for it
  bool encrypted = false;

  std::string_view header(std::string_view name) const;       // empty: absent
  const std::string* parameter(std::string_view name) const;  // of the query, the first; null: absent
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::string media_type = {};  // of the body
};

std::string_view to_string(Method method);  // "GET"; other: "?"

// The segments of a path, percent-decoded; nothing when an escape is broken, or hides a slash, a dot segment or a control
// character. "/a//b/" has the segments "a" and "b".
bool split_path(std::string_view path, std::vector<std::string>& segments);
// For a segment of a path: all but the unreserved characters of RFC 3986 is escaped.
std::string encode_segment(std::string_view text);

}  // namespace viaduct::api::rest
