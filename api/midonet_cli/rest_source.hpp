// Somewhere that answers REST requests: a daemon's socket, or a server by its URL.
#pragma once

#include <string>

#include "api/client/outcome.hpp"
#include "api/rest/http.hpp"

namespace viaduct::api::midonet_cli {

class RestSource {
 public:
  RestSource() = default;
  RestSource(const RestSource&) = delete;
  RestSource& operator=(const RestSource&) = delete;
  virtual ~RestSource() = default;

  // `request.path` is behind the root: "bridges/…"; still percent-encoded. Blocks, at most for the source's time-out. A failure:
  // there was no answer, or nobody who may ask ("unauthorized").
  virtual Result<rest::Response> answer(const rest::Request& request) = 0;
  // The path of the root, to find it in the URIs of documents: "/midonet-api".
  virtual const std::string& root() const = 0;
  // Which topology this is, for the aliases of it: an address or a URL, without spaces.
  virtual const std::string& name() const = 0;
};

}  // namespace viaduct::api::midonet_cli
