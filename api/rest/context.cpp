#include <algorithm>

#include "api/rest/document.hpp"
#include "api/rest/tenancy.hpp"

namespace viaduct::api::rest {

namespace {

Failure no_such(Kind kind, const Uuid& id) {
  return {ExitCode::refused, "not_found", "there is no " + std::string(info(kind).name) + " " + id.to_string(), {}, {}};
}

}  // namespace

bool Context::visible(const Record& record) {
  if (!tenant_) return true;
  const auto above = [this](Kind kind, const Uuid& id) -> std::optional<Record> {
    if (auto known = above_.find(id); known != above_.end()) return known->second;
    auto found = find_any(kind, id);
    if (!found) return std::nullopt;
    return above_.emplace(id, *found).first->second;
  };
  return owner_of(record, above) == *tenant_;
}

Result<Record> Context::find(Kind kind, const Uuid& id) {
  auto found = find_any(kind, id);
  if (!found || visible(*found)) return found;
  return failure_ ? *failure_ : no_such(kind, id);
}

Result<Record> Context::find_any(Kind kind, const Uuid& id) {
  if (gathered_ != nullptr) {
    auto at = std::ranges::find_if(
        *gathered_, [&](const Operation& each) { return each.record.kind() == kind && each.record.id() == id; });
    if (at != gathered_->end() && at->action != Operation::Action::remove) return at->record;
  }
  auto found = client_.list({kind}, id.to_string());
  if (!found) {
    failure_ = found.failure();
    return found.failure();
  }
  auto at = std::ranges::find_if(*found, [&](const Record& record) { return record.id() == id; });
  if (at != found->end()) return std::move(*at);
  return no_such(kind, id);
}

Result<std::vector<Record>> Context::naming(Kind kind, std::string_view field, const Uuid& id) {
  auto found = client_.list_naming({kind}, id);
  if (!found) {
    failure_ = found.failure();
    return found;
  }
  for (const Operation& each : gathered_ == nullptr ? std::vector<Operation>() : *gathered_) {
    if (each.record.kind() != kind) continue;
    std::erase_if(*found, [&](const Record& record) { return record.id() == each.record.id(); });
    if (each.action != Operation::Action::remove) found->push_back(each.record);
  }
  std::erase_if(*found, [&](const Record& record) { return record.reference(field) != id || !visible(record); });
  if (tenant_ && failure_) return *failure_;
  return found;
}

const std::vector<Record>& Context::rules_of(const Uuid& chain) {
  auto at = rules_.find(chain);
  if (at != rules_.end()) return at->second;
  auto& rules = rules_[chain];
  if (auto found = naming(Kind::RULE, "chain", chain)) rules = std::move(*found);
  std::ranges::sort(rules, {}, [](const Record& rule) {
    const auto* position = std::get_if<uint64_t>(&rule.get("position"));
    return position == nullptr ? 0 : *position;
  });
  return rules;
}

const std::string& Context::name_of(Kind kind, const Uuid& id) {
  const auto [at, is_new] = names_.try_emplace(id);
  if (!is_new || id.is_nil()) return at->second;
  if (auto found = find(kind, id)) at->second = found->name();
  return at->second;
}

const Json& Context::status() {
  if (!status_) {
    auto answer =
        client_.ask([](schema::AdminRequest::Builder request) { request.setStatus(); }, schema::AdminReply::STATUS);
    status_ = answer ? *answer : Json(nullptr);
    if (!answer) failure_ = answer.failure();
  }
  return *status_;
}

}  // namespace viaduct::api::rest
