// What every part of the folder reads from a call, and writes back.
#include "api/rest/call.hpp"

#include <algorithm>

namespace viaduct::api::rest {
namespace {

constexpr int kMaxDepth = 32;  // of a JSON body

}  // namespace

std::string Call::path_from(size_t from) const {
  std::string out;
  for (size_t i = from; i < path.size(); ++i) out += (out.empty() ? "" : "/") + path[i];
  return out;
}

Result<Json> body_of(const Call& call) {
  if (call.request.body.empty()) return Json(Json::object());
  std::string error;
  bool too_deep = false;
  auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) too_deep = true;
    return !too_deep;
  };
  try {
    Json body = Json::parse(call.request.body, limit_depth);
    if (!too_deep) return body;
  } catch (const Json::exception& e) {
    error = too_deep ? "" : e.what();
    if (const size_t end = error.find("] "); end != std::string::npos) error.erase(0, end + 2);
  }
  if (too_deep) error = "it is nested deeper than " + std::to_string(kMaxDepth) + " levels";
  return Failure{ExitCode::refused, "malformed", "the body is no JSON: " + error, {}, {}};
}

Result<Uuid> id_of(const Call& call, size_t segment) {
  auto id = Uuid::parse(call.path.at(segment));
  if (id) return *id;
  return Failure{ExitCode::refused, "not_found", "'" + call.path.at(segment) + "' is no UUID", {}, {}};
}

Response json_response(const Json& json, std::string media_type) {
  Response response;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.media_type = std::move(media_type);
  return response;
}

bool met_another(const Failure& failure) {
  return std::ranges::any_of(failure.violations, [](const Violation& violation) {
    return violation.rule == "revision_conflict" || violation.rule == "position_in_use";
  });
}

}  // namespace viaduct::api::rest
