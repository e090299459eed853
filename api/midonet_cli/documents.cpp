#include "api/midonet_cli/documents.hpp"

#include <algorithm>
#include <cctype>

namespace viaduct::api::midonet_cli {
namespace {

std::string header(const rest::Response& response, std::string_view wanted) {
  for (const auto& [name, value] : response.headers) {
    const bool same = std::ranges::equal(
        name, wanted, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
    if (same) return value;
  }
  return {};
}

std::string text_at(const Json& json, const char* name) {
  if (!json.is_object()) return {};
  auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

struct Meaning {
  int status;
  ExitCode exit;
  std::string_view code;
  std::string_view message;  // when the answer has none
};
constexpr std::array kMeanings = std::to_array<Meaning>({
    {400, ExitCode::refused, "invalid", "the API refuses this"},
    {401, ExitCode::refused, "unauthorized", "the API does not know who asks"},
    {403, ExitCode::refused, "forbidden", "this user may not do this"},
    {404, ExitCode::refused, "not_found", "there is no such object"},
    {405, ExitCode::refused, "method", "the API does not offer this"},
    {406, ExitCode::refused, "not_acceptable", "the API does not offer this"},
    {409, ExitCode::refused, "conflict", "this conflicts with what is there"},
    {412, ExitCode::refused, "precondition", "somebody else has changed the object"},
    {501, ExitCode::refused, "unsupported", "the API does not have this"},
    {503, ExitCode::unreachable, "unavailable", "the API cannot answer at the moment"},
    {504, ExitCode::timeout, "timeout", "the API has not answered in time"},
});

Failure failure_of(const rest::Response& response) {
  const Json body = Json::parse(response.body, nullptr, false);
  auto at = std::ranges::find(kMeanings, response.status, &Meaning::status);
  Failure out{ExitCode::refused,
              "status_" + std::to_string(response.status),
              "the API has answered with status " + std::to_string(response.status),
              {},
              {}};
  if (at != kMeanings.end()) out = {at->exit, std::string(at->code), std::string(at->message), {}, {}};
  if (const std::string said = text_at(body, "message"); !said.empty()) out.message = said;
  if (response.status == 401) out.cure = "log in: --user, and a password in ~/.midonetrc or by -p";
  if (!body.is_object() || !body.contains("violations") || !body["violations"].is_array()) return out;
  for (const Json& each : body["violations"]) {
    Violation violation;
    violation.field = text_at(each, "property");
    violation.message = text_at(each, "message");
    out.violations.push_back(std::move(violation));
  }
  if (!out.violations.empty()) out.message = "the API refuses this";
  return out;
}

Failure no_document(const std::string& path) {
  return {ExitCode::refused,
          "protocol",
          "the answer for " + path + " is no document",
          "is the server a REST API of MidoNet's?",
          {}};
}

// What is nobody's business, wherever it is.
Json without_secrets(const Json& json) {
  if (json.is_array()) {
    Json out = Json::array();
    for (const Json& each : json) out.push_back(without_secrets(each));
    return out;
  }
  if (!json.is_object()) return json;
  Json out = json;
  if (out.contains("password") && !out["password"].is_null()) out["password"] = "…";
  return out;
}

std::string printed(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return text.empty() ? "" : " (" + std::to_string(text.size()) + " bytes)";
  return " " + without_secrets(json).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<rest::Response> Documents::ask(rest::Method method, const std::string& path, const Query& query,
                                      const Json& body, const std::string& tag) {
  rest::Request request{.method = method, .path = path, .query = query};
  if (!body.is_null()) {
    request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    request.headers["content-type"] = "application/json";
  }
  if (method == rest::Method::get) request.headers["accept"] = "application/json";
  if (!tag.empty()) request.headers["if-match"] = tag;
  if (trace_) trace_("> " + std::string(rest::to_string(method)) + " " + path + printed(request.body));
  auto response = source_.answer(request);
  if (!response) return response.failure();
  if (trace_) trace_("< " + std::to_string(response->status) + printed(response->body));
  if (response->status >= 300) return failure_of(*response);
  return response;
}

Result<std::vector<Json>> Documents::list(const std::string& path, const Query& query) {
  auto response = ask(rest::Method::get, path, query, nullptr, {});
  if (!response) return response.failure();
  const Json json = Json::parse(response->body, nullptr, false);
  if (!json.is_array()) return no_document(path);
  std::vector<Json> out(json.begin(), json.end());
  if (std::ranges::any_of(out, [](const Json& each) { return !each.is_object(); })) return no_document(path);
  return out;
}

Result<Document> Documents::read(const std::string& path) {
  auto response = ask(rest::Method::get, path, {}, nullptr, {});
  if (!response) return response.failure();
  Document out{Json::parse(response->body, nullptr, false), header(*response, "etag")};
  if (!out.json.is_object()) return no_document(path);
  return out;
}

Result<Document> Documents::create(const std::string& path, const Json& body) {
  auto response = ask(rest::Method::post, path, {}, body, {});
  if (!response) return response.failure();
  const std::string where = header(*response, "location");
  if (where.empty())
    return Failure{ExitCode::refused,
                   "protocol",
                   "the API has created something in " + path + ", and does not say where",
                   "list it",
                   {}};
  auto behind = behind_root(where);
  if (!behind) return behind.failure();
  return read(*behind);
}

Result<Done> Documents::replace(const std::string& path, const Json& body, const std::string& tag) {
  auto response = ask(rest::Method::put, path, {}, body, tag);
  if (!response) return response.failure();
  return Done{};
}

Result<Done> Documents::remove(const std::string& path) {
  auto response = ask(rest::Method::remove, path, {}, nullptr, {});
  if (!response) return response.failure();
  return Done{};
}

Result<std::string> Documents::behind_root(const std::string& uri) const {
  const size_t scheme = uri.find("://");
  const size_t begin = scheme == uri.npos ? 0 : uri.find('/', scheme + 3);
  const std::string wanted = source_.root() + "/";
  if (begin != uri.npos && uri.compare(begin, wanted.size(), wanted) == 0) return uri.substr(begin + wanted.size());
  return Failure{ExitCode::refused,
                 "protocol",
                 "the URI " + uri + " is not below " + source_.root(),
                 "is there a proxy that changes paths, or another root_uri?",
                 {}};
}

Result<std::string> Documents::path_of(const Json& document) const {
  const std::string uri = text_at(document, "uri");
  if (uri.empty()) return no_document("an object, which has no uri,");
  return behind_root(uri);
}

}  // namespace viaduct::api::midonet_cli
