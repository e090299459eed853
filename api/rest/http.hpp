// A request and an answer of HTTP as values: what the server (server.hpp) reads and writes, and all that the rest of the
// folder knows of HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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

// A body that is made while it is sent. The server's threads call it, one at a time; close() may come in between.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  // Writes at most `most` bytes, and says how many; 0: nothing now, or it has ended.
  virtual size_t read(char* to, size_t most) = 0;
  virtual bool ended() const = 0;
  // `wake` is called once, by any thread, when there is something to read or the body has ended; perhaps before this returns.
  virtual void await(std::function<void()> wake) = 0;
  // Ends it: nobody reads any more, or the server stops. Again: nothing.
  virtual void close() = 0;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::string media_type = {};              // of the body
  std::shared_ptr<BodyStream> stream = {};  // instead of the body
};

std::string_view to_string(Method method);  // "GET"; other: "?"

// The segments of a path, percent-decoded; nothing when an escape is broken, or hides a slash, a dot segment or a control
// character. "/a//b/" has the segments "a" and "b".
bool split_path(std::string_view path, std::vector<std::string>& segments);
// For a segment of a path: all but the unreserved characters of RFC 3986 is escaped.
std::string encode_segment(std::string_view text);

}  // namespace viaduct::api::rest
