#include "api/cli/export_fields.hpp"

#include <algorithm>

#include "api/cli/apply_key.hpp"
#include "api/cli/commands/edit.hpp"

namespace viaduct::api::cli {
namespace {

constexpr std::string_view kNone = "none";  // what a file says for nothing

bool is_reference(const Field& field) {
  return field.type == FieldType::reference || field.type == FieldType::reference_list;
}

std::vector<Uuid> ids_of(const Value& value) {
  if (const auto* id = std::get_if<Uuid>(&value)) return {*id};
  if (const auto* ids = std::get_if<std::vector<Uuid>>(&value)) return *ids;
  return {};
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool must_be_told(const Record& record, const Field& field) {
  if (field.presence != Presence::optional || field.name == "position") return true;
  // An interface without a host would be one of the host where it is applied.
  return field.name == "host" && record.get("interface") != Value(std::string());
}

bool may_be_told(const Record& record, const Field& field) {
  if (field.type == FieldType::secret) return false;
  const bool absent = std::holds_alternative<std::monostate>(record.get(field.name));
  // What never changes: a port of a bridge is of no router.
  if (absent && field.bond == Bond::owned && is_one_of(record.info().parents, field.name)) return false;
  return !(absent && field.sense != Sense::plain);
}

// As the reader of a document hands it on.
std::vector<std::string> texts_of(const Json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array()) return {value.dump()};
  if (value.empty()) return {std::string(kNone)};
  return value.get<std::vector<std::string>>();
}

bool reads_back(const Field& field, const Json& told, const Value& value) {
  auto read = parse_value(field, texts_of(told));
  return read && *read == value;
}

}  // namespace

ExportNames::ExportNames(const std::vector<Record>& live, const std::set<Uuid>& chosen) {
  std::map<std::pair<Kind, std::string>, std::vector<Uuid>> by_key;
  for (const Record& record : live) {
    live_[record.id()] = &record;
    if (record.info().has_name()) ++called_[{record.kind(), record.name()}];
    by_key[{record.kind(), whole_key(record)}].push_back(record.id());
    if (record.info().has_name() && record.name().empty()) need_ids_.insert(record.id());
  }
  for (const auto& [key, ids] : by_key)
    if (ids.size() > 1) need_ids_.insert(ids.begin(), ids.end());
  for (const Record& record : live)
    if (chosen.contains(record.id())) note_references(record, chosen);
}

void ExportNames::note_references(const Record& record, const std::set<Uuid>& chosen) {
  for (const Field& field : record.info().fields) {
    if (!is_reference(field)) continue;
    for (const Uuid& id : ids_of(record.get(field.name))) {
      const auto target = live_.find(id);
      if (target == live_.end()) continue;
      if (!chosen.contains(id)) {
        outside_.insert(std::string(target->second->info().name) + " " + of(field, id));
      } else if (!is_one_of(record.info().parents, field.name) && !is_clear(field, *target->second)) {
        need_ids_.insert(id);
      }
    }
  }
}

bool ExportNames::is_clear(const Field& field, const Record& target) const {
  const std::string name = target.name();
  if (name.empty() || name == kNone || Uuid::parse(name)) return false;
  const auto count = [&](Kind kind) {
    auto at = called_.find({kind, name});
    return at == called_.end() ? size_t{0} : at->second;
  };
  size_t all = count(field.target);
  for (Kind kind : field.also) all += count(kind);
  return all == 1;
}

std::string ExportNames::of(const Field& field, const Uuid& id) const {
  auto target = live_.find(id);
  const bool clear = target != live_.end() && is_clear(field, *target->second);
  return clear ? target->second->name() : id.to_string();
}

ToldFields FieldTeller::tell(const Record& record, std::string_view parent_field) {
  ToldFields out;
  const auto chosen = choose(record, parent_field);
  for (const Field& field : record.info().fields) {
    const Value& value = record.get(field.name);
    if (field.type == FieldType::secret && !to_json(field, value).is_null())
      out.missing.push_back(std::string(field.option) + " is set, and not told");
    if (!chosen.contains(field.name)) continue;
    Json told = value_of(record, field);
    if (is_reference(field) || reads_back(field, told, value)) {
      out.fields.emplace_back(field.option, std::move(told));
    } else {
      out.missing.push_back(std::string(field.option) + " is '" + to_text(field, value) + "', which no file can say");
    }
  }
  return out;
}

std::set<std::string_view> FieldTeller::choose(const Record& record, std::string_view parent_field) {
  const Record& bare = usual(record.kind());
  const bool all = told_ == Told::all && record.info().given == KindInfo::Given::some;
  std::set<std::string_view> chosen;
  std::vector<const Field*> open;  // that are told if need be
  for (const Field& field : record.info().fields) {
    if (field.name == parent_field || !may_be_told(record, field)) continue;
    const bool must = all || must_be_told(record, field);
    if (must || record.get(field.name) != bare.get(field.name)) chosen.insert(field.name);
    if (!must) open.push_back(&field);
  }
  // Apply completes new routes and rules. Where it does so rightly nothing need be told; where not, something must be.
  for (const Field* field : open) {
    chosen.erase(field->name);
    Record made(record.kind(), record.id());
    for (std::string_view name : chosen) made.set(name, record.get(name));
    complete_new(made);
    const Value& result = made.changed(field->name) ? made.get(field->name) : bare.get(field->name);
    if (result != record.get(field->name)) chosen.insert(field->name);
  }
  return chosen;
}

const Record& FieldTeller::usual(Kind kind) {
  auto [at, fresh] = usual_.try_emplace(kind, kind, Uuid{});
  if (fresh)
    for (const Field& field : at->second.info().fields) at->second.clear(field.name);
  return at->second;
}

Json FieldTeller::value_of(const Record& record, const Field& field) const {
  const Value& value = record.get(field.name);
  if (field.type == FieldType::reference_list) {
    Json names = Json::array();
    for (const Uuid& id : ids_of(value)) names.push_back(names_.of(field, id));
    return names;
  }
  if (const auto* id = std::get_if<Uuid>(&value)) return names_.of(field, *id);
  if (field.type == FieldType::range || field.type == FieldType::named_number) {
    const auto* text = std::get_if<std::string>(&value);  // "80" as a number, which no reader takes for something else
    if (text != nullptr && text->find_first_not_of("0123456789") == std::string::npos) return Json::parse(*text);
  }
  const Json json = to_json(field, value);
  const bool nothing = json.is_null() || (json == "" && field.presence != Presence::positional);
  return nothing ? Json(kNone) : json;
}

}  // namespace viaduct::api::cli
