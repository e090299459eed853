// What members may ask for and change: what is their tenant's, and nothing else. Objects that are not are as if they were not
// there (Context); what is the operators' is refused here by its path, before anything is read.
#include <algorithm>

#include "api/rest/call.hpp"
#include "api/rest/tenancy.hpp"

namespace viaduct::api::rest {
namespace {

Failure forbidden(std::string message) {
  return {ExitCode::refused, "forbidden", std::move(message), "ask as a user with the role admin", {}};
}

bool is_nobodys(Kind kind) {
  auto rule = std::ranges::find(owner_rules(), kind, &OwnerRule::kind);
  return rule == owner_rules().end() || rule->by == OwnerRule::By::nobody;
}

bool has_tenant(Kind kind) {
  auto rule = std::ranges::find(owner_rules(), kind, &OwnerRule::kind);
  return rule != owner_rules().end() && rule->by == OwnerRule::By::tenant;
}

// Of a port it is a binding's, and bindings are the operators'.
constexpr std::string_view kInterface = "interface";

std::vector<Uuid> references_in(const Value& value) {
  if (const auto* one = std::get_if<Uuid>(&value)) return one->is_nil() ? std::vector<Uuid>() : std::vector<Uuid>{*one};
  const auto* several = std::get_if<std::vector<Uuid>>(&value);
  return several == nullptr ? std::vector<Uuid>() : *several;
}

bool may_see(Context& context, const Field& field, const Uuid& id) {
  if (context.find(field.target, id)) return true;
  return std::ranges::any_of(field.also, [&](Kind kind) { return static_cast<bool>(context.find(kind, id)); });
}

// Only what it did not name before.
Result<Done> check_references(Context& context, const Record& now, const Record* before) {
  for (const Field& field : now.info().fields) {
    if (!now.changed(field.name)) continue;
    const bool same = before != nullptr && before->get(field.name) == now.get(field.name);
    if (same) continue;
    if (now.kind() == Kind::PORT && field.name == kInterface && now.get(field.name) != Value(std::string()) &&
        now.get(field.name) != Value{}) {
      return forbidden("interfaces of hosts are bound by operators");
    }
    const auto known = before == nullptr ? std::vector<Uuid>() : references_in(before->get(field.name));
    for (const Uuid& id : references_in(now.get(field.name))) {
      if (std::ranges::find(known, id) != known.end() || may_see(context, field, id)) continue;
      if (const auto failure = context.failure()) return *failure;
      // As if it were not there.
      return Failure{ExitCode::refused,
                     "not_found",
                     "there is no " + std::string(info(field.target).name) + " " + id.to_string() +
                         " that could be named as " + std::string(field.option),
                     {},
                     {}};
    }
  }
  return Done{};
}

Result<Done> check_change(Context& context, Operation& operation) {
  const std::string& tenant = *context.tenant();
  Record& record = operation.record;
  if (is_nobodys(record.kind())) return forbidden("a " + std::string(record.info().name) + " is the operators'");
  std::optional<Record> before;
  if (operation.action != Operation::Action::create) {
    auto stored = context.find(record.kind(), record.id());
    if (!stored) return stored.failure();
    before = std::move(*stored);
  }
  if (operation.action == Operation::Action::remove) return Done{};
  if (has_tenant(record.kind())) {
    const auto* said = std::get_if<std::string>(&record.get("tenant"));
    if (said != nullptr && !said->empty() && *said != tenant) {
      return forbidden("the tenant is " + tenant + ", and not " + *said);
    }
    record.set("tenant", tenant);
  }
  if (!context.visible(record)) {
    if (const auto failure = context.failure()) return *failure;
    return forbidden("it would not be the tenant's");
  }
  return check_references(context, record, before ? &*before : nullptr);
}

}  // namespace

Result<Done> confine(Context& context, std::vector<Operation>& operations) {
  if (!context.tenant()) return Done{};
  for (Operation& each : operations) {
    auto allowed = check_change(context, each);
    if (!allowed) return allowed;
  }
  return Done{};
}

Failure without_names(Context& context, Failure failure) {
  if (!failure.violations.empty()) failure.message.clear();  // it repeats what they say
  for (Violation& violation : failure.violations) {
    for (const Mention& mention : violation.mentions) {
      const KindInfo* kind = find_kind(mention.kind);
      const auto id = Uuid::parse(mention.id);
      if (kind != nullptr && id && context.find(kind->kind, *id)) continue;
      std::string general = "another " + mention.kind;
      std::ranges::replace(general, '-', ' ');
      for (std::string* text : {&violation.message, &violation.cure}) {
        for (size_t at = text->find(mention.label); at != text->npos; at = text->find(mention.label, at)) {
          text->replace(at, mention.label.size(), general);
          at += general.size();
        }
      }
    }
    violation.mentions.clear();
  }
  return failure;
}

Result<Done> admit(const Call& call) {
  const auto& tenant = call.context.tenant();
  if (!tenant) return Done{};
  const std::string* asked = call.request.parameter("tenant_id");
  if (asked != nullptr && *asked != *tenant) return forbidden("the tenant is " + *tenant + ", and not " + *asked);
  const auto& path = call.path;
  if (path.empty() || path[0] == "openapi.json" || path[0] == "transactions") return Done{};
  const Resource* resource = find_resource(path[0]);
  if (resource == nullptr && path[0] != "system_state" && path[0] != "prometheus")
    return Done{};  // there is none, or in a later version
  bool operators = resource == nullptr || is_nobodys(resource->kind);
  for (const Collection& each : collections()) {
    const bool below = path.size() > 2 && each.parent == path[0] && std::ranges::find(path, each.name) != path.end();
    operators = operators || (below && is_nobodys(each.of->kind));
  }
  return operators ? Result<Done>(forbidden(call.whole_path() + " is for operators")) : Result<Done>(Done{});
}

}  // namespace viaduct::api::rest
