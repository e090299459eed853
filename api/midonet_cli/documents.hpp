// The documents of a REST API: read, listed, created, replaced, removed; statuses as failures.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/client/value.hpp"
#include "api/midonet_cli/rest_source.hpp"

namespace viaduct::api::midonet_cli {

struct Document {
  Json json;
  std::string tag = {};  // of this state (ETag); empty: the server knows none
};

class Documents {
 public:
  using Query = std::vector<std::pair<std::string, std::string>>;
  using Trace = std::function<void(const std::string& line)>;

  explicit Documents(RestSource& source) : source_(source) {}

  Result<std::vector<Json>> list(const std::string& path, const Query& query = {});
  Result<Document> read(const std::string& path);
  // What has become of it: the document that the answer's Location names.
  Result<Document> create(const std::string& path, const Json& body);
  // "precondition": somebody else has changed it since `tag`.
  Result<Done> replace(const std::string& path, const Json& body, const std::string& tag);
  Result<Done> remove(const std::string& path);

  // Where a document is, behind the root; from its member "uri".
  Result<std::string> path_of(const Json& document) const;
  // Each request and answer as a line, without passwords; empty: none.
  void trace(Trace trace) { trace_ = std::move(trace); }

  RestSource& source() { return source_; }

 private:
  Result<rest::Response> ask(rest::Method method, const std::string& path, const Query& query, const Json& body,
                             const std::string& tag);
  Result<std::string> behind_root(const std::string& uri) const;

  RestSource& source_;
  Trace trace_;
};

}  // namespace viaduct::api::midonet_cli
