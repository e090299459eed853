// The verbs that change something: create, set, clear, delete.
#include <algorithm>

#include "api/midonet_cli/interpreter.hpp"

namespace viaduct::api::midonet_cli {
namespace {

constexpr int kAttempts = 3;  // of a change that meets another

Failure read_only(const Field& field) {
  return usage_error(std::string(field.name) + " is not for you to set", "it can be shown and be filtered by");
}

bool is_of_type(const Field& field, std::string_view type) {
  std::string_view rest = field.when;
  while (!rest.empty()) {
    const size_t space = std::min(rest.find(' '), rest.size());
    if (rest.substr(0, space) == type) return true;
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return field.when.empty();
}

// What the API would take, and not heed.
Result<Done> check_types(const Object& object, const Json& json, const std::vector<Assignment>& fields) {
  const Field* type = find_field(object, "type");
  const std::string text = type == nullptr ? std::string() : text_of(*type, json).value_or("");
  for (const Assignment& each : fields) {
    if (each.field->when.empty() || text.empty() || is_of_type(*each.field, text)) continue;
    return usage_error(
        std::string(each.field->name) + ": " + with_article(object.title) + " of the type " + text + " has none",
        "such have it: " + std::string(each.field->when));
  }
  return Done{};
}

}  // namespace

// --- create -------------------------------------------------------------------------------------------

Result<std::vector<Assignment>> Interpreter::values(std::vector<Assignment> fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].field->has(kReadOnly)) return read_only(*fields[i].field);
    for (size_t j = 0; j < i; ++j) {
      if (fields[j].field == fields[i].field)
        return usage_error(std::string(fields[i].field->name) + " is given twice", "say it once");
    }
  }
  auto done = navigator_.resolve_values(fields);
  if (!done) return done.failure();
  return fields;
}

Interpreter::Outcome Interpreter::create_embedded(const Found& above, const Collection& collection, const Json& json) {
  Json whole = above.document.json;
  Json& list = whole[std::string(collection.embedded)];
  if (!list.is_array()) list = Json::array();
  list.push_back(json);
  auto done = documents_.replace(above.path, whole, above.document.tag);
  if (!done) return in_fields(done.failure(), *collection.of);
  if (streams_.output == Output::json) {
    print(json);
  } else {
    print(fields_of({&collection, collection.of, {json, {}}, {}, {}, {}}));
  }
  return Done{};
}

// What the API does not heed of a new object is changed afterwards.
Interpreter::Outcome Interpreter::finish_new(const Command& command, const std::vector<Found>& above, Found found) {
  Json wanted = found.document.json;
  bool differs = false;
  for (const Assignment& each : command.fields) {
    if (!each.field->has(kLater) || text_of(*each.field, wanted) == each.value) continue;
    if (auto done = put(*each.field, each.value, wanted); !done) return done.failure();
    differs = true;
  }
  if (differs) {
    auto done = documents_.replace(found.path, wanted, found.document.tag);
    if (!done) {
      Failure failure = in_fields(done.failure(), *found.object);
      failure.message = "created as " + found.uuid + ", but not all of it: " + failure.message;
      return failure;
    }
    found.document.json = std::move(wanted);
  }
  if (streams_.output == Output::json) {
    print(found.document.json);
  } else {
    print(found.uuid.empty() ? fields_of(found) : navigator_.alias_path(above, found));
  }
  return Done{};
}

Interpreter::Outcome Interpreter::create(const Command& command) {
  const Collection& collection = *command.target;
  const Object& object = *collection.of;
  if (!collection.not_available.empty())
    return Failure{ExitCode::refused, "unsupported", std::string(collection.not_available), {}, {}};
  if ((collection.verbs & kCreate) == 0) {
    return usage_error(with_article(object.title) + " is not created " +
                           (command.path.empty() ? "at the root" : "below " + with_article(end_of(command.path).title)),
                       "list and show are possible");
  }
  auto path = navigator_.resolve(command.path);
  if (!path) return path.failure();
  auto fields = values(command.fields);
  if (!fields) return fields.failure();
  Json json = Json::object();
  if (!collection.type.empty()) json["type"] = std::string(collection.type);
  if (!object.tenant.empty() && !tenant_.empty()) json[std::string(object.tenant)] = tenant_;
  for (const Assignment& each : *fields) {
    if (auto done = put(*each.field, each.value, json); !done) return done.failure();
  }
  if (collection.version != 0) json["version"] = collection.version;
  if (auto checked = check_types(object, json, *fields); !checked) return checked;
  if (object.finish != nullptr) {
    if (auto done = object.finish(nullptr, json); !done) return done;
  }
  const Found* above = path->empty() ? nullptr : &path->back();
  if (!collection.embedded.empty()) return create_embedded(*above, collection, json);
  auto made = documents_.create(navigator_.place_of(above, collection), json);
  if (!made) return in_words(made.failure(), object, "created here", {});
  Found found{&collection, &resolved(object, made->json), std::move(*made), {}, {}, {}};
  if (above != nullptr) found.parent = above->uuid;
  if (has_ids(collection)) found.uuid = found.document.json.value("id", std::string());
  auto where = documents_.path_of(found.document.json);
  if (!where) return where.failure();
  found.path = *where;
  Command with_values = command;
  with_values.fields = std::move(*fields);
  return finish_new(with_values, *path, std::move(found));
}

// --- set, clear ---------------------------------------------------------------------------------------

Interpreter::Outcome Interpreter::clear(const Command& command, const Found& found, Json& json) {
  bool unlink = false;
  for (const Field* each : command.names) {
    auto field = own_field(found, *each);
    if (!field) return field.failure();
    if (!can_be_cleared(**field)) {
      if ((*field)->has(kReadOnly)) return read_only(**field);
      return usage_error(std::string((*field)->name) + " cannot be cleared",
                         (*field)->has(kFixed) ? "it stays as it was created" : "set it: " + describe(**field));
    }
    if ((*field)->has(kLinked)) {
      unlink = true;
    } else {
      midonet_cli::clear(**field, json);
    }
  }
  if (json != found.document.json) {
    auto done = documents_.replace(found.path, json, found.document.tag);
    if (!done) return in_words(done.failure(), *found.object, "changed", "delete it, and create another");
  }
  if (!unlink) return Done{};
  auto done = documents_.remove(found.path + "/link");
  return done ? Outcome(Done{}) : Outcome(done.failure());
}

Interpreter::Outcome Interpreter::change_once(const Command& command, const Found& found) {
  Json json = found.document.json;
  if (command.verb == Verb::clear) return clear(command, found, json);
  auto fields = values(command.fields);
  if (!fields) return fields.failure();
  for (Assignment& each : *fields) {
    auto field = own_field(found, *each.field);
    if (!field) return field.failure();
    if ((*field)->has(kFixed) && text_of(**field, json) != each.value)
      return usage_error(std::string((*field)->name) + " of " + with_article(found.object->title) + " stays as it is",
                         "delete it, and create another");
    each.field = *field;
    if (auto done = put(**field, each.value, json); !done) return done;
  }
  if (auto checked = check_types(*found.object, json, *fields); !checked) return checked;
  if (found.object->finish != nullptr) {
    if (auto done = found.object->finish(found.document.json, json); !done) return done;
  }
  auto done = documents_.replace(found.path, json, found.document.tag);
  if (!done) return in_words(done.failure(), *found.object, "changed", "delete it, and create another");
  return Done{};
}

Interpreter::Outcome Interpreter::change(const Command& command) {
  for (int attempt = 1;; ++attempt) {
    auto path = navigator_.resolve(command.path);
    if (!path) return path.failure();
    Found& found = path->back();
    if (is_embedded(found))
      return usage_error(with_article(found.object->title) + " is not changed", "delete it, and create another");
    if (found.document.tag.empty() && !found.uuid.empty()) {  // found in a list, which has no tags
      auto again = documents_.read(found.path);
      if (!again) return again.failure();
      found.document = std::move(*again);
    }
    auto done = change_once(command, found);
    if (!done && done.failure().code == "precondition" && attempt < kAttempts) continue;
    if (!done || streams_.output == Output::lines) return done;
    auto now = documents_.read(found.path);
    if (now) print(now->json);
    return now ? Outcome(Done{}) : Outcome(now.failure());
  }
}

// --- delete -------------------------------------------------------------------------------------------

Interpreter::Outcome Interpreter::remove_embedded(const Found& found) {
  auto above = documents_.read(found.path);
  if (!above) return above.failure();
  Json& list = above->json[std::string(found.collection->embedded)];
  auto at = list.is_array() ? std::find(list.begin(), list.end(), found.document.json) : list.end();
  if (!list.is_array() || at == list.end())
    return Failure{
        ExitCode::refused, "conflict", "the " + std::string(found.object->title) + " has gone meanwhile", {}, {}};
  list.erase(at);
  return documents_.replace(found.path, above->json, above->tag);
}

Interpreter::Outcome Interpreter::remove(const Command& command) {
  auto path = navigator_.resolve(command.path);
  if (!path) return path.failure();
  const Found& found = path->back();
  if (is_embedded(found)) return remove_embedded(found);
  auto done = documents_.remove(found.path);
  if (!done) return in_words(done.failure(), *found.object, "deleted", {});
  if (!found.uuid.empty()) aliases_.forget(found.uuid);
  return Done{};
}

}  // namespace viaduct::api::midonet_cli
