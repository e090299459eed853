// POST transactions: many changes that succeed or fail together.
#include "api/rest/call.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

constexpr size_t kMostOperations = 10'000;
constexpr int kAttempts = 3;

Failure invalid(std::string field, std::string message) {
  Failure failure{ExitCode::refused, "invalid", {}, {}, {}};
  failure.violations.push_back({"invalid", {}, {}, {}, std::move(field), std::move(message), {}});
  return failure;
}

std::string name_of(size_t index) { return "operations[" + std::to_string(index) + "]"; }

std::string text_at(const Json& object, const char* name) {
  auto at = object.find(name);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// The request that the operation stands for. The path is as in URIs, behind the root.
Result<Request> request_of(const Json& operation, size_t index) {
  if (!operation.is_object()) return invalid(name_of(index), "must be an object");
  Request request;
  const std::string method = text_at(operation, "method");
  request.method = method == "POST"     ? Method::post
                   : method == "PUT"    ? Method::put
                   : method == "DELETE" ? Method::remove
                                        : Method::other;
  if (request.method == Method::other) return invalid(name_of(index) + ".method", "must be POST, PUT or DELETE");
  request.path = text_at(operation, "path");
  if (request.path.empty() || request.path.find('?') != std::string::npos) {
    return invalid(name_of(index) + ".path", "must be a path behind the root, as in bridges, without a query");
  }
  auto body = operation.find("body");
  if (body != operation.end() && !body->is_null()) request.body = body->dump();
  return request;
}

// As a request of its own would be answered; what it changes is gathered.
Answer perform(Context& context, const Json& operation, size_t index) {
  auto request = request_of(operation, index);
  if (!request) return request.failure();
  std::vector<std::string> path;
  if (!split_path(request->path, path) || path.empty() || path[0] == "transactions") {
    return invalid(name_of(index) + ".path", "is none that a transaction may have");
  }
  Call call{*request, std::move(path), context, {}};
  auto answer = dispatch(call);
  if (answer) return answer;
  Failure failure = answer.failure();
  failure.message = name_of(index) + " (" + std::string(to_string(request->method)) + " " + request->path +
                    "): " + (failure.message.empty() ? "is refused" : failure.message);
  for (Violation& violation : failure.violations) {
    violation.field = name_of(index) + (violation.field.empty() ? "" : ".body." + violation.field);
  }
  // Without a body of its own a 405 or 406 would not say which operation it is.
  if (failure.code == "method" || failure.code == "not_acceptable") failure.code = "invalid";
  return failure;
}

Json result_of(const Response& response) {
  Json out = {{"status", response.status}};
  for (const auto& [name, value] : response.headers) {
    if (name == "Location") out["location"] = value;
  }
  return out;
}

}  // namespace

Answer answer_transactions(Call& call) {
  if (call.method() != Method::post) return no_such_verb(call.method(), call.whole_path());
  auto body = body_of(call);
  if (!body) return body.failure();
  const auto operations = body->is_object() ? body->find("operations") : body->end();
  if (!body->is_object() || operations == body->end() || !operations->is_array() || operations->empty()) {
    return invalid("operations", "must be an array of {\"method\", \"path\", \"body\"}");
  }
  if (operations->size() > kMostOperations) {
    return invalid("operations", "has more than " + std::to_string(kMostOperations) + " entries: split it");
  }
  for (int attempt = 1;; ++attempt) {
    Context context = call.context.fresh();
    std::vector<Operation> gathered;
    context.gather(&gathered);
    Json results = Json::array();
    for (size_t i = 0; i < operations->size(); ++i) {
      auto answer = perform(context, operations->at(i), i);
      if (!answer) return answer.failure();
      results.push_back(result_of(*answer));
    }
    auto outcome = transact(call, gathered);
    if (!outcome && met_another(outcome.failure()) && attempt < kAttempts) continue;
    if (!outcome) return outcome.failure();
    Response response = committed(call, *outcome, 200);
    if (call.mode.dry_run) return response;
    Response whole =
        json_response({{"revision", outcome->at("revision")}, {"results", results}}, std::string(kJsonType));
    whole.headers = std::move(response.headers);
    return whole;
  }
}

}  // namespace viaduct::api::rest
