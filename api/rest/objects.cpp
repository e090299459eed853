// GET, POST, PUT and DELETE of the resources of the table.
#include <algorithm>

#include "api/rest/call.hpp"
#include "api/rest/local_routes.hpp"
#include "api/rest/media_type.hpp"

namespace viaduct::api::rest {
namespace {

constexpr int kAttempts = 3;  // of a read-modify-write that meets another (MidoNet: zookeeper.transaction_attempts)
constexpr size_t kMostListed = 10'000;
constexpr int kMaxDepth = 32;  // of a JSON body

std::string etag_of(const Record& record) { return "\"" + std::to_string(record.revision()) + "\""; }

// RFC 9110, 13.1.1 and 13.1.2: a list of tags, or "*".
bool names_tag(std::string_view header, const std::string& tag) {
  return header == "*" || header.find(tag) != std::string_view::npos;
}

Result<Done> check_precondition(const Call& call, const Record& record) {
  const std::string_view wanted = call.request.header("if-match");
  if (wanted.empty() || names_tag(wanted, etag_of(record))) return Done{};
  return Failure{ExitCode::refused,
                 "precondition",
                 "the object has changed: it is " + etag_of(record) + ", not " + std::string(wanted),
                 "read it again, and repeat the change",
                 {}};
}

Result<std::string> negotiate(const Call& call, const Resource& resource, Form form) {
  auto type = acceptable(call.request.header("accept"), resource, form);
  if (!type) return not_acceptable();
  return *type;
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
  auto type = negotiate(call, resource, Form::one);
  if (!type) return type.failure();
  const std::string tag = etag_of(record);
  Response response;
  if (const auto known = call.request.header("if-none-match"); !known.empty() && names_tag(known, tag)) {
    response.status = 304;
  } else {
    response = json_response(Emission(resource, record, call.context).document(), *type);
  }
  if (const auto failure = call.context.failure()) return *failure;
  response.headers.emplace_back("ETag", tag);
  return response;
}

// A new object below `parent`, which `collection` names; both are null for a collection at the root.
Result<Operation> new_object(Call& call, const Resource& resource, const Json& body, const Collection* collection,
                             const Uuid& parent, std::vector<Operation>& along) {
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
  if (collection != nullptr) {
    create.record.set(collection->field, parent);
    const std::string member(member_of(resource, collection->field));
    if (whole.is_object() && !member.empty()) whole[member] = parent.to_string();
  }
  Intake intake(resource, whole, create.record, Intent::create, call.context);
  auto taken = intake.take();
  if (!taken) return taken.failure();
  if (const auto failure = call.context.failure()) return *failure;
  along = std::move(intake.along());
  return create;
}

Answer create_object(Call& call, const Resource& resource, const Collection* collection, const Uuid& parent) {
  auto checked = check_body_type(call, resource);
  if (!checked) return checked.failure();
  auto body = body_of(call);
  if (!body) return body.failure();
  for (int attempt = 1;; ++attempt) {
    Context fresh = call.context.fresh();
    Call again{call.request, call.path, fresh, call.mode};
    std::vector<Operation> operations;
    auto create = new_object(again, resource, *body, collection, parent, operations);
    if (!create) return create.failure();
    operations.push_back(*create);
    auto outcome = commit(call, resource, operations);
    if (!outcome && met_another(outcome.failure()) && attempt < kAttempts) continue;
    if (!outcome) return outcome.failure();
    Response response = committed(call, *outcome, 201);
    if (response.status == 200) return response;  // a dry run
    response.headers.emplace_back("Location", Emission(resource, create->record, call.context).uri());
    response.headers.emplace_back("ETag", "\"" + std::to_string(outcome->value("revision", uint64_t{0})) + "\"");
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
  auto outcome = commit(call, resource, {{Operation::Action::remove, record}});
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

bool passes_filters(const Call& call, const Record& record) {
  const std::string* tenant = call.request.parameter("tenant_id");
  const bool filtered = record.kind() == Kind::BRIDGE || record.kind() == Kind::ROUTER ||
                        record.kind() == Kind::CHAIN || record.kind() == Kind::PORT_GROUP;
  if (tenant != nullptr && filtered && record.get("tenant") != Value(*tenant)) return false;
  const std::string* monitor = call.request.parameter("hm_id");
  if (monitor == nullptr || record.kind() != Kind::POOL) return true;
  const auto id = Uuid::parse(*monitor);
  return id && record.reference("health_monitor") == *id;
}

// Port groups that a port is in: "?port_id=".
Result<Done> keep_groups_of_port(Call& call, std::vector<Record>& groups) {
  const std::string* text = call.request.parameter("port_id");
  if (text == nullptr || groups.empty() || groups.front().kind() != Kind::PORT_GROUP) return Done{};
  const auto port = Uuid::parse(*text);
  auto members = call.context.naming(Kind::PORT_GROUP_PORT, "port", port.value_or(Uuid{}));
  if (!members) return members.failure();
  std::erase_if(groups, [&](const Record& group) {
    return std::ranges::none_of(*members, [&](const Record& each) { return each.reference("group") == group.id(); });
  });
  return Done{};
}

// "?limit=100&marker=ID": the first hundred behind that object. Lists of rules keep their order, all others are by id.
Result<std::string> cut_page(const Call& call, std::vector<Record>& records) {
  const std::string* limit_text = call.request.parameter("limit");
  const std::string* marker_text = call.request.parameter("marker");
  if (limit_text == nullptr && marker_text == nullptr) return std::string();
  if (!records.empty() && records.front().kind() != Kind::RULE) std::ranges::sort(records, {}, &Record::id);
  if (marker_text != nullptr) {
    const auto marker = Uuid::parse(*marker_text);
    auto at = std::ranges::find_if(records, [&](const Record& record) { return marker && record.id() == *marker; });
    if (at == records.end()) {
      return Failure{ExitCode::refused,
                     "invalid",
                     "marker: the list has no object " + *marker_text,
                     "begin again without a marker",
                     {}};
    }
    records.erase(records.begin(), at + 1);
  }
  const auto limit =
      static_cast<size_t>(limit_text == nullptr ? kMostListed : std::strtoull(limit_text->c_str(), nullptr, 10));
  if (limit == 0 || limit > kMostListed) {
    return Failure{
        ExitCode::refused, "invalid", "limit: must be a number from 1 to " + std::to_string(kMostListed), {}, {}};
  }
  if (records.size() <= limit) return std::string();
  records.erase(records.begin() + static_cast<ptrdiff_t>(limit), records.end());
  std::string next = call.context.base() + call.whole_path() + "?limit=" + std::to_string(limit) +
                     "&marker=" + records.back().id().to_string();
  for (const auto& [name, value] : call.request.query) {
    if (name != "limit" && name != "marker") next += "&" + encode_segment(name) + "=" + encode_segment(value);
  }
  return next;
}

std::string joined(const std::vector<std::string>& path, size_t from) {
  std::string out;
  for (size_t i = from; i < path.size(); ++i) out += (out.empty() ? "" : "/") + path[i];
  return out;
}

}  // namespace

std::string Call::whole_path() const { return joined(path, 0); }

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

Result<Json> commit(Call& call, const Resource& resource, const std::vector<Operation>& operations) {
  if (auto* gathered = call.context.gathered()) {
    for (const Operation& each : operations) gather(each, *gathered);
    return Json{{"changes", Json::array()}, {"revision", 0}, {"applied", false}};
  }
  auto outcome = call.context.client().transact(operations, call.mode);
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

Answer list_of(Call& call, const Resource& resource, std::vector<Record> records) {
  auto type = negotiate(call, resource, Form::list);
  if (!type) return type.failure();
  std::erase_if(records, [&](const Record& record) { return !passes_filters(call, record); });
  auto kept = keep_groups_of_port(call, records);
  if (!kept) return kept.failure();
  auto next = cut_page(call, records);
  if (!next) return next.failure();
  Json list = Json::array();
  for (const Record& record : records) list.push_back(Emission(resource, record, call.context).document());
  if (const auto failure = call.context.failure()) return *failure;
  Response response = json_response(list, *type);
  if (!next->empty()) response.headers.emplace_back("Link", "<" + *next + ">; rel=\"next\"");
  return response;
}

Answer answer_collection(Call& call, const Resource& resource) {
  if (call.method() == Method::get && (resource.verbs & kList) != 0) {
    auto records = call.context.client().list({resource.kind}, "");
    if (!records) return records.failure();
    return list_of(call, resource, std::move(*records));
  }
  if (call.method() == Method::post && (resource.verbs & kCreate) != 0) {
    return create_object(call, resource, nullptr, {});
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
  const bool whole = call.path.size() == 3;
  if (whole && call.method() == Method::post && (collection.verbs & kCreate) != 0) {
    return create_object(call, resource, &collection, parent);
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
  if (whole) return list_of(call, resource, std::move(*records));
  const std::string rest = joined(call.path, 2);
  auto at = std::ranges::find_if(*records, [&](const Record& record) { return collection.place(record) == rest; });
  if (at != records->end()) return removes ? remove_object(call, resource, *at) : document_of(call, resource, *at);
  if (removes && !resource.missing_is_404) return Response{.status = 204};
  return Failure{ExitCode::refused, "not_found", "there is no " + call.whole_path(), {}, {}};
}

}  // namespace viaduct::api::rest
