#include "api/cli/directory.hpp"

#include <algorithm>

namespace viaduct::api::cli {
namespace {

constexpr size_t kShortestIdPrefix = 8;

bool looks_like_id_prefix(const std::string& text) {
  return text.size() >= kShortestIdPrefix && text.size() < 36 &&
         text.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

std::string kinds_text(const std::vector<Kind>& kinds) {
  std::string out;
  for (Kind kind : kinds) out += (out.empty() ? "" : " or ") + std::string(info(kind).name);
  return out;
}

std::vector<Kind> targets_of(const Field& field) {
  std::vector<Kind> kinds{field.target};
  kinds.insert(kinds.end(), field.also.begin(), field.also.end());
  return kinds;
}
bool refers(const Field& field) {
  return field.type == FieldType::reference || field.type == FieldType::reference_list;
}

Failure not_found(const std::vector<Kind>& kinds, const std::string& text) {
  std::string first(info(kinds.front()).name);
  std::string cure = "viaduct " + first + " list shows what there is";
  if (!info(kinds.front()).has_name()) cure += "; a " + first + " has no name: refer to it by its id";
  return {ExitCode::refused, "not_found", "there is no " + kinds_text(kinds) + " '" + text + "'", cure, {}};
}

Failure ambiguous(const std::vector<Kind>& kinds, const std::string& text, const std::vector<Record>& records) {
  std::string message = "'" + text + "' is ambiguous: " + std::to_string(records.size()) + " " + kinds_text(kinds) +
                        (kinds.size() == 1 ? "s" : "") + " are called so:";
  for (const Record& record : records)
    message += "\n  " + std::string(record.info().name) + " " + record.id().to_string();
  return {ExitCode::refused, "ambiguous", message, "use the id instead of the name", {}};
}

}  // namespace

Result<std::vector<Record>> Directory::candidates(const std::vector<Kind>& kinds, const std::string& text) {
  auto records = client_.list(kinds, text);
  if (!records || !records->empty() || !looks_like_id_prefix(text)) return records;
  records = client_.list(kinds, "");
  if (records)
    std::erase_if(*records, [&](const Record& record) { return !record.id().to_string().starts_with(text); });
  return records;
}

Result<Record> Directory::find(Kind kind, const std::string& text) { return find(std::vector{kind}, text); }

Result<Record> Directory::find(const std::vector<Kind>& kinds, const std::string& text) {
  if (text.empty()) return usage_error("the name of a " + kinds_text(kinds) + " must not be empty");
  auto records = candidates(kinds, text);
  if (!records) return records.failure();
  if (records->empty()) return not_found(kinds, text);
  if (records->size() > 1) {
    // An id beats a name that looks like it.
    auto exact = std::ranges::find_if(*records, [&](const Record& record) { return record.id().to_string() == text; });
    if (exact == records->end()) return ambiguous(kinds, text, *records);
    return *exact;
  }
  remember(records->front());
  return records->front();
}

Result<Uuid> Directory::find_anywhere(Kind kind, const std::string& text) {
  auto record = find(kind, text);
  if (record) return record->id();
  const auto id = Uuid::parse(text);
  if (id && record.failure().code == "not_found") return *id;
  return record.failure();
}

Result<std::vector<Record>> Directory::all(Kind kind) {
  auto records = client_.list({kind}, "");
  if (!records) return records;
  for (const Record& record : *records) remember(record);
  loaded_.insert(kind);
  return records;
}

Result<std::vector<Record>> Directory::naming(Kind kind, const Uuid& target) {
  auto records = client_.list_naming({kind}, target);
  if (!records) return records;
  for (const Record& record : *records) remember(record);
  return records;
}

Result<Done> Directory::load_targets(const KindInfo& kind) {
  for (const Field& field : kind.fields) {
    // What few objects of a kind name is asked for by name.
    if (field.type != FieldType::reference || field.sense != Sense::plain) continue;
    if (field.target == kind.kind || loaded_.contains(field.target)) continue;
    if (auto loaded = all(field.target); !loaded) return loaded.failure();
  }
  return Done{};
}

Result<Value> Directory::parse(const Field& field, const std::vector<std::string>& texts) {
  if (!refers(field)) return parse_value(field, texts);
  if (field.type == FieldType::reference_list) {
    if (texts.size() == 1 && texts[0] == "none") return Value{};
    std::vector<Uuid> ids;
    for (const std::string& text : texts) {
      auto record = find(targets_of(field), text);
      if (!record) return record.failure();
      ids.push_back(record->id());
    }
    return Value(ids);
  }
  if (texts.size() != 1) return usage_error("--" + std::string(field.option) + " takes one value");
  if (texts[0] == "none") return Value{};
  auto record = find(targets_of(field), texts[0]);
  if (!record) return record.failure();
  return Value(record->id());
}

void Directory::remember(const Record& record) {
  names_[record.id()] = record.name().empty() ? record.id().to_string() : record.name();
}

std::string Directory::name_of(Kind kind, const Uuid& id) { return name_among({kind}, id); }
std::string Directory::name_of(const Field& field, const Uuid& id) { return name_among(targets_of(field), id); }

std::string Directory::name_among(const std::vector<Kind>& kinds, const Uuid& id) {
  if (auto at = names_.find(id); at != names_.end()) return at->second;
  std::string text = id.to_string();
  if (!std::ranges::all_of(kinds, [&](Kind kind) { return loaded_.contains(kind); })) {
    if (auto found = client_.list(kinds, text); found && found->size() == 1) remember(found->front());
  }
  return names_.try_emplace(id, text).first->second;
}

std::string Directory::describe(const Record& record) {
  return cli::describe(record, [this](const Field& field, const Uuid& id) { return name_of(field, id); });
}

std::string Directory::text_of(const Record& record, const Field& field) {
  return cli::text_of(record, field, [this](const Field& of, const Uuid& id) { return name_of(of, id); });
}

std::string Directory::gathered(const Record& record) {
  return cli::gathered(record, [this](const Field& field, const Uuid& id) { return name_of(field, id); });
}

void Directory::add_names(const Field& field, const Value& value, Json& out) {
  const std::string key = std::string(field.name) + "_name";
  if (field.type == FieldType::reference) {
    const bool absent = std::holds_alternative<std::monostate>(value);
    out[key] = absent ? Json(nullptr) : Json(name_of(field, std::get<Uuid>(value)));
  } else if (std::holds_alternative<std::vector<Uuid>>(value)) {
    Json& names = out[key + "s"] = Json::array();
    for (const Uuid& id : std::get<std::vector<Uuid>>(value)) names.push_back(name_of(field, id));
  }
}

Json Directory::json_of(const Record& record) {
  Json out;
  out["kind"] = record.info().name;
  out["id"] = record.id().to_string();
  out["revision"] = record.revision();
  for (const Field& field : record.info().fields) {
    const Value& value = record.get(field.name);
    if (field.sense != Sense::plain && std::holds_alternative<std::monostate>(value)) continue;
    out[std::string(field.name)] = to_json(field, value);
    add_names(field, value, out);
  }
  return out;
}

}  // namespace viaduct::api::cli
