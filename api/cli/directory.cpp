#include "api/cli/directory.hpp"

#include <algorithm>

namespace viaduct::cli {
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
    if (field.type != FieldType::reference || field.target == kind.kind || loaded_.contains(field.target)) continue;
    if (auto loaded = all(field.target); !loaded) return loaded.failure();
  }
  return Done{};
}

Result<Value> Directory::parse(const Field& field, const std::vector<std::string>& texts) {
  if (field.type != FieldType::reference) return parse_value(field, texts);
  if (texts.size() != 1) return usage_error("--" + std::string(field.option) + " takes one value");
  if (texts[0] == "none") return Value{};
  auto record = find(field.target, texts[0]);
  if (!record) return record.failure();
  return Value(record->id());
}

void Directory::remember(const Record& record) {
  names_[record.id()] = record.name().empty() ? record.id().to_string() : record.name();
}

std::string Directory::name_of(Kind kind, const Uuid& id) {
  if (auto at = names_.find(id); at != names_.end()) return at->second;
  std::string text = id.to_string();
  if (!loaded_.contains(kind)) {
    if (auto found = client_.list({kind}, text); found && found->size() == 1) remember(found->front());
  }
  return names_.try_emplace(id, text).first->second;
}

std::string Directory::describe(const Record& record) {
  return cli::describe(record, [this](Kind kind, const Uuid& id) { return name_of(kind, id); });
}

std::string Directory::text_of(const Record& record, const Field& field) {
  return cli::text_of(record, field, [this](Kind kind, const Uuid& id) { return name_of(kind, id); });
}

Json Directory::json_of(const Record& record) {
  Json out;
  out["kind"] = record.info().name;
  out["id"] = record.id().to_string();
  out["revision"] = record.revision();
  for (const Field& field : record.info().fields) {
    std::string name(field.name);
    out[name] = to_json(record.get(name));
    if (field.type != FieldType::reference) continue;
    Uuid id = record.reference(name);
    out[name + "_name"] = id.is_nil() ? Json(nullptr) : Json(name_of(field.target, id));
  }
  return out;
}

}  // namespace viaduct::cli
