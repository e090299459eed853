#include "api/rest/problem.hpp"

#include <algorithm>
#include <array>

#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

struct Status {
  std::string_view code;
  int status;
};
// Failure::code. What is not here is a 400.
constexpr std::array kStatuses = std::to_array<Status>({{"unauthorized", 401},
                                                        {"forbidden", 403},
                                                        {"not_found", 404},
                                                        {"method", 405},
                                                        {"not_acceptable", 406},
                                                        {"conflict", 409},
                                                        {"precondition", 412},
                                                        {"media_type", 415},
                                                        {"content_coding", 415},
                                                        {"slow_down", 429},
                                                        {"internal", 500},
                                                        {"protocol", 500},
                                                        {"unsupported", 501},
                                                        {"unavailable", 503},
                                                        {"unreachable", 503},
                                                        {"timeout", 503}});
// Violation::rule of the topology. What is not here is a 400.
constexpr std::array kRules = std::to_array<Status>({{"unknown_object", 404},
                                                     {"unknown_parent", 404},
                                                     {"unknown_reference", 404},
                                                     {"duplicate_id", 409},
                                                     {"duplicate_name", 409},
                                                     {"revision_conflict", 409},
                                                     {"still_referenced", 409},
                                                     {"interface_already_bound", 409},
                                                     {"port_already_bound", 409},
                                                     {"port_already_linked", 409},
                                                     {"host_already_in_zone", 409},
                                                     {"already_in_group", 409},
                                                     {"load_balancer_in_use", 409},
                                                     {"position_in_use", 409}});

template <size_t N>
int find(const std::array<Status, N>& table, std::string_view code) {
  auto at = std::ranges::find_if(table, [&](const Status& each) { return each.code == code; });
  return at == table.end() ? 400 : at->status;
}

std::string sentence(const Violation& violation) {
  std::string text = violation.message;
  if (!violation.cure.empty()) text += (text.empty() ? "" : " ") + violation.cure;
  return text;
}

}  // namespace

int status_of(const Failure& failure) {
  if (failure.violations.empty()) return find(kStatuses, failure.code);
  int status = 0;
  for (const Violation& violation : failure.violations) status = std::max(status, find(kRules, violation.rule));
  return status;
}

Response problem(const Failure& failure, const std::string& request_id) {
  Response response;
  response.status = status_of(failure);
  if (response.status == 405 || response.status == 406) return response;  // as MidoNet
  std::string message = failure.message;
  if (!failure.cure.empty()) message += (message.empty() ? "" : "; ") + failure.cure;
  Json body = {{"message", message}, {"code", response.status}};
  if (!request_id.empty()) body["requestId"] = request_id;
  if (!failure.violations.empty()) {
    Json list = Json::array();
    std::string all;
    for (const Violation& violation : failure.violations) {
      Json entry = {{"property", violation.field}, {"message", sentence(violation)}};
      if (std::find(list.begin(), list.end(), entry) != list.end()) continue;  // of both ports of a link
      list.push_back(std::move(entry));
      all += (all.empty() ? "" : " ") + (violation.field.empty() ? "" : violation.field + ": ") + sentence(violation);
    }
    body["message"] = all;
    if (response.status == 400) body["violations"] = std::move(list);
  }
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.media_type = error_type();
  if (failure.code == "content_coding") response.headers.emplace_back("Accept-Encoding", "identity");
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"viaduct\"");
  if (response.status == 503 || response.status == 429) {
    const std::string seconds = std::to_string(failure.retry_after_s == 0 ? 3 : failure.retry_after_s);
    response.headers.emplace_back("RetryAfter", seconds);  // MidoNet's spelling
    response.headers.emplace_back("Retry-After", seconds);
  }
  return response;
}

Failure in_members(Failure failure, const Resource& resource) {
  for (Violation& violation : failure.violations) {
    const std::string_view member = member_of(resource, violation.field);
    if (!member.empty()) violation.field = member;
  }
  return failure;
}

Failure no_such_path(std::string_view path) {
  return {ExitCode::refused,
          "not_found",
          "there is no resource " + std::string(path),
          "GET of the root lists all resources",
          {}};
}
Failure no_such_verb(Method method, std::string_view path) {
  return {ExitCode::refused, "method", std::string(path) + " has no " + std::string(to_string(method)), {}, {}};
}
Failure not_acceptable() {
  return {ExitCode::refused, "not_acceptable", "the resource has no document of an accepted type", {}, {}};
}
Failure unsupported(std::string message, std::string cure) {
  return {ExitCode::refused, "unsupported", std::move(message), std::move(cure), {}};
}

}  // namespace viaduct::api::rest
