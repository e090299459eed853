// Changes on their way to the daemon: at once, or gathered for a transaction.
#include <algorithm>

#include "api/rest/call.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

// A transaction names each object once: what is said of one again goes into what was said before.
void gather(const Operation& operation, std::vector<Operation>& gathered) {
  auto at = std::ranges::find_if(gathered, [&](const Operation& each) {
    return each.record.kind() == operation.record.kind() && each.record.id() == operation.record.id();
  });
  if (at == gathered.end()) {
    gathered.push_back(operation);
  } else if (operation.action == Operation::Action::remove && at->action == Operation::Action::create) {
    gathered.erase(at);
  } else if (at->action == Operation::Action::create) {
    at->record = operation.record;
  } else {
    *at = operation;
  }
}

}  // namespace

Result<Json> transact(Call& call, const std::vector<Operation>& operations) {
  auto outcome = call.context.client().transact(operations, call.mode);
  if (!call.context.tenant()) return outcome;
  if (!outcome) return without_names(call.context, outcome.failure());
  // What changes along with it may be somebody else's.
  Json own = Json::array();
  for (const Json& change : outcome->at("changes")) {
    const std::string id = change.value("object", Json::object()).value("id", std::string());
    const bool named =
        std::ranges::any_of(operations, [&](const Operation& each) { return each.record.id().to_string() == id; });
    if (named) own.push_back(change);
  }
  (*outcome)["changes"] = std::move(own);
  return outcome;
}

Result<Json> commit(Call& call, const Resource& resource, std::vector<Operation> operations) {
  auto allowed = confine(call.context, operations);
  if (!allowed) return in_members(allowed.failure(), resource);
  if (auto* gathered = call.context.gathered()) {
    for (const Operation& each : operations) gather(each, *gathered);
    return Json{{"changes", Json::array()}, {"revision", 0}, {"applied", false}};
  }
  auto outcome = transact(call, operations);
  if (!outcome) return in_members(outcome.failure(), resource);
  return outcome;
}

Response committed(const Call& call, const Json& outcome, int status) {
  if (call.mode.dry_run) return json_response({{"changes", outcome.at("changes")}}, std::string(kJsonType));
  Response response{.status = status};
  if (call.mode.wait_applied) {
    response.headers.emplace_back("Viaduct-Applied", outcome.value("applied", false) ? "true" : "false");
  }
  return response;
}

}  // namespace viaduct::api::rest
