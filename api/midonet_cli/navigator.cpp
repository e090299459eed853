#include "api/midonet_cli/navigator.hpp"

#include <algorithm>

#include "api/midonet_cli/tokenizer.hpp"

namespace viaduct::api::midonet_cli {
namespace {

Failure not_found(std::string message, std::string cure) {
  return {ExitCode::refused, "not_found", std::move(message), std::move(cure), {}};
}

std::string text_at(const Json& json, std::string_view name) {
  auto at = json.find(std::string(name));
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

const Found* last(const std::vector<Found>& path) { return path.empty() ? nullptr : &path.back(); }

}  // namespace

bool is_embedded(const Found& found) { return !found.collection->embedded.empty(); }

bool passes(const Json& document, const Object& object, const std::vector<Assignment>& filter) {
  return std::ranges::all_of(filter, [&](const Assignment& each) {
    const Field* field = find_field(object, each.field->name);
    if (field == nullptr) return false;
    const auto text = text_of(*field, document);
    if (!text) return false;
    if (*text == each.value) return true;
    // Another spelling of the same: "10.0.0.0/8" and "10.0.0.0/08", "0x800" and 2048.
    Json wanted = document;
    return bool(put(*field, each.value, wanted)) && text_of(*field, wanted) == text;
  });
}

Failure in_fields(Failure failure, const Object& object) {
  const auto field_of = [&](const std::string& name) -> const Field* {
    const std::string member = name.substr(0, name.find('.'));
    auto at = std::ranges::find_if(object.fields, [&](const Field& field) {
      return !member.empty() && (field.member == member || field.second == member || field.inverse == member);
    });
    return at == object.fields.end() ? nullptr : &*at;
  };
  for (Violation& violation : failure.violations) {
    if (const Field* field = field_of(violation.field)) violation.field = field->name;
  }
  // The fields are what there is to say: no kinds and names are known of them.
  std::string wrong;
  for (const Violation& violation : failure.violations)
    wrong += (wrong.empty() ? "" : "; ") + (violation.field.empty() ? "" : violation.field + ": ") + violation.message;
  if (!wrong.empty()) {
    failure.message = wrong;
    failure.violations.clear();
  }
  // "inboundFilterId: There is no chain …", of statuses that have no list of violations.
  const size_t colon = failure.message.find(": ");
  const Field* first = colon == std::string::npos ? nullptr : field_of(failure.message.substr(0, colon));
  if (first != nullptr) failure.message.replace(0, colon, first->name);
  return failure;
}

Result<const Field*> own_field(const Found& found, const Field& field) {
  const Field* own = find_field(*found.object, field.name);
  if (own != nullptr) return own;
  return usage_error("'" + std::string(field.name) + "' is nothing that " + with_article(found.object->title) + " has",
                     "fields: " + names_of_fields(*found.object));
}

Failure in_words(Failure failure, const Object& object, std::string_view verb, std::string cure) {
  if (failure.code != "method" && failure.code != "not_acceptable") return in_fields(std::move(failure), object);
  failure.message = with_article(object.title) + " cannot be " + std::string(verb);
  if (failure.cure.empty()) failure.cure = std::move(cure);
  return failure;
}

// --- collections --------------------------------------------------------------------------------------

std::string Navigator::place_of(const Found* above, const Collection& collection) const {
  return above == nullptr ? std::string(collection.path) : above->path + "/" + std::string(collection.path);
}

Result<Found> Navigator::make(const Found* above, const Collection& collection, Document document) const {
  Found out{&collection, &resolved(*collection.of, document.json), std::move(document), {}, {}, {}};
  if (above != nullptr) out.parent = above->uuid;
  if (has_ids(collection)) out.uuid = text_at(out.document.json, "id");
  if (is_embedded(out)) {
    out.path = above->path;
    return out;
  }
  if (collection.verbs == kSingle || collection.of->name == "tenant") {
    out.path = place_of(above, collection);
    return out;
  }
  auto path = documents_.path_of(out.document.json);
  if (!path) return path.failure();
  out.path = *path;
  return out;
}

Result<std::vector<Found>> Navigator::list(const Found* above, const Collection& collection,
                                           std::vector<Assignment> filter, const std::string& tenant) {
  if (!collection.not_available.empty())
    return Failure{ExitCode::refused, "unsupported", std::string(collection.not_available), {}, {}};
  if (auto done = resolve_values(filter); !done) return done.failure();
  for (const Assignment& each : filter) {
    // What can be nothing's value is a mistake, and not an empty list.
    Json blank = Json::object();
    if (auto possible = put(*each.field, each.value, blank); !possible) return possible.failure();
  }
  std::vector<Json> all;
  if (collection.embedded.empty()) {
    Documents::Query query;
    if (!tenant.empty() && !collection.tenant_query.empty())
      query.emplace_back(std::string(collection.tenant_query), tenant);
    auto listed = documents_.list(place_of(above, collection), query);
    if (!listed) return listed.failure();
    all = std::move(*listed);
  } else {
    const Json& whole = above->document.json;
    auto member = whole.find(std::string(collection.embedded));
    if (member != whole.end() && member->is_array()) all.assign(member->begin(), member->end());
  }
  std::vector<Found> out;
  for (Json& json : all) {
    if (collection.version != 0 && json.value("version", int64_t{0}) != collection.version) continue;
    if (!passes(json, resolved(*collection.of, json), filter)) continue;
    auto found = make(above, collection, {std::move(json), {}});
    if (!found) return found.failure();
    out.push_back(std::move(*found));
  }
  return out;
}

// --- paths --------------------------------------------------------------------------------------------

Result<std::string> Navigator::uuid_of(const std::string& parent, const Collection& collection,
                                       const std::string& id) const {
  if (const auto uuid = Uuid::parse(id)) return uuid->to_string();
  if (const auto known = aliases_.find(parent, id)) return *known;
  if (!aliases_.understands())
    return not_found("there are no aliases here, so none is " + id, "say the UUID, or begin without --no-aliases");
  return not_found("there is no alias " + id, "list " + std::string(collection.name) +
                                                  " in an interactive session, or with --aliases, gives them");
}

Result<Found> Navigator::by_id(const Found* above, const Step& step) {
  const Collection& collection = *step.collection;
  if (!collection.not_available.empty())
    return Failure{ExitCode::refused, "unsupported", std::string(collection.not_available), {}, {}};
  auto uuid = uuid_of(above == nullptr ? std::string() : above->uuid, collection, step.id);
  if (!uuid) return uuid.failure();
  auto document = documents_.read(std::string(collection.one) + "/" + *uuid);
  if (!document) {
    if (document.failure().code != "not_found") return document.failure();
    return not_found("there is no " + std::string(collection.of->title) + " " + step.id,
                     "list " + std::string(collection.name) + " says what there is");
  }
  if (above != nullptr && !text_at(document->json, collection.parent).ends_with(above->uuid))
    return not_found("the " + std::string(above->object->title) + " has no " + std::string(collection.name) + " " +
                         step.id + ": it is another's",
                     "list " + std::string(collection.name) + " says what it has");
  return make(above, collection, std::move(*document));
}

Result<Found> Navigator::by_filter(const Found* above, const Step& step) {
  auto all = list(above, *step.collection, step.filter);
  if (!all) return all.failure();
  if (all->size() == 1) return std::move(all->front());
  Step alone = step;
  const std::string what = to_text({alone});
  if (all->empty())
    return not_found("there is no " + what, "list " + std::string(step.collection->name) + " says what there is");
  return Failure{ExitCode::refused,
                 "ambiguous",
                 "there are " + std::to_string(all->size()) + " of " + what,
                 "say which by its UUID, or by more of its fields",
                 {}};
}

Result<Found> Navigator::step(const std::vector<Found>& above, const Step& step) {
  if (step.collection->verbs == kSingle) {
    auto document = documents_.read(std::string(step.collection->path));
    if (!document) return document.failure();
    return make(nullptr, *step.collection, std::move(*document));
  }
  auto found = step.id.empty() ? by_filter(last(above), step) : by_id(last(above), step);
  // A list has no tags: what is found in one is read again when it is to change.
  return found;
}

Result<std::vector<Found>> Navigator::resolve(const std::vector<Step>& path) {
  std::vector<Found> out;
  for (const Step& each : path) {
    auto found = step(out, each);
    if (!found) return found.failure();
    out.push_back(std::move(*found));
  }
  return out;
}

// --- references ---------------------------------------------------------------------------------------

Result<std::string> Navigator::reference(const Field& field, const std::string& value) {
  const bool inverted = value.starts_with('!');
  const std::string id = inverted ? value.substr(1) : value;
  if (Uuid::parse(id)) return value;
  const auto known = aliases_.find({}, id);
  if (known) return (inverted ? "!" : "") + *known;
  return not_found(std::string(field.name) + ": '" + id + "' is no UUID, and no alias that is known",
                   "give the UUID of a " + std::string(field.of) + ", or " + std::string(field.of) +
                       " FIELD VALUE, as in " + std::string(field.name) + " " + std::string(field.of) + " id UUID");
}

Result<Done> Navigator::resolve_values(std::vector<Assignment>& fields) {
  for (Assignment& each : fields) {
    if (!each.object.empty()) {
      auto path = resolve(each.object);
      if (!path) return path.failure();
      each.value = path->back().uuid;
      each.object.clear();
      continue;
    }
    if (!each.field->is_reference()) continue;
    if (each.field->form != Form::references) {
      auto one = reference(*each.field, each.value);
      if (!one) return one.failure();
      each.value = *one;
      continue;
    }
    const bool inverted = each.value.starts_with('!');
    std::string all;
    for (const std::string& part : split_list(std::string_view(each.value).substr(inverted ? 1 : 0))) {
      auto one = reference(*each.field, part);
      if (!one) return one.failure();
      all += (all.empty() ? "" : ",") + *one;
    }
    each.value = (inverted ? "!" : "") + all;
  }
  return Done{};
}

Result<Found> Navigator::referred(const Field& field, const std::string& uuid) {
  const Collection* collection = find_collection(midonet_cli::root(), field.of);
  if (collection == nullptr || !has_ids(*collection)) {
    // Pools are found below their load balancers only, and by their ids.
    return not_found(std::string(field.name) + " is " + uuid, "look for it below what it is in");
  }
  return by_id(nullptr, {collection, uuid, {}});
}

// --- names --------------------------------------------------------------------------------------------

std::string Navigator::name_of(const Found& found) {
  if (found.uuid.empty() || !aliases_.gives()) return found.uuid;
  return aliases_.give(found.parent, found.object->name, found.uuid);
}

std::string Navigator::alias_path(const std::vector<Found>& above, const Found& found) {
  if (!aliases_.gives()) return found.uuid;
  std::string out;
  for (const Found& each : above) out += name_of(each) + ":";
  return out + name_of(found);
}

std::string Navigator::name_of_reference(const Field& field, const std::string& uuid) {
  if (!aliases_.gives()) return uuid;
  const Collection* collection = find_collection(midonet_cli::root(), field.of);
  if (collection == nullptr) return uuid;
  if (field.of != "port") return aliases_.give({}, collection->of->name, uuid);
  // A port's alias is below its device's.
  auto port = documents_.read("ports/" + uuid);
  if (!port) return uuid;
  const std::string device = text_at(port->json, "deviceId");
  const Object& object = resolved(*collection->of, port->json);
  const Field* of = find_field(object, "device");
  if (device.empty() || of == nullptr) return uuid;
  return name_of_reference(*of, device) + ":" + aliases_.give(device, object.name, uuid);
}

}  // namespace viaduct::api::midonet_cli
