// GET, POST, PUT and DELETE of the resources of the table.
#include <algorithm>

#include "api/rest/call.hpp"
#include "api/rest/etag.hpp"
#include "api/rest/local_routes.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

constexpr int kAttempts = 3;  // of a read-modify-write that meets another (MidoNet: zookeeper.transaction_attempts)

Result<Done> check_precondition(const Call& call, const Record& record) {
  const std::string_view wanted = call.request.header("if-match");
  if (wanted.empty() || names_version(wanted, record.revision(), TagComparison::strong)) return Done{};
  return Failure{ExitCode::refused,
                 "precondition",
                 "the object has changed: it is " + etag_of(record.revision()) + ", not " + std::string(wanted),
                 "read it again, and repeat the change",
                 {}};
}

Result<Done> check_body_type(const Call& call, const Resource& resource) {
  if (consumes(call.request.header("content-type"), resource)) return Done{};
  if (!resource.declared) return not_acceptable();
  return Failure{ExitCode::refused,
                 "media_type",
                 "a body of the type " + std::string(call.request.header("content-type")) + " is not understood",
                 "send " + vendor_type(resource.media, resource.versions.front()) + " or application/json",
                 {}};
}

Answer document_of(Call& call, const Resource& resource, const Record& record) {
  if (!call.context.visible(record)) return no_such_path(call.whole_path());
  const auto type = acceptable(call.request.header("accept"), resource, Form::one);
  if (!type) return not_acceptable();
  Response response;
  if (names_version(call.request.header("if-none-match"), record.revision(), TagComparison::weak)) {
    response.status = 304;
  } else {
    response = json_response(Emission(resource, record, call.context).document(), *type);
  }
  if (const auto failure = call.context.failure()) return *failure;
  response.headers.emplace_back("ETag", etag_of(record.revision()));
  return response;
}

// A new object; `below`: null for a collection at the root.
Result<Operation> new_object(Call& call, const Resource& resource, const Json& body, const Below* below,
                             std::vector<Operation>& along) {
  Uuid id = Uuid::random();
  Record blank(resource.kind, id);
  if (body.is_object() && std::ranges::any_of(resource.members, [](const Member& m) { return m.shape == Shape::id; })) {
    Intake reader(resource, body, blank, Intent::create, call.context);
    auto given = reader.id("id", reader.given("id"));
    if (!given) {
      return Failure{ExitCode::refused, "invalid", {}, {}, {{"invalid", {}, {}, {}, "id", "must be a UUID", {}}}};
    }
    if (!given->is_nil()) id = *given;
  }
  Operation create{Operation::Action::create, Record(resource.kind, id)};
  Json whole = body;
  if (below != nullptr) {
    create.record.set(below->collection->field, below->parent);
    const std::string member(member_of(resource, below->collection->field));
    if (whole.is_object() && !member.empty()) whole[member] = below->parent.to_string();
    if (whole.is_object() && below->vlan) whole["vlanId"] = *below->vlan;
  }
  Intake intake(resource, whole, create.record, Intent::create, call.context);
  auto taken = intake.take();
  if (!taken) return taken.failure();
  if (const auto failure = call.context.failure()) return *failure;
  along = std::move(intake.along());
  return create;
}

Answer create_object(Call& call, const Resource& resource, const Below* below) {
  auto checked = check_body_type(call, resource);
  if (!checked) return checked.failure();
  auto body = body_of(call);
  if (!body) return body.failure();
  for (int attempt = 1;; ++attempt) {
    Context fresh = call.context.fresh();
    Call again{call.request, call.path, fresh, call.mode};
    std::vector<Operation> operations;
    auto create = new_object(again, resource, *body, below, operations);
    if (!create) return create.failure();
    operations.push_back(*create);
    auto outcome = commit(call, resource, operations);
    if (!outcome && met_another(outcome.failure()) && attempt < kAttempts) continue;
    if (!outcome) return outcome.failure();
    Response response = committed(call, *outcome, 201);
    if (response.status == 200) return response;  // a dry run
    response.headers.emplace_back("Location", Emission(resource, create->record, call.context).uri());
    response.headers.emplace_back("ETag", etag_of(outcome->value("revision", uint64_t{0})));
    return response;
  }
}

Answer update_object(Call& call, const Resource& resource, const Uuid& id) {
  auto checked = check_body_type(call, resource);
  if (!checked) return checked.failure();
  auto body = body_of(call);
  if (!body) return body.failure();
  for (int attempt = 1;; ++attempt) {
    auto stored = call.context.find(resource.kind, id);
    if (!stored) return stored.failure();
    auto allowed = check_precondition(call, *stored);
    if (!allowed) return allowed.failure();
    Operation update{Operation::Action::update, *stored};
    Intake intake(resource, *body, update.record, Intent::update, call.context);
    auto taken = intake.take();
    if (!taken) return taken.failure();
    if (const auto failure = call.context.failure()) return *failure;
    std::vector<Operation> operations = std::move(intake.along());
    operations.push_back(std::move(update));
    auto outcome = commit(call, resource, operations);
    if (!outcome && met_another(outcome.failure()) && attempt < kAttempts) continue;
    if (!outcome) return outcome.failure();
    return committed(call, *outcome, resource.kind == Kind::HOST ? 200 : 204);
  }
}

Answer remove_object(Call& call, const Resource& resource, const Record& record) {
  auto allowed = check_precondition(call, record);
  if (!allowed) return allowed.failure();
  auto operations = without_group(call.context, record);
  if (!operations) return operations.failure();
  operations->push_back({Operation::Action::remove, record});
  auto outcome = commit(call, resource, std::move(*operations));
  if (!outcome) {
    Failure failure = outcome.failure();
    const bool gone = std::ranges::any_of(failure.violations, [](const auto& v) { return v.rule == "unknown_object"; });
    if (gone && !resource.missing_is_404) return Response{.status = 204};
    return failure;
  }
  return committed(call, *outcome, resource.kind == Kind::HOST ? 200 : 204);
}

// MidoNet: not while its agent is at work, and not while ports are bound to it.
Result<Done> check_host_removal(Call& call, const Record& host) {
  if (host.kind() != Kind::HOST) return Done{};
  const bool alive = Emission(*find_resource("hosts"), host, call.context).document().at("alive") == true;
  if (const auto failure = call.context.failure()) return *failure;
  auto bound = call.context.naming(Kind::PORT, "host", host.id());
  if (!bound) return bound.failure();
  if (!alive && bound->empty()) return Done{};
  return Failure{ExitCode::refused,
                 "forbidden",
                 "the host " + host.name() + (alive ? " is alive" : " has ports that are bound to it"),
                 alive ? "stop its agent first" : "unbind them first (hosts/{id}/ports)",
                 {}};
}

// Of a bridge's MAC tables one. A VLAN that the bridge does not know has none (MidoNet: 404).
Result<Done> keep_vlan(Call& call, const Uuid& bridge, uint64_t vlan, std::vector<Record>& entries) {
  std::erase_if(entries, [&](const Record& entry) { return entry.get("vlan") != Value(vlan); });
  if (!entries.empty() || vlan == 0) return Done{};
  auto ports = call.context.naming(Kind::PORT, "bridge", bridge);
  if (!ports) return ports.failure();
  const bool known = std::ranges::any_of(*ports, [&](const Record& port) { return port.get("vlan") == Value(vlan); });
  if (known) return Done{};
  return Failure{ExitCode::refused, "not_found", "the bridge has no VLAN " + std::to_string(vlan), {}, {}};
}

}  // namespace

Answer answer_collection(Call& call, const Resource& resource) {
  if (call.method() == Method::get && (resource.verbs & kList) != 0) {
    auto records = call.context.client().list({resource.kind}, "");
    if (!records) return records.failure();
    return list_of(call, resource, std::move(*records));
  }
  if (call.method() == Method::post && (resource.verbs & kCreate) != 0) {
    return create_object(call, resource, nullptr);
  }
  return no_such_verb(call.method(), resource.path);
}

Answer answer_object(Call& call, const Resource& resource) {
  const Method method = call.method();
  const bool offered = (method == Method::get && (resource.verbs & kGet) != 0) ||
                       (method == Method::put && (resource.verbs & kUpdate) != 0) ||
                       (method == Method::remove && (resource.verbs & kRemove) != 0);
  if (!offered) return no_such_verb(method, resource.path);
  auto id = id_of(call, 1);
  if (!id) return id.failure();
  if (method == Method::put) return update_object(call, resource, *id);
  auto record = call.context.find(resource.kind, *id);
  if (!record && resource.kind == Kind::ROUTE) {
    if (auto local = find_local_route(call.context, *id)) {
      if (method == Method::get) return document_of(call, resource, *local);
      return Failure{ExitCode::refused,
                     "conflict",
                     "the route follows from an address of a port",
                     "take the address from the port instead",
                     {}};
    }
  }
  if (method == Method::get) return record ? document_of(call, resource, *record) : Answer(record.failure());
  if (!record) {
    const bool idempotent = record.failure().code == "not_found" && !resource.missing_is_404;
    return idempotent ? Answer(Response{.status = 204}) : Answer(record.failure());
  }
  auto allowed = check_host_removal(call, *record);
  return allowed ? remove_object(call, resource, *record) : Answer(allowed.failure());
}

Answer answer_below(Call& call, const Collection& collection, const Uuid& parent) {
  const Resource& resource = *collection.of;
  const Kind parent_kind = find_resource(collection.parent)->kind;
  auto above = call.context.find(parent_kind, parent);
  if (!above) return above.failure();
  auto below = below_of(call, collection, parent);
  if (!below) return below.failure();
  const bool whole = below->whole;
  if (whole && call.method() == Method::post && (collection.verbs & kCreate) != 0) {
    return create_object(call, resource, &*below);
  }
  const bool reads = call.method() == Method::get && (collection.verbs & (whole ? kList : kGet)) != 0;
  const bool removes = !whole && call.method() == Method::remove && (collection.verbs & kRemove) != 0;
  if (!reads && !removes) return no_such_verb(call.method(), call.whole_path());
  auto records = resource.kind == Kind::RULE ? Result<std::vector<Record>>(call.context.rules_of(parent))
                                             : call.context.naming(resource.kind, collection.field, parent);
  if (!records) return records.failure();
  if (resource.kind == Kind::ROUTE) {
    auto ports = call.context.naming(Kind::PORT, "router", parent);
    if (!ports) return ports.failure();
    const auto local = local_routes(*ports), learned = call.context.facts().learned_routes(parent);
    records->insert(records->begin(), local.begin(), local.end());
    records->insert(records->end(), learned.begin(), learned.end());
  }
  if (resource.kind == Kind::STATIC_MAC && reads) {
    for (Record& learned : call.context.facts().learned_macs(parent)) {
      const std::string place = collection.place(learned);
      if (std::ranges::none_of(*records, [&](const Record& each) { return collection.place(each) == place; })) {
        records->push_back(std::move(learned));
      }
    }
  }
  if (whole && below->vlan) {
    auto has = keep_vlan(call, parent, *below->vlan, *records);
    if (!has) return has.failure();
  }
  if (whole) return list_of(call, resource, std::move(*records));
  auto at =
      std::ranges::find_if(*records, [&](const Record& record) { return collection.place(record) == below->place; });
  if (at != records->end()) return removes ? remove_object(call, resource, *at) : document_of(call, resource, *at);
  if (removes && !resource.missing_is_404) return Response{.status = 204};
  return Failure{ExitCode::refused, "not_found", "there is no " + call.whole_path(), {}, {}};
}

}  // namespace viaduct::api::rest
